"""Studies: all of them, whether anyone runs them, and how to go on."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from arena_tui import formatting
from arena_tui.facts import STUDY_FIELDS, study_facts
from arena_tui.keys import GLOBAL, LISTS, Key, bindings, picked
from arena_tui.plotting import history_of, references
from arena_tui.progress import liveness
from arena_tui.ranking import best_of
from arena_tui.rows import styled
from arena_tui.screens.listing import NOTHING, ListScreen
from arena_tui.summary import event_lines, study_lines
from arena_tui.themes import run_colours
from arena_tui.widgets.curve_plot import CurvePlot
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.table import Column, Row, VirtualTable
from bench.records import State
from studies.views import StudyView

COLUMNS = (
    Column("study", "study", 0),
    Column("division", "division", 11),
    Column("done", "done", 7, right=True),
    Column("best", "best", 7, right=True),
    Column("state", "state", 12),
)
# The names of studies come first: the rest as there is room, and on what text below.
WIDE_COLUMNS = (
    *COLUMNS,
    Column("corpus", "corpus", 25),
    Column("counts", "trials", 36),
    Column("begun", "begun", 16),
)


EVENTS_SHOWN = 30


class StudiesScreen(ListScreen):
    """Enter makes a study the one that every screen shows."""

    DEFAULT_CSS = """
    StudiesScreen VirtualTable { height: 1fr; }
    StudiesScreen #below { height: 13; border-top: hkey $panel; layout: vertical; }
    StudiesScreen CurvePlot { height: 6; }
    StudiesScreen #study { height: 1fr; }
    StudiesScreen.-tall #below { height: 60%; }
    StudiesScreen.-tall CurvePlot { height: 12; }
    StudiesScreen.-wide #below { layout: horizontal; }
    StudiesScreen.-wide CurvePlot { dock: right; width: 50%; height: 1fr; border-left: vkey $panel; }
    """
    TAB = "studies"
    FIELDS = STUDY_FIELDS
    KEYS = (Key("enter", "open", "", "show its trials"), *picked(LISTS, "filter"), *picked(GLOBAL, "help", "quit"))
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(picked(LISTS, "filter"))]

    _history: tuple[object, ...] = ()
    _placed = False  # the cursor, once, on the study that the other pages show

    def compose_list(self) -> ComposeResult:
        yield VirtualTable(COLUMNS)
        with Vertical(id="below"):
            plot = CurvePlot("best val_loss")
            plot.can_focus = False
            plot.x_name, plot.empty_text = "trials ended", "no score yet"
            yield plot
            yield Lines(id="study")

    def path(self) -> tuple[str, ...]:
        return ("studies",)

    def redraw(self) -> None:
        super().redraw()
        rows = self.narrowed(list(self.arena.mirror.studies.values()), study_facts, NOTHING)
        self.table.set_columns(WIDE_COLUMNS if self.app.size.width >= 150 else COLUMNS)
        self.table.set_rows([self._row(study) for study in rows])
        if not self._placed and self.arena.study is not None:
            self._placed = True
            self.table.move_to(self.arena.study.name)
        self._draw_study()

    def tick(self) -> None:
        super().tick()
        self._draw_study()

    def _row(self, study: StudyView) -> Row:
        spec, mirror = study.spec, self.arena.mirror
        state = liveness(study, study.name in mirror.alive, self.arena.now())
        best = best_of(mirror.trials_of(study.name))
        cells = (
            styled(spec.name, "bold" if study == self.arena.study else ""),
            spec.division_name,
            study.progress,
            formatting.loss(best.val_loss if best else None),
            styled(state.word, state.style),
            formatting.corpus(spec.corpus_name, spec.corpus_digest),
            formatting.counts(study.n_by_state),
            formatting.day_time(study.created_at),
        )
        return Row(study.name, cells)

    def subject(self) -> tuple[str | None, int | None]:
        return self.table.cursor_key, None

    def _draw_study(self) -> None:
        mirror = self.arena.mirror
        study = mirror.studies.get(self.table.cursor_key or "")
        self._draw_history(study)
        words = Text()
        if study is not None:
            now, alive = self.arena.now(), study.name in mirror.alive
            trials = mirror.trials_of(study.name)
            words = study_lines(study, trials, mirror.baselines, now, alive, mirror.phases.get(study.name, ()))
            settings = "  ".join(study.spec.settings)
            budget, corpus = study.spec.budget, formatting.corpus(study.spec.corpus_name, study.spec.corpus_digest)
            words.append(f"\n{budget.steps} steps x {budget.batch} x {budget.seq_len} bytes of {corpus}", "dim")
            words.append(f"  --set {settings}" if settings else "", "dim")
            if (command := self.command(study)) is not None:
                words.append("\nto go on:  ", "dim")
                words.append(command, "bold")
            width = self.app.size.width - 4
            words.append("\n\n")
            words.append_text(event_lines(mirror.events, study, EVENTS_SHOWN, width))
        self.query_one("#study", Lines).show(words)

    def _draw_history(self, study: StudyView | None) -> None:
        """How the best came down; drawn again only when a trial has changed."""
        trials = self.arena.mirror.trials_of(study.name) if study else []
        drawn = (study and study.name, len(trials), max((t.rev for t in trials), default=0), self.app.theme)
        if drawn != self._history:
            self._history = drawn
            plot = self.query_one(CurvePlot)
            plot.set_series(history_of(trials, run_colours(self.arena.current_theme)))
            plot.set_reference(references(self.arena.mirror, study))

    def command(self, study: StudyView) -> str | None:
        """What to type to resume it, where that makes sense."""
        over = study.ending is not None and not study.n_by_state.get(State.INTERRUPTED, 0)
        if study.shipped or study.name in self.arena.mirror.alive or over:
            return None
        return f"autoresearch resume {study.name}{self.arena.store_option()}"

    def on_virtual_table_highlighted(self) -> None:
        self._draw_study()

    def on_virtual_table_chosen(self, chosen: VirtualTable.Chosen) -> None:
        self.arena.choose_study(chosen.key)
        # a study under way is watched, one that has ended is read
        self.arena.action_mode("live" if chosen.key in self.arena.mirror.alive else "trials")
