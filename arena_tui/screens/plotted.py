"""What screens with a plot share: the plot obeys its keys without having the focus."""

from collections.abc import Sequence

from textual.binding import Binding

from arena_tui.screens.base import ArenaScreen
from arena_tui.widgets.curve_plot import CurvePlot, Series

METRICS = ("train_loss", "probe_loss")


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
    _drawn: tuple[object, ...] = ()

    def draw_series(self, plot: CurvePlot, series: Sequence[Series], x_end: int | None) -> None:
        """Give the plot what changed; the same points again would draw the same picture again."""
        drawn = (x_end, *((s.key, s.letter, s.colour, id(s.y), s.ended_badly_at) for s in series))
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

    async def action_plot(self, action: str) -> None:
        await self.query_one(CurvePlot).run_action(action)

    def action_metric(self) -> None:
        self.metric = METRICS[(METRICS.index(self.metric) + 1) % len(METRICS)]
        self.query_one(CurvePlot).title = self.metric
        self.redraw()
