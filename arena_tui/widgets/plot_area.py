"""The area inside a plot's axes: curves, bands, dashes, rungs and letters, placed on a canvas."""

from collections.abc import Sequence

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from arena_tui.widgets.cell_canvas import CellCanvas
from arena_tui.widgets.curves import Floats, Range, column_spans, nearest
from arena_tui.widgets.plot_axes import Tick
from arena_tui.widgets.series import Curve, Palette, Series, View

# levels of the canvas: a curve wipes raw points from its cells, raw points and bands wipe dashes
RAW_LEVEL, CURVE_LEVEL = 2, 3
# a letter that finds its cell taken tries the next columns, then the rows around
LETTER_EVERY = 16  # cells between the letters along a curve, where colours can't tell curves apart
LETTER_PLACES = [(row, column) for row in (0, 1, -1, 2, -2, 3, -3) for column in (1, 2, 0)]


class PlotArea:
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

    def rungs(self, at: Sequence[float], palette: Palette) -> None:
        """A broken upright line where runs are cut, named once."""
        inside = sorted({self.cell_column(x) for x in at if self.x.low <= x <= self.x.high})
        for column in inside:
            for row in range(0, self.canvas.rows, 2):
                self.canvas.write(row, column, ":", palette.axis)
        if inside:
            self.canvas.write(0, min(inside[0] + 1, max(0, self.columns - 4)), "rung", palette.axis)

    def band(self, curve: Curve, palette: Palette) -> None:
        """The area between the lowest and the highest seed."""
        if curve.band is not None:
            spans = [self._spans(curve.series, edge) for edge in curve.band]
            style = palette.faint(curve.series.colour)
            self.canvas.draw(self.dot_row(spans[1][1]), self.dot_row(spans[0][0]), style, ".", RAW_LEVEL)

    def raw(self, curve: Curve, palette: Palette) -> None:
        if curve.raw is not None:
            self._draw(curve.series, curve.raw, palette.faint(curve.series.colour), ".", RAW_LEVEL)

    def line(self, curve: Curve, palette: Palette) -> None:
        self._draw(curve.series, curve.line, palette.curve(curve.series.colour), curve.series.letter, CURVE_LEVEL)

    def _draw(self, series: Series, values: Floats, style: Style, letter: str, level: int) -> None:
        low, high = self._spans(series, values)
        self.canvas.draw(self.dot_row(high), self.dot_row(low), style, letter, level)

    def _spans(self, series: Series, values: Floats) -> tuple[Floats, Floats]:
        # one point more on each side, so the line runs on to the edge of the window
        first = max(0, int(np.searchsorted(series.x, self.x.low)) - 1)
        stop = int(np.searchsorted(series.x, self.x.high, side="right")) + 1
        at = (series.x[first:stop] - self.x.low) / self.x.span * (self.n_dots - 1)
        return column_spans(np.rint(at).astype(np.int64), values[first:stop], self.n_dots)

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

    def letters(self, curves: Sequence[Curve], palette: Palette, view: View) -> None:
        """The letter of each curve beside its last point in the window, an x where it broke off."""
        taken: set[tuple[int, int]] = set()
        for nth, (series, line, *_) in enumerate(curves):
            if view.letters_along:
                self._along(nth, series, line, palette)
            last = np.flatnonzero(np.isfinite(line) & (series.x >= self.x.low) & (series.x <= self.x.high))
            bad = series.broke_at
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

    def _along(self, nth: int, series: Series, line: Floats, palette: Palette) -> None:
        """The curve's letter every so often on its own line, each curve's elsewhere."""
        style = palette.curve(series.colour) + Style(bold=True)
        for column in range(3 + 5 * nth % LETTER_EVERY, self.columns, LETTER_EVERY):
            at = self.x.low + column / max(1, self.columns - 1) * self.x.span
            if len(series.x) and series.x[0] <= at <= series.x[-1]:
                value = float(line[nearest(series.x, at)])
                if self.y.low <= value <= self.y.high:
                    self.canvas.write(self.cell_row(value), column, series.letter, style)

    def _holds(self, row: int, column: int) -> bool:
        return 0 <= row < self.canvas.rows and 0 <= column < self.canvas.columns


def with_y_axis(body: list[Strip], plot: PlotArea, marks: Sequence[Tick], left: int, palette: Palette) -> list[Strip]:
    upright, notch = ("│", "┤") if plot.canvas.glyphs == "braille" else ("|", "+")
    labels = {plot.cell_row(tick.at): tick.label for tick in marks}
    width = left + plot.canvas.columns
    rows = [labels.get(row, "").rjust(left - 1) + (notch if row in labels else upright) for row in range(len(body))]
    return [Strip([Segment(words, palette.axis), *strip], width) for words, strip in zip(rows, body, strict=True)]
