"""Curves in the terminal: smoothing, log axis, tail fit, zoom and a crosshair, each on one key."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.color import Color, ColorParseError
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from arena_tui.widgets.cell_canvas import Glyphs
from arena_tui.widgets.curve_picture import Palette, Picture, View, draw, x_range
from arena_tui.widgets.curve_picture import Series as Series
from arena_tui.widgets.curve_words import header, legend, readout
from arena_tui.widgets.curves import Floats, Smoother, nearest
from arena_tui.widgets.table import fit_cell

# the weights of the average that { and } step through; 0 draws the points themselves
SMOOTHINGS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98)
# how much of a curve's colour its raw points keep: visible, but behind
FAINT = 0.35
ZOOM = 0.5
# below this share of the whole axis there is nothing more to see
NARROWEST = 1e-4


class CurvePlot(Widget, can_focus=True):
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
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "log_y", "Log y", id="plot.log_y", tooltip="y axis linear or logarithmic"),
        Binding("left_curly_bracket", "smooth(-1)", "Smooth -", id="plot.smooth_less", tooltip="Smooth less"),
        Binding("right_curly_bracket", "smooth(1)", "Smooth +", id="plot.smooth_more", tooltip="Smooth more"),
        Binding("r", "raw", "Raw", id="plot.raw", tooltip="Show the raw points behind the smoothed curve"),
        Binding("f", "fit", "Fit", id="plot.fit", tooltip="y range from the tail or from the whole curve"),
        Binding("i", "inspect", "Inspect", id="plot.inspect", tooltip="Crosshair with each curve's value"),
        Binding("left", "crosshair(-1)", "Left", id="plot.left", show=False, tooltip="Crosshair to the left"),
        Binding("right", "crosshair(1)", "Right", id="plot.right", show=False, tooltip="Crosshair to the right"),
        Binding("escape", "leave", "Leave", id="plot.leave", show=False, tooltip="Leave the crosshair"),
        Binding("plus,equals_sign", "zoom(1)", "Zoom +", id="plot.zoom_in", show=False, tooltip="Zoom in on x"),
        Binding("minus", "zoom(-1)", "Zoom -", id="plot.zoom_out", show=False, tooltip="Zoom out on x"),
        Binding("0", "reset", "Whole", id="plot.reset", show=False, tooltip="The whole x axis again"),
    ]

    title: reactive[str] = reactive("")
    x_name: reactive[str] = reactive("step")
    empty_text: reactive[str] = reactive("no curve yet")
    glyphs: reactive[Glyphs] = reactive[Glyphs]("braille")
    log_y: reactive[bool] = reactive(False)
    smoothing: reactive[float] = reactive(0.0)
    raw: reactive[bool] = reactive(True)
    tail: reactive[bool] = reactive(True)
    # the part of the x axis shown, None for all of it
    window: reactive[tuple[float, float] | None] = reactive[tuple[float, float] | None](None)
    # where the crosshair stands, None when not inspecting
    inspect_x: reactive[float | None] = reactive[float | None](None)

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
        self._series: tuple[Series, ...] = ()
        self._references: tuple[tuple[str, float], ...] = ()
        self._x_end: float | None = None
        self._smoother = Smoother()
        self._smoothed: list[Floats] = []
        self._stale = True
        self._built_for = Size(0, 0)
        self._behind = Color(0, 0, 0)
        self._picture: Picture | None = None
        self._rows: list[Strip] = []

    def set_series(self, series: Sequence[Series], *, x_end: float | None = None) -> None:
        """Show these curves, the later ones on top; x_end, the budget, fixes the right end of the axis."""
        self._series, self._x_end = tuple(series), x_end
        self._smoother.forget_all_but({s.key for s in series})
        self._changed()

    def set_reference(self, lines: Sequence[tuple[str, float]]) -> None:
        """Dashed horizontal lines, (label, y) each."""
        if tuple(lines) != self._references:
            self._references = tuple(lines)
            self._changed()

    def _changed(self) -> None:
        self._stale = True
        self.refresh()

    # everything but the crosshair, which is laid over rows already built
    watch_title = watch_x_name = watch_empty_text = watch_glyphs = _changed
    watch_log_y = watch_smoothing = watch_raw = watch_tail = watch_window = _changed

    def notify_style_update(self) -> None:
        """Textual calls this when the theme or the focus gives the widget other colours."""
        super().notify_style_update()
        self._stale = True

    @property
    def view(self) -> View:
        """The state of the keys, as the drawing takes it."""
        return View(self.log_y, self.smoothing, self.raw, self.tail, self.window, self._x_end, self.glyphs)

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
        if self.smoothing > 0:
            self._smoothed = [self._smoother.smooth(s.key, s.y, self.smoothing) for s in self._series]
        else:
            self._smoothed = [s.y for s in self._series]
        size = (width, height - 2)
        self._picture = draw(self._series, self._smoothed, self._references, self.view, size, palette)
        words = header(self.title, self.x_name, self.view, self._picture, width)
        top = self._words(Text(words, self.get_component_rich_style("curve-plot--title")))
        if self._picture is None:
            return [top, *self._empty(width, max(0, height - 1))]
        bottom = self._words(legend(self._series, width, palette))
        return [top, *self._picture.strips, bottom]

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
        return self._words(readout(self._series, self._smoothed, x, self.x_name, width, self._palette()))

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # esc and the arrows belong to the screen until there is a crosshair to move
        return self.inspect_x is not None if action in ("crosshair", "leave") else True

    def action_log_y(self) -> None:
        self.log_y = not self.log_y

    def action_smooth(self, steps: int) -> None:
        at = int(np.searchsorted(SMOOTHINGS, self.smoothing))
        self.smoothing = SMOOTHINGS[max(0, min(len(SMOOTHINGS) - 1, at + steps))]

    def action_raw(self) -> None:
        self.raw = not self.raw

    def action_fit(self) -> None:
        self.tail = not self.tail

    def action_inspect(self) -> None:
        """Start at the last point on screen, where a running curve is read; again to leave."""
        whole = x_range(self._series, self.view)
        if self.inspect_x is not None or whole is None:
            self.inspect_x = None
        else:
            self.inspect_x = self._nearest_x(whole.high)
        self.refresh_bindings()

    def action_leave(self) -> None:
        self.inspect_x = None
        self.refresh_bindings()

    def action_crosshair(self, columns: int) -> None:
        """To the nearest point one column away, or to the next point when none is that close."""
        if self.inspect_x is None or self._picture is None:
            return
        old = self.inspect_x
        new = self._nearest_x(old + columns * self._picture.x.span / max(1, self._picture.columns - 1))
        if (new - old) * columns <= 0:
            further = [s.x[s.x > old][:1] if columns > 0 else s.x[s.x < old][-1:] for s in self._series]
            candidates = np.concatenate(further)
            if not len(candidates):
                return
            new = float(candidates.min() if columns > 0 else candidates.max())
        self.inspect_x = new
        self._keep_in_window(new)

    def _keep_in_window(self, x: float) -> None:
        if self.window is not None:
            low, high = self.window
            shift = min(0.0, x - low) + max(0.0, x - high)
            self.window = (low + shift, high + shift)

    def _nearest_x(self, x: float) -> float:
        """The x of the point nearest to x in any curve."""
        points = [float(s.x[nearest(s.x, x)]) for s in self._series if len(s.x)]
        return min(points, key=lambda at: abs(at - x), default=x)

    def action_zoom(self, direction: int) -> None:
        """Around the crosshair, or else at the right end, where a running curve moves."""
        shown, whole = x_range(self._series, self.view), x_range(self._series, replace(self.view, window=None))
        if shown is None or whole is None:
            return
        span = shown.span * (ZOOM if direction > 0 else 1 / ZOOM)
        if span >= whole.span:
            self.window = None
        elif span >= NARROWEST * whole.span:
            anchor = shown.high if self.inspect_x is None else self.inspect_x
            low = anchor - (anchor - shown.low) * span / shown.span
            low = max(whole.low, min(low, whole.high - span))
            self.window = (low, low + span)

    def action_reset(self) -> None:
        self.window = None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        offset = event.get_content_offset(self)
        if self.inspect_x is not None and self._picture is not None and offset is not None:
            self.inspect_x = self._nearest_x(self._picture.x_at(offset.x))


def _colour(name: str) -> Color:
    """Textual's names first, then Rich's (`bright_red`)."""
    try:
        return Color.parse(name)
    except ColorParseError:
        return Color.from_rich_color(RichColor.parse(name))
