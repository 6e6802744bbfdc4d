"""What screens with a plot share: the plot obeys its keys without having the focus."""

from collections.abc import Sequence

from textual.binding import Binding

from arena_tui.memory import Remembered
from arena_tui.plotting import AXES, METRICS, axis_end, rungs_of, series_of, with_seeds
from arena_tui.screens.base import ArenaScreen
from arena_tui.themes import run_colours
from arena_tui.widgets.curve_plot import CurvePlot, Series
from bench.config import Budget
from studies.views import TrialView


def plot_bindings() -> list[Binding]:
    """The plot's own keys, from its own table; arrows and escape stay with it."""
    own = [binding for binding in CurvePlot.BINDINGS if isinstance(binding, Binding)]
    return [
        Binding(binding.key, f'plot("{binding.action}")', binding.tooltip, show=False)
        for binding in own
        if binding.action.split("(")[0] not in ("crosshair", "leave")
    ]


class PlottedScreen(ArenaScreen):
    """A screen with one plot that obeys without having the focus."""

    metric = METRICS[0]
    axis = AXES[0]
    band = True
    _drawn: tuple[object, ...] = ()
    _kept: Sequence[Series] = ()

    def draw_trials(self, shown: Sequence[TrialView], budget: Budget | None) -> None:
        """The curves of these trials, each under its badge; asks for the curves that have not been read."""
        arena, plot = self.arena, self.query_one(CurvePlot)
        arena.want(with_seeds(shown, arena.mirror) if self.band else shown)
        badges = arena.badges.hold(f"{trial.study}/{trial.number}" for trial in shown)
        colours = run_colours(arena.current_theme)
        series = series_of(shown, arena.mirror, badges, colours, self.metric, self.axis, self.band, arena.pinned())
        plot.set_rungs(rungs_of(arena.trials(), self.axis))
        self._draw_series(plot, series, axis_end(budget, self.axis) if budget else None)

    def _draw_series(self, plot: CurvePlot, series: Sequence[Series], x_end: float | None) -> None:
        """Give the plot what changed; the same points again would draw the same picture again."""
        drawn = (x_end, self.axis, *((s.key, s.letter, s.colour, id(s.y), s.ended_badly_at) for s in series))
        if drawn != self._drawn:
            # the arrays are kept with the key, so that an id can't be given out again
            self._drawn, self._kept = drawn, list(series)
            plot.set_series(series, x_end=x_end)

    def on_mount(self) -> None:
        self.watch(self.query_one(CurvePlot), "inspect_x", self._inspected, init=False)

    def _inspected(self, x: float | None) -> None:
        """While there is a crosshair the arrows move it; after it they go back to the list or the page."""
        target = self.query_one(CurvePlot) if x is not None else self.query(self.AUTO_FOCUS).first()
        self.set_focus(target)

    def state(self) -> Remembered:
        return {**super().state(), "metric": self.metric, "axis": self.axis, "band": self.band}

    def recall(self, state: Remembered) -> None:
        super().recall(state)
        self.metric = str(state["metric"]) if state.get("metric") in METRICS else self.metric
        self.axis = str(state["axis"]) if state.get("axis") in AXES else self.axis
        self.band = bool(state.get("band", self.band))
        plot = self.query_one(CurvePlot)
        plot.title, plot.x_name = self.metric, self.axis

    def table_shown(self) -> list[list[str]]:
        """The curves switched on, a point a row, unsmoothed; of a band its mean, lowest and highest."""
        rows = [["run", self.axis, self.metric, "lowest", "highest"]]
        for one in self.query_one(CurvePlot).shown_series:
            edges = one.band or (one.y, one.y)
            points = zip(one.x.tolist(), one.y.tolist(), edges[0].tolist(), edges[1].tolist(), strict=True)
            rows += [[one.key, *(f"{value:.9g}" for value in point)] for point in points]
        return rows

    def out(self) -> bool:
        plot = self.query_one(CurvePlot)
        if plot.legend_at is not None:
            plot.legend_at = None
            return True
        return super().out()

    async def action_plot(self, action: str) -> None:
        await self.query_one(CurvePlot).run_action(action)

    def action_metric(self) -> None:
        self.metric = METRICS[(METRICS.index(self.metric) + 1) % len(METRICS)]
        self.query_one(CurvePlot).title = self.metric
        self.redraw()

    def action_axis(self) -> None:
        self.show_axis(AXES[(AXES.index(self.axis) + 1) % len(AXES)])

    def show_axis(self, axis: str) -> None:
        """Draw over `step`, `bytes` or `seconds`; window and crosshair belonged to the axis before."""
        self.axis, plot = axis, self.query_one(CurvePlot)
        plot.x_name, plot.window, plot.inspect_x = axis, None, None
        self.redraw()

    def action_seeds(self) -> None:
        self.band = not self.band
        self.redraw()
