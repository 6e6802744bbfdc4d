"""A trial's page: its recipe, why it was proposed, what came out, what it used, its curve, its log, its replay."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll

from arena_tui import formatting
from arena_tui.keys import BACK, DETAIL, GLOBAL, PLOT, SCROLL, bindings, picked
from arena_tui.plotting import references, series_of
from arena_tui.ranking import ended_because
from arena_tui.rows import STATE_STYLES, why
from arena_tui.screens.plotted import PlottedScreen, plot_bindings
from arena_tui.summary import RECIPE_HEADING, heading, labelled, measures, proposal_lines, recipe_lines
from arena_tui.widgets.curve_plot import CurvePlot
from arena_tui.widgets.lines import Lines
from bench.records import State
from studies.views import RunView, TrialView


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
        *picked(DETAIL, "copy"),
        *picked(PLOT, "metric"),
        *picked(GLOBAL, "help", "quit"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(DETAIL, picked(PLOT, "metric")), *plot_bindings()]
    AUTO_FOCUS = "#words"

    def __init__(self, study: str, number: int) -> None:
        super().__init__()
        self._study = study
        self._number = number

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
        self.arena.want([trial])
        # beside the plot it has half the screen; the first drawing comes before the layout, so no widget can be asked
        width = self.app.size.width // (2 if self.has_class("-wide") else 1) - 6
        words.show(trial_page(trial, mirror.baselines.delta(trial), self.replay(), width))
        badges = self.arena.badges.hold([f"{trial.study}/{trial.number}"])
        plot = self.query_one(CurvePlot)
        series = series_of([trial], mirror, badges, self.arena.current_theme.dark, self.metric)
        self.draw_series(plot, series, trial.config.budget.steps)
        plot.set_reference(references(mirror, mirror.studies.get(self._study)))
        plot.empty_text = "no run, no curve" if trial.run is None else "no point was recorded"

    def subject(self) -> tuple[str | None, int | None]:
        return self._study, self._number

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


def trial_page(trial: TrialView, delta: float | None, replay: str | None, width: int) -> Text:
    """Everything that is known of a trial, the outcome first."""
    text = Text()
    text.append(f"{ended_because(trial).replace('_', ' ').upper()}", f"bold {STATE_STYLES[trial.state]}".strip())
    run = trial.run
    if trial.state is State.FAILED and run is not None:
        text.append(f" at step {run.step} of {trial.config.budget.steps}", "bold")
    text.append("\n")
    if said := why(trial):
        text.append(f"{said}\n", STATE_STYLES[trial.state])
    text.append_text(measures(trial, delta))
    text.append_text(Text.assemble("\n\n", heading(RECIPE_HEADING), recipe_lines(trial, width)))
    text.append_text(Text.assemble("\n", heading("why it was proposed"), proposal_lines(trial, width)))
    if run is not None:
        if trial.message and run.message:
            text.append_text(Text.assemble("\n", heading("advice"), f" {formatting.one_line(trial.message)}\n"))
        text.append_text(Text.assemble("\n", heading("what it used"), cost_lines(run, width)))
        if run.log_tail:
            text.append_text(
                Text.assemble("\n", heading("the end of its log"), formatting.printable(run.log_tail), "\n")
            )
    if replay is not None:
        text.append_text(Text.assemble("\n", heading("run it again (c copies)"), f" {replay}\n"))
    return text


def cost_lines(run: RunView, width: int) -> Text:
    identity = run.identity
    lines = (
        ("training", formatting.duration(run.train_seconds)),
        ("probes", formatting.duration(run.probe_seconds)),
        ("evaluation", formatting.duration(run.eval_seconds)),
        ("tokens", formatting.amount(run.train_tokens)),
        ("FLOPs", formatting.amount(run.train_flops)),
        ("parameters", formatting.ABSENT if run.parameters is None else f"{run.parameters:,}"),
        ("weights", formatting.ABSENT if run.weights_bytes is None else f"{run.weights_bytes:,} bytes"),
        ("quant_gap", formatting.delta(run.quant_gap).strip()),
        ("peak memory", formatting.size(run.peak_bytes)),
        ("run", f"{run.id}, seed {run.seed}, {identity.device_class}, {run.threads} threads"),
        ("board", formatting.identity(identity, run.corpus_name)),
        ("versions", " ".join(f"{name} {version}" for name, version in sorted(run.versions.items()))),
    )
    return labelled([(name, value) for name, value in lines if value and value != formatting.ABSENT], width)
