"""A trial's page: its recipe, why it was proposed, what came out, what it used, its curve, its log, its replay."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll

from arena_tui.keys import BACK, DETAIL, GLOBAL, LISTS, PLOT, SCROLL, SECTION, bindings, picked
from arena_tui.kin import parent
from arena_tui.plotting import references
from arena_tui.ranking import WITHOUT_SCORE, baseline_trial
from arena_tui.screens.plotted import PlottedScreen, plot_bindings
from arena_tui.summary import headings
from arena_tui.trial_page import Page, trial_page
from arena_tui.widgets.curve_plot import CurvePlot
from arena_tui.widgets.lines import Lines
from studies.views import TrialView


class DetailScreen(PlottedScreen):
    """Pushed over any list; esc goes back to it."""

    DEFAULT_CSS = """
    DetailScreen #page { height: 1fr; }
    DetailScreen #words { height: 1fr; scrollbar-size-vertical: 1; }
    DetailScreen CurvePlot { height: 9; dock: bottom; }
    DetailScreen.-tall CurvePlot { height: 16; }
    DetailScreen.-wide CurvePlot { dock: right; width: 50%; height: 1fr; border-left: vkey $panel; }
    """
    KEYS = (
        BACK,
        SCROLL,
        SECTION,
        *picked(DETAIL, "copy"),
        *picked(PLOT, "metric", "axis"),
        *picked(GLOBAL, "help", "quit"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(
            DETAIL,
            picked(PLOT, "metric", "axis", "seeds"),
            picked(LISTS, "mark", "pin", "compare", "failure", "sideways"),
        ),
        *plot_bindings(),
    ]
    AUTO_FOCUS = "#words"

    def __init__(self, study: str, number: int) -> None:
        super().__init__()
        self._study = study
        self._number = number
        self._told: tuple[object, ...] = ()

    @property
    def trial(self) -> TrialView | None:
        return self.arena.mirror.trial(self._study, self._number)

    def compose_body(self) -> ComposeResult:
        with Vertical(id="page"):
            with VerticalScroll(id="words"):
                yield Lines(id="trial")
            yield CurvePlot("train_loss", smoothing=0.8)

    def path(self) -> tuple[str, ...]:
        return (self._study, f"trial {self._number}")

    def redraw(self) -> None:
        super().redraw()
        trial, mirror = self.trial, self.arena.mirror
        words = self.query_one("#trial", Lines)
        if trial is None:
            words.show(Text(f"study {self._study} has no trial {self._number} yet"))
            return
        # beside the plot it has half the screen; the first drawing comes before the layout, so no widget can be asked
        width = self.app.size.width // (2 if self.has_class("-wide") else 1) - 6
        self._tell(trial, words, width)
        plot, other = self.query_one(CurvePlot), self.arena.pinned() or baseline_trial(self.of_study())
        beside = [other] if other is not None and other.number != trial.number else []
        self.draw_trials([trial, *beside], trial.config.budget)
        plot.set_reference(references(mirror, mirror.studies.get(self._study)))
        plot.empty_text = "no run, no curve" if trial.run is None else "no point was recorded"

    def subject(self) -> tuple[str | None, int | None]:
        return self._study, self._number

    def _tell(self, trial: TrialView, words: Lines, width: int) -> None:
        """The page, made again only when something it rests on has changed: kin are looked for among thousands."""
        mirror, pinned = self.arena.mirror, self.arena.pinned()
        study = mirror.studies.get(self._study)
        known = (tuple(study.n_by_state.items()) if study else (), len(mirror.verdicts.get(self._study, ())))
        weighed = trial.run is not None and trial.run.id in mirror.sizes
        told = (trial.number, trial.rev, mirror.baselines.delta(trial), known, width, pinned and pinned.number, weighed)
        if told != self._told:
            self._told = told
            words.show(trial_page(self.page(trial), width))

    def of_study(self) -> list[TrialView]:
        """All trials of its study."""
        return self.arena.mirror.trials_of(self._study)

    def page(self, trial: TrialView) -> Page:
        mirror, trials = self.arena.mirror, self.of_study()
        pinned = self.arena.pinned()
        return Page(
            trial=trial,
            delta=mirror.baselines.delta(trial),
            trials=trials,
            scores=mirror.scores_of(trial),
            reference=pinned if pinned and pinned.study == trial.study else parent(trial, trials),
            verdicts=mirror.verdicts.get(self._study, []),
            replay=self.replay(),
            sizes=mirror.sizes,
        )

    def replay(self) -> str | None:
        """The command that runs it again."""
        trial = self.trial
        return f"autoresearch replay {trial.run.id}{self.arena.store_option()}" if trial and trial.run else None

    def action_copy(self) -> None:
        if (command := self.replay()) is not None:
            self.app.copy_to_clipboard(command)
            self.notify(f"copied: {command}", markup=False, timeout=3)

    def action_scroll(self, step: int) -> None:
        self.query_one("#words").scroll_relative(y=step, animate=False)

    def action_page(self, pages: int) -> None:
        words = self.query_one("#words")
        words.scroll_relative(y=pages * max(1, words.size.height - 1), animate=False)

    def action_edge(self, end: int) -> None:
        words = self.query_one("#words")
        words.scroll_to(y=words.max_scroll_y if end > 0 else 0, animate=False)

    def action_sideways(self, step: int) -> None:
        """The next heading to the top of the page, or the one before."""
        words, lines = self.query_one("#words"), self.query_one("#trial", Lines)
        titles = headings(lines.shown)
        tops = [0, *(y for y in range(lines.size.height) if lines.render_line(y).text.strip() in titles)]
        ahead = [y for y in tops if y > words.scroll_y] if step > 0 else [y for y in tops[::-1] if y < words.scroll_y]
        if ahead:
            words.scroll_to(y=ahead[0], animate=False)

    # what lists do with the row under the cursor, done with this trial

    def action_mark(self) -> None:
        self.arena.marks.toggle(self._study, self._number)
        said = "marked" if self.arena.marks.holds(self._study, self._number) else "unmarked"
        self.notify(f"#{self._number} {said}: v compares the marked", timeout=2)

    def action_pin(self) -> None:
        self.arena.pin(self._number)

    def action_compare(self) -> None:
        self.arena.action_mode("compare")

    def action_failure(self, step: int) -> None:
        """To the nearest trial without a score before or after this one."""
        failed = [t.number for t in self.of_study() if t.state in WITHOUT_SCORE]
        ahead = [n for n in failed if n > self._number] if step > 0 else [n for n in failed if n < self._number][::-1]
        if ahead:
            self._number = ahead[0]
            self.query_one("#words").scroll_home(animate=False)
            self.redraw()
