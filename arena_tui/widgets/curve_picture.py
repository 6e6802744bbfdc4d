"""From curves and a view of them to strips of cells; knows no widget and no app."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from rich.segment import Segment
from textual.strip import Strip

from arena_tui.widgets.cell_canvas import CellCanvas
from arena_tui.widgets.curves import HEAD, Clipped, Floats, Range, clipped, fit
from arena_tui.widgets.plot_area import PlotArea, with_y_axis
from arena_tui.widgets.plot_axes import x_axis, y_ticks
from arena_tui.widgets.plot_window import from_units, to_units, units
from arena_tui.widgets.series import Curve, Palette, Series, View


@dataclass(frozen=True)
class Picture:
    """What was drawn and where: enough to say it in the header and to put a crosshair on it."""

    strips: list[Strip]
    left: int = 0
    columns: int = 0
    rows: int = 0
    x: Range = field(default_factory=lambda: Range(0.0, 1.0))
    n_dropped: int = 0
    refused_log: bool = False
    clipped: Clipped = field(default_factory=Clipped)
    references_outside: tuple[str, ...] = ()
    log_x: bool = False

    def x_at(self, column: int) -> float:
        """The value of x in the middle of a column of the widget."""
        at = self.x.low + (column - self.left) / max(1, self.columns - 1) * self.x.span
        return from_units(at, self.log_x)

    def column_of(self, x: float) -> int:
        """The column of a value of x; one outside the plot for what the axis can't show."""
        at = to_units(x, self.log_x)
        if not math.isfinite(at):
            return -1
        return self.left + round((at - self.x.low) / self.x.span * (self.columns - 1))


def draw(
    series: Sequence[Series],
    smoothed: Sequence[Floats],
    references: Sequence[tuple[str, float]],
    view: View,
    size: tuple[int, int],
    palette: Palette,
) -> Picture | None:
    """The plot with its axes in `size` = (columns, rows) cells; `smoothed` are the averages, before any decimation.

    None when there is no finite value to draw or no room to draw it in.
    """
    n_dropped = sum(int((s.y <= 0).sum()) for s in series) if view.log_y else 0
    refused = view.log_y and not any((s.y > 0).any() for s in series)
    log_y = view.log_y and not refused
    values = x_range(series, view)
    if values is None:
        return None
    x = units(values, view.log_x)
    curves = [_curve(s, smooth, view, log_y) for s, smooth in zip(series, smoothed, strict=True)]
    shown_references = [(label, to_units(at, log_y)) for label, at in references if math.isfinite(to_units(at, log_y))]
    y = _y_range(curves, [at for _, at in shown_references], x, view)
    columns, rows = size
    rows -= 2 if rows >= 6 else 1
    if y is None or rows < 2:
        return None
    marks = y_ticks(y, rows, log_y)
    left = max((len(tick.label) for tick in marks), default=0) + 1
    gutter = 2 if columns >= 40 else 1
    width = columns - left - gutter
    if width < 4:
        return None
    plot = PlotArea(CellCanvas(width + gutter, rows, view.glyphs, palette.base), width, x, y)
    plot.rungs([to_units(at, view.log_x) for at in view.rungs], palette)
    outside = plot.references(shown_references, palette)
    for curve in curves:
        plot.band(curve, palette)
    for curve in curves:
        plot.raw(curve, palette)
    for curve in curves:
        plot.line(curve, palette)
    plot.letters(curves, palette, view)
    strips = with_y_axis(plot.canvas.strips(), plot, marks, left, palette)
    lines = x_axis(x, width, left, view.glyphs, view.log_x)[-(size[1] - rows) :]
    strips += [Strip([Segment(line.ljust(columns)[:columns], palette.axis)], columns) for line in lines]
    counted = [_in_window(c.series.x, c.line if c.raw is None else c.raw, x) for c in curves]
    lost = _in_values(clipped(counted, y), log_y)
    return Picture(strips, left, width, rows, x, n_dropped, refused, lost, outside, view.log_x)


def _in_values(counts: Clipped, log_y: bool) -> Clipped:
    if not log_y:
        return counts
    return Clipped(counts.above, 10.0**counts.highest, counts.below, 10.0**counts.lowest)


def _curve(series: Series, smooth: Floats, view: View, log_y: bool) -> Curve:
    """The series in the units drawn; what a logarithmic axis has no place for is left out."""
    raw = np.where(np.isfinite(series.y), series.y, np.nan)
    lines = [smooth if view.smoothing > 0 else raw, raw, *(series.band or ())]
    if log_y:
        lines = [np.log10(values, where=values > 0, out=np.full(len(values), np.nan)) for values in lines]
    if view.log_x:
        placed = series.x > 0
        lines = [values[placed] for values in lines]
        ended = series.ended_badly_at
        ended = to_units(ended, True) if ended is not None else None
        x, y = np.log10(series.x[placed]), series.y[placed]
        series = replace(series, x=x, y=y, band=None, ended_badly_at=ended)
    line, raw, *rest = lines
    band = (rest[0], rest[1]) if rest else None
    return Curve(series, line, raw if view.raw and view.smoothing > 0 and band is None else None, band)


def x_range(series: Sequence[Series], view: View) -> Range | None:
    """The window, or from the start of the curves to the budget, as values of x; None without any point."""
    if view.window is not None:
        return Range(*view.window)
    placed = [s.x[s.x > 0] if view.log_x else s.x for s in series]
    ends = [(float(x[0]), float(x[-1])) for x in placed if len(x)]
    if not ends:
        return None
    low, high = min(a for a, _ in ends), max(b for _, b in ends)
    high = max(high, view.x_end) if view.x_end is not None else high
    if view.log_x:
        return Range(low, high) if high > low else Range(low, low * 10)
    # step 1 of 500 belongs on an axis that starts at 0
    low = 0.0 if 0 <= low <= 0.1 * high else low
    if high > low:
        return Range(low, high)
    # a single point stands at the end of what led to it
    return Range(0.0, high) if high > 0 else Range(low, low + 1.0)


def _in_window(x: Floats, values: Floats, window: Range) -> Floats:
    return values[np.searchsorted(x, window.low) : np.searchsorted(x, window.high, side="right")]


def _y_range(curves: Sequence[Curve], references: Sequence[float], x: Range, view: View) -> Range | None:
    """Fits what is drawn inside the window; a reference line counts when it no more than doubles the span."""
    end = from_units(max((float(c.series.x[-1]) for c in curves if len(c.series.x)), default=x.high), view.log_x)
    head = to_units(HEAD * min(end, view.x_end) if view.x_end is not None else HEAD * end, view.log_x)
    layers = [(c.series.x, values) for c in curves for values in (c.line, c.raw, *(c.band or ())) if values is not None]
    everything = Range(-math.inf, math.inf)
    for window in [Range(max(x.low, head), x.high), x, everything] if view.tail else [x, everything]:
        y = fit([_in_window(at, values, window) for at, values in layers], robust=view.tail)
        if y is not None:
            return _widened(y, [at for at in references if y.low - y.span <= at <= y.high + y.span])
    return None


def _widened(y: Range, values: Sequence[float]) -> Range:
    air = 0.02 * y.span
    return Range(min([y.low, *(v - air for v in values)]), max([y.high, *(v + air for v in values)]))
