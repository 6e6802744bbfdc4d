"""From curves and a view of them to strips of cells; knows no widget and no app."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from arena_tui.widgets.cell_canvas import CellCanvas, Glyphs
from arena_tui.widgets.curves import HEAD, Clipped, Floats, Range, clipped, column_spans, fit
from arena_tui.widgets.plot_axes import Tick, x_axis, y_ticks

# levels of the canvas: a curve wipes raw points from its cells, raw points wipe dashes
RAW_LEVEL, CURVE_LEVEL = 2, 3
# a letter that finds its cell taken tries the next columns, then the rows around
LETTER_PLACES = [(row, column) for row in (0, 1, -1, 2, -2, 3, -3) for column in (1, 2, 0)]


@dataclass(frozen=True, eq=False)
class Series:
    """One curve. x is sorted (steps), y may hold NaN; a curve that ended badly has an x drawn at that step."""

    key: str
    letter: str
    colour: str
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    ended_badly_at: float | None = None

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise ValueError(f"{self.key} has {len(self.x)} x and {len(self.y)} y")


@dataclass(frozen=True)
class View:
    """How to look at the curves. window and x_end are in units of x."""

    log_y: bool = False
    smoothing: float = 0.0
    raw: bool = True
    tail: bool = True
    window: tuple[float, float] | None = None
    x_end: float | None = None
    glyphs: Glyphs = "braille"


@dataclass(frozen=True)
class Palette:
    """Styles of what is not a curve, and the two ways to colour one."""

    base: Style
    axis: Style
    reference: Style
    curve: Callable[[str], Style]
    faint: Callable[[str], Style]


class Curve(NamedTuple):
    """A series in the units drawn: the line, and the raw points when they are drawn behind it."""

    series: Series
    line: Floats
    raw: Floats | None


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

    def x_at(self, column: int) -> float:
        """x in the middle of a column of the widget."""
        return self.x.low + (column - self.left) / max(1, self.columns - 1) * self.x.span

    def column_of(self, x: float) -> int:
        return self.left + round((x - self.x.low) / self.x.span * (self.columns - 1))


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
    curves = [_curve(s, smooth, view, log_y) for s, smooth in zip(series, smoothed, strict=True)]
    x = x_range(series, view)
    if x is None:
        return None
    shown_references = [(label, _units(at, log_y)) for label, at in references if math.isfinite(_units(at, log_y))]
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
    plot = _Plot(CellCanvas(width + gutter, rows, view.glyphs, palette.base), width, x, y)
    outside = plot.references(shown_references, palette)
    for curve in curves:
        plot.raw(curve, palette)
    for curve in curves:
        plot.line(curve, palette)
    plot.letters(curves, palette)
    strips = _with_y_axis(plot.canvas.strips(), plot, marks, left, palette)
    lines = x_axis(x, width, left, view.glyphs)[-(size[1] - rows) :]
    strips += [Strip([Segment(line.ljust(columns)[:columns], palette.axis)], columns) for line in lines]
    counted = [_in_window(c.series.x, c.line if c.raw is None else c.raw, x) for c in curves]
    return Picture(strips, left, width, rows, x, n_dropped, refused, _in_values(clipped(counted, y), log_y), outside)


def _units(value: float, log_y: bool) -> float:
    return value if not log_y else math.log10(value) if value > 0 else math.nan


def _in_values(counts: Clipped, log_y: bool) -> Clipped:
    if not log_y:
        return counts
    return Clipped(counts.above, 10.0**counts.highest, counts.below, 10.0**counts.lowest)


def _curve(series: Series, smooth: Floats, view: View, log_y: bool) -> Curve:
    raw = np.where(np.isfinite(series.y), series.y, np.nan)
    line = smooth if view.smoothing > 0 else raw
    if log_y:
        raw, line = (np.log10(values, where=values > 0, out=np.full(len(values), np.nan)) for values in (raw, line))
    return Curve(series, line, raw if view.raw and view.smoothing > 0 else None)


def x_range(series: Sequence[Series], view: View) -> Range | None:
    """The window, or from the start of the curves to the budget; None without any point."""
    if view.window is not None:
        return Range(*view.window)
    ends = [(float(s.x[0]), float(s.x[-1])) for s in series if len(s.x)]
    if not ends:
        return None
    low, high = min(a for a, _ in ends), max(b for _, b in ends)
    high = max(high, view.x_end) if view.x_end is not None else high
    # step 1 of 500 belongs on an axis that starts at 0
    low = 0.0 if 0 <= low <= 0.1 * high else low
    return Range(low, high) if high > low else Range(low, low + 1.0)


def _in_window(x: Floats, values: Floats, window: Range) -> Floats:
    return values[np.searchsorted(x, window.low) : np.searchsorted(x, window.high, side="right")]


def _y_range(curves: Sequence[Curve], references: Sequence[float], x: Range, view: View) -> Range | None:
    """Fits what is drawn inside the window; a reference line counts when it no more than doubles the span."""
    end = max((float(c.series.x[-1]) for c in curves if len(c.series.x)), default=x.high)
    head = HEAD * min(end, view.x_end) if view.x_end is not None else HEAD * end
    layers = [(c.series.x, values) for c in curves for values in (c.line, c.raw) if values is not None]
    everything = Range(-math.inf, math.inf)
    for window in [Range(max(x.low, head), x.high), x, everything] if view.tail else [x, everything]:
        y = fit([_in_window(at, values, window) for at, values in layers], robust=view.tail)
        if y is not None:
            return _widened(y, [at for at in references if y.low - y.span <= at <= y.high + y.span])
    return None


def _widened(y: Range, values: Sequence[float]) -> Range:
    air = 0.02 * y.span
    return Range(min([y.low, *(v - air for v in values)]), max([y.high, *(v + air for v in values)]))


class _Plot:
    """The area inside the axes: places curves, dashes and letters on a canvas."""

    def __init__(self, canvas: CellCanvas, columns: int, x: Range, y: Range) -> None:
        self.canvas, self.columns, self.x, self.y = canvas, columns, x, y
        self.n_dots = columns * canvas.dots_across
        self.dots_down = canvas.rows * canvas.dots_down

    def dot_row(self, y: Floats | float) -> Floats:
        return np.asarray((self.y.high - y) / self.y.span * (self.dots_down - 1))

    def cell_row(self, y: float) -> int:
        """The row of cells, kept inside the plot: for letters, which say where an end would be."""
        return int(np.clip(np.rint(self.dot_row(y)), 0, self.dots_down - 1)) // self.canvas.dots_down

    def cell_column(self, x: float) -> int:
        return round((x - self.x.low) / self.x.span * (self.columns - 1))

    def raw(self, curve: Curve, palette: Palette) -> None:
        if curve.raw is not None:
            self._draw(curve.series, curve.raw, palette.faint(curve.series.colour), ".", RAW_LEVEL)

    def line(self, curve: Curve, palette: Palette) -> None:
        self._draw(curve.series, curve.line, palette.curve(curve.series.colour), curve.series.letter, CURVE_LEVEL)

    def _draw(self, series: Series, values: Floats, style: Style, letter: str, level: int) -> None:
        # one point more on each side, so the line runs on to the edge of the window
        first = max(0, int(np.searchsorted(series.x, self.x.low)) - 1)
        stop = int(np.searchsorted(series.x, self.x.high, side="right")) + 1
        at = (series.x[first:stop] - self.x.low) / self.x.span * (self.n_dots - 1)
        low, high = column_spans(np.rint(at).astype(np.int64), values[first:stop], self.n_dots)
        self.canvas.draw(self.dot_row(high), self.dot_row(low), style, letter, level)

    def references(self, references: Sequence[tuple[str, float]], palette: Palette) -> tuple[str, ...]:
        """Draw the lines inside the range; says which lie outside, and on which side."""
        outside = []
        for label, at in references:
            if not self.y.low <= at <= self.y.high:
                outside.append(f"{'^' if at > self.y.high else 'v'}{label}")
                continue
            self.canvas.dashes(float(self.dot_row(at)), self.n_dots, palette.reference)
            self.canvas.write(self.cell_row(at), 1, label[: self.columns - 1], palette.reference)
        return tuple(outside)

    def letters(self, curves: Sequence[Curve], palette: Palette) -> None:
        """The letter of each curve beside its last point in the window, an x where it broke off."""
        taken: set[tuple[int, int]] = set()
        for series, line, _ in curves:
            last = np.flatnonzero(np.isfinite(line) & (series.x >= self.x.low) & (series.x <= self.x.high))
            bad = series.ended_badly_at
            if not len(last) and (bad is None or not self.x.low <= bad <= self.x.high):
                continue
            style = palette.curve(series.colour) + Style(bold=True)
            row = self.cell_row(float(line[last[-1]])) if len(last) else 0
            column = self.cell_column(float(series.x[last[-1]]) if len(last) else float(bad or 0.0))
            if bad is not None and self.x.low <= bad <= self.x.high:
                column = self.cell_column(bad)
                self.canvas.write(row, column, "x", style)
                taken.add((row, column))
            places = [(row + down, column + along) for down, along in LETTER_PLACES]
            free = [p for p in places if self._holds(*p) and p not in taken]
            if free:
                taken.add(free[0])
                self.canvas.write(*free[0], series.letter, style)

    def _holds(self, row: int, column: int) -> bool:
        return 0 <= row < self.canvas.rows and 0 <= column < self.canvas.columns


def _with_y_axis(body: list[Strip], plot: _Plot, marks: Sequence[Tick], left: int, palette: Palette) -> list[Strip]:
    upright, notch = ("│", "┤") if plot.canvas.glyphs == "braille" else ("|", "+")
    labels = {plot.cell_row(tick.at): tick.label for tick in marks}
    width = left + plot.canvas.columns
    rows = [labels.get(row, "").rjust(left - 1) + (notch if row in labels else upright) for row in range(len(body))]
    return [Strip([Segment(words, palette.axis), *strip], width) for words, strip in zip(rows, body, strict=True)]
