"""Live: curves above, the runs below; side by side where there is room."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from arena_tui.facts import trial_facts
from arena_tui.keys import GLOBAL, LISTS, OPEN, PLOT, bindings, picked
from arena_tui.plotting import references
from arena_tui.progress import liveness
from arena_tui.ranking import live_order, shown_runs
from arena_tui.rows import COMPACT_LIVE_COLUMNS, LIVE_COLUMNS, live_row
from arena_tui.screens.plotted import PlottedScreen, plot_bindings
from arena_tui.screens.trial_list import TrialListScreen
from arena_tui.summary import PREVIEW_WIDTH, event_lines, progress_line, study_lines, trial_brief, trial_preview
from arena_tui.widgets.curve_plot import CurvePlot
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.table import Row, Rows, VirtualTable
from bench.records import Point, State
from studies.views import TrialView

LAYOUTS = ("-both", "-list", "-curves")
EVENTS_SHOWN = 12


class LiveScreen(PlottedScreen, TrialListScreen):
    """The study under way, or the last one."""

    DEFAULT_CSS = """
    LiveScreen #body { height: 1fr; layout: vertical; }
    LiveScreen #curves { height: 1fr; }
    LiveScreen CurvePlot { height: 1fr; }
    LiveScreen #study { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    LiveScreen #runs { height: 1fr; }
    LiveScreen VirtualTable { height: 1fr; }
    LiveScreen #brief { height: 3; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    LiveScreen.-wide #body { layout: horizontal; }
    LiveScreen.-wide #curves { dock: right; width: 52%; height: 1fr; border-left: vkey $panel; }
    LiveScreen.-wide #runs { width: 1fr; }
    LiveScreen.-wide.-tall #study { text-wrap: wrap; height: 17; border-top: hkey $panel; }
    LiveScreen.-wide.-tall #brief { text-wrap: wrap; height: 17; background: $background; border-top: hkey $panel; }
    LiveScreen.-list #curves { display: none; }
    LiveScreen.-curves #runs { display: none; }
    LiveScreen.-wide.-list #runs, LiveScreen.-wide.-curves #curves { width: 100%; }
    """
    TAB = "live"
    KEYS = (
        OPEN,
        *picked(LISTS, "filter", "mark", "compare"),
        *picked(PLOT, "layout", "metric", "axis"),
        *picked(GLOBAL, "help", "quit"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(picked(LISTS, "filter", "mark", "unmark", "pin", "compare"), PLOT),
        *plot_bindings(),
    ]

    def compose_list(self) -> ComposeResult:
        with Horizontal(id="body"):
            with Vertical(id="curves"):
                yield CurvePlot("train_loss", smoothing=0.8)
                yield Lines(id="study")
            with Vertical(id="runs"):
                yield VirtualTable(LIVE_COLUMNS)
                yield Lines(id="brief")

    def on_mount(self) -> None:
        self.add_class(LAYOUTS[0])

    def empty(self) -> str:
        over = self.arena.mirror.loaded and bool(self.arena.trials())
        return "nothing runs and nothing has a score: 3 lists every trial" if over else super().empty()

    # drawing

    def redraw(self) -> None:
        super().redraw()
        rows = self.narrowed(live_order(self.arena.trials()), trial_facts, self.empty())
        plot, study, pinned = self.query_one(CurvePlot), self.arena.study, self.arena.pinned()
        kept = [pinned.number] if pinned else []
        shown = shown_runs(self.arena.trials(), self.arena.marked(), self.number(), kept)
        self.draw_trials(shown, study.spec.budget if study else None)
        self._draw_rows(rows)
        plot.set_reference(references(self.arena.mirror, study))
        plot.empty_text = "no curve yet" if self.arena.mirror.loaded else "reading the store"
        self._draw_words()

    def _draw_rows(self, trials: list[TrialView]) -> None:
        mirror, study = self.arena.mirror, self.arena.study
        stale = study is not None and liveness(study, study.name in mirror.alive, self.arena.now()).stale
        compact = 110 <= self.app.size.width < 150
        self.table.set_columns(COMPACT_LIVE_COLUMNS if compact else LIVE_COLUMNS)
        keys = [str(trial.number) for trial in trials]
        self.table.set_rows(Rows(keys, lambda i: self._row(trials[i], mirror.last_point(trials[i]), stale, compact)))

    def _row(self, trial: TrialView, last: Point | None, stale: bool, compact: bool) -> Row:
        return live_row(trial, self.badge(trial), last, stale, compact)

    def _draw_words(self) -> None:
        study, mirror, trial = self.arena.study, self.arena.mirror, self.selected()
        delta = mirror.baselines.delta(trial) if trial else None
        roomy = self.has_class("-wide") and self.has_class("-tall")
        brief = self.query_one("#brief", Lines)
        room = brief.content_size.width or PREVIEW_WIDTH
        brief.show(trial_preview(trial, delta, room) if roomy else trial_brief(trial, delta))
        words = Text()
        if study is not None:
            alive, trials, now = study.name in mirror.alive, self.arena.trials(), self.arena.now()
            if roomy:
                words = study_lines(study, trials, mirror.baselines, now, alive, mirror.phases.get(study.name, ()))
                width = self.query_one("#study").content_size.width
                words.append("\n\n")
                words.append_text(event_lines(mirror.events, study, EVENTS_SHOWN, width))
            else:
                words = progress_line(study, trials, now, alive, mirror.phases.get(study.name, ()))
        self.query_one("#study", Lines).show(words)

    def on_lines_widened(self) -> None:
        self._draw_words()

    def tick(self) -> None:
        super().tick()
        if any(trial.state is State.RUNNING for trial in self.arena.trials()):
            self._draw_words()

    # keys

    def action_layout(self) -> None:
        now = next(layout for layout in LAYOUTS if self.has_class(layout))
        self.remove_class(now)
        self.add_class(LAYOUTS[(LAYOUTS.index(now) + 1) % len(LAYOUTS)])
        (self.query_one(CurvePlot) if self.has_class("-curves") else self.table).focus()
