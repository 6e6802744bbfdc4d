"""Curves in the terminal, drawn from the state that `SteeredPlot` keeps."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.color import Color, ColorParseError
from textual.geometry import Region, Size
from textual.strip import Strip

from arena_tui.widgets.cell_canvas import Glyphs
from arena_tui.widgets.curve_keys import SteeredPlot
from arena_tui.widgets.curve_picture import Picture, draw
from arena_tui.widgets.curve_words import Place, header, legend, readout
from arena_tui.widgets.curves import Floats, Smoother
from arena_tui.widgets.series import Palette, View
from arena_tui.widgets.series import Series as Series
from arena_tui.widgets.table import fit_cell

# how much of a curve's colour its raw points and bands keep: visible, but behind
FAINT = 0.35


class CurvePlot(SteeredPlot):
    """Draws series of any length; the picture is built once per change and `render_line` only looks it up."""

    DEFAULT_CSS = """
    CurvePlot { background: $surface; }
    CurvePlot > .curve-plot--title { color: $text-muted; }
    CurvePlot:focus > .curve-plot--title { color: $text; text-style: bold; }
    CurvePlot > .curve-plot--axis { color: $text-muted; }
    CurvePlot > .curve-plot--reference { color: $warning; }
    CurvePlot > .curve-plot--crosshair { color: $accent; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "curve-plot--title",
        "curve-plot--axis",
        "curve-plot--reference",
        "curve-plot--crosshair",
    }

    def __init__(
        self,
        title: str = "",
        *,
        smoothing: float = 0.0,
        glyphs: Glyphs = "braille",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.set_reactive(CurvePlot.title, title)
        self.set_reactive(CurvePlot.smoothing, smoothing)
        self.set_reactive(CurvePlot.glyphs, glyphs)
        self._references: tuple[tuple[str, float], ...] = ()
        self._x_end: float | None = None
        self._smoother = Smoother()
        self._smoothed: list[Floats] = []
        self._rungs: tuple[float, ...] = ()
        self._places: list[Place] = []
        self._stale = True
        self._built_for = Size(0, 0)
        self._behind = Color(0, 0, 0)
        self._rows: list[Strip] = []

    def set_series(self, series: Sequence[Series], *, x_end: float | None = None) -> None:
        """Show these curves, the later ones on top; x_end, the budget, fixes the right end of the axis."""
        self._series, self._x_end = tuple(series), x_end
        self._smoother.forget_all_but({s.key for s in series})
        if self.legend_at is not None and self.legend_at >= len(self._series):
            self.legend_at = None
        self._changed()

    def set_reference(self, lines: Sequence[tuple[str, float]]) -> None:
        """Dashed horizontal lines, (label, y) each."""
        if tuple(lines) != self._references:
            self._references = tuple(lines)
            self._changed()

    def set_rungs(self, at: Sequence[float]) -> None:
        """Where runs are cut, as values of x."""
        if tuple(at) != self._rungs:
            self._rungs = tuple(at)
            self._changed()

    def _changed(self) -> None:
        self._stale = True
        self.refresh()

    # everything but the crosshair, which is laid over rows already built
    watch_title = watch_x_name = watch_empty_text = watch_glyphs = _changed
    watch_log_x = watch_hidden = watch_legend_at = _changed
    watch_log_y = watch_smoothing = watch_raw = watch_tail = watch_window = _changed

    def notify_style_update(self) -> None:
        """Textual calls this when the theme or the focus gives the widget other colours."""
        super().notify_style_update()
        self._stale = True

    @property
    def view(self) -> View:
        """The state of the keys, as the drawing takes it."""
        return View(
            log_y=self.log_y,
            log_x=self.log_x,
            smoothing=self.smoothing,
            raw=self.raw,
            tail=self.tail,
            window=self.window,
            x_end=self._x_end,
            glyphs=self.glyphs,
            rungs=self._rungs,
            letters_along=bool(self.app.no_color),
        )

    def legend_key(self, column: int) -> str | None:
        return next((place.key for place in self._places if place.start <= column < place.stop), None)

    def render_lines(self, crop: Region) -> list[Strip]:
        # a see-through plot takes its background from a parent, which tells nobody when it changes
        if (behind := self.background_colors[1]) != self._behind:
            self._behind, self._stale = behind, True
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        if self._stale or self._built_for != self.size:
            self._stale, self._built_for = False, self.size
            self._rows = self._build()
        if y >= len(self._rows):
            return Strip.blank(self.content_size.width, self.rich_style)
        strip, picture = self._rows[y], self._picture
        if self.inspect_x is None or picture is None:
            return strip
        if y == len(self._rows) - 1:
            return self._readout(self.inspect_x)
        return self._with_crosshair(strip, picture, self.inspect_x) if 1 <= y <= picture.rows else strip

    def _build(self) -> list[Strip]:
        """Every row of the widget: header, plot, x axis, legend."""
        (width, height), palette = self.content_size, self._palette()
        series = self.shown_series
        if self.smoothing > 0:
            self._smoothed = [self._smoother.smooth(s.key, s.y, self.smoothing) for s in series]
        else:
            self._smoothed = [s.y for s in series]
        size = (width, height - 2)
        self._picture = draw(series, self._smoothed, self._references, self.view, size, palette)
        n_hidden = len(self._series) - len(series)
        words = header(self.title, self.x_name, self.view, self._picture, width, n_hidden)
        top = self._words(Text(words, self.get_component_rich_style("curve-plot--title")))
        if self._picture is None:
            # a legend of nothing but hidden curves is the way to show them again
            below = [self._legend(width, palette)] if n_hidden and height > 2 else []
            return [top, *self._empty(width, max(0, height - 1 - len(below))), *below]
        return [top, *self._picture.strips, self._legend(width, palette)]

    def _legend(self, width: int, palette: Palette) -> Strip:
        words, self._places = legend(self._series, width, palette, self.hidden, self.legend_at)
        return self._words(words)

    def _words(self, text: Text) -> Strip:
        fitted = fit_cell(text, self.content_size.width)
        return Strip(list(Segment.apply_style(fitted.render(self.app.console), self.rich_style)))

    def _empty(self, width: int, rows: int) -> list[Strip]:
        strips = [Strip.blank(width, self.rich_style) for _ in range(rows)]
        if strips:
            text = Text(self._why_empty().center(width), self.get_component_rich_style("curve-plot--axis"))
            strips[(rows - 1) // 2] = self._words(text)
        return strips

    def _why_empty(self) -> str:
        if not any(len(s.x) for s in self._series):
            return self.empty_text
        if not self.shown_series:
            return "every curve is hidden: . shows the one marked in the legend"
        return "no room" if any(np.isfinite(s.y).any() for s in self._series) else "no finite value yet"

    def _palette(self) -> Palette:
        behind = self._behind = self.background_colors[1]
        base = self.rich_style

        def curve(colour: str, share: float = 1.0) -> Style:
            return base + Style(color=behind.blend(_colour(colour), share).rich_color)

        axis = self.get_component_rich_style("curve-plot--axis")
        reference = self.get_component_rich_style("curve-plot--reference")
        return Palette(base, axis, reference, curve, lambda colour: curve(colour, FAINT))

    def _readout(self, x: float) -> Strip:
        width = self.content_size.width
        return self._words(readout(self.shown_series, self._smoothed, x, self.x_name, width, self._palette()))

    def _with_crosshair(self, strip: Strip, picture: Picture, x: float) -> Strip:
        """The row with the cell under the crosshair as a bar, or lit up where a curve passes."""
        column = picture.column_of(x)
        if not picture.left <= column < picture.left + picture.columns:
            return strip
        style = self.get_component_rich_style("curve-plot--crosshair")
        cell = strip.crop(column, column + 1)
        if cell.text.isspace():
            cell = Strip([Segment("|" if self.glyphs == "ascii" else "│", style)], 1)
        else:
            cell = cell.apply_style(Style(reverse=True))
        return Strip.join([strip.crop(0, column), cell, strip.crop(column + 1)])


def _colour(name: str) -> Color:
    """Textual's names first, then Rich's (`bright_red`)."""
    try:
        return Color.parse(name)
    except ColorParseError:
        return Color.from_rich_color(RichColor.parse(name))
