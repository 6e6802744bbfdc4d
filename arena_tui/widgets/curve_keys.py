"""How a plot is steered: keys and mouse, zoom, pan, the crosshair and the legend. Knows nothing of drawing."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from textual import events
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.widget import Widget

from arena_tui.widgets.cell_canvas import Glyphs
from arena_tui.widgets.curve_picture import Picture, x_range
from arena_tui.widgets.curves import Range, nearest
from arena_tui.widgets.plot_window import panned, zoomed
from arena_tui.widgets.series import Series, View

# the weights of the average that { and } step through; 0 draws the points themselves
SMOOTHINGS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98)
# share of the window that one press moves
PAN = 0.25


class SteeredPlot(Widget, can_focus=True):
    """The state that keys and mouse change; a child draws it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "log_y", "Log y", id="plot.log_y", tooltip="y axis linear or logarithmic"),
        Binding("Y", "log_x", "Log x", id="plot.log_x", tooltip="x axis linear or logarithmic"),
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
        Binding("less_than_sign", "pan(-1)", "Left", id="plot.pan_left", show=False, tooltip="Pan to the left"),
        Binding("greater_than_sign", "pan(1)", "Right", id="plot.pan_right", show=False, tooltip="Pan to the right"),
        Binding("comma", "legend", "Legend", id="plot.legend", show=False, tooltip="To the next curve in the legend"),
        Binding("full_stop", "switch", "Switch", id="plot.toggle", show=False, tooltip="Hide that curve, or show it"),
        Binding("0", "reset", "Whole", id="plot.reset", show=False, tooltip="The whole x axis again"),
    ]

    title: reactive[str] = reactive("")
    x_name: reactive[str] = reactive("step")
    empty_text: reactive[str] = reactive("no curve yet")
    glyphs: reactive[Glyphs] = reactive[Glyphs]("braille")
    log_y: reactive[bool] = reactive(False)
    log_x: reactive[bool] = reactive(False)
    smoothing: reactive[float] = reactive(0.0)
    raw: reactive[bool] = reactive(True)
    tail: reactive[bool] = reactive(True)
    # the part of the x axis shown, None for all of it
    window: reactive[tuple[float, float] | None] = reactive[tuple[float, float] | None](None)
    # where the crosshair stands, None when not inspecting
    inspect_x: reactive[float | None] = reactive[float | None](None)
    # curves switched off in the legend, and the entry that the keys are at
    hidden: reactive[frozenset[str]] = reactive[frozenset[str]](frozenset())
    legend_at: reactive[int | None] = reactive[int | None](None)

    _series: tuple[Series, ...] = ()
    _picture: Picture | None = None
    _dragged_from: int | None = None

    @property
    def view(self) -> View:
        raise NotImplementedError

    @property
    def shown_series(self) -> tuple[Series, ...]:
        """The curves that are switched on."""
        return tuple(s for s in self._series if s.key not in self.hidden)

    def legend_key(self, column: int) -> str | None:
        """The key of the curve whose name stands in this column of the legend."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # esc and the arrows belong to the screen until there is a crosshair to move
        return self.inspect_x is not None if action in ("crosshair", "leave") else True

    def action_log_y(self) -> None:
        self.log_y = not self.log_y

    def action_log_x(self) -> None:
        self.window = None  # an end at 0 has no place on the other axis
        self.log_x = not self.log_x

    def action_smooth(self, steps: int) -> None:
        at = int(np.searchsorted(SMOOTHINGS, self.smoothing))
        self.smoothing = SMOOTHINGS[max(0, min(len(SMOOTHINGS) - 1, at + steps))]

    def action_raw(self) -> None:
        self.raw = not self.raw

    def action_fit(self) -> None:
        self.tail = not self.tail

    def action_inspect(self) -> None:
        """Start at the last point on screen, where a running curve is read; again to leave."""
        whole = x_range(self.shown_series, self.view)
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
            further = [s.x[s.x > old][:1] if columns > 0 else s.x[s.x < old][-1:] for s in self.shown_series]
            candidates = np.concatenate(further) if further else np.empty(0)
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
        points = [float(s.x[nearest(s.x, x)]) for s in self.shown_series if len(s.x)]
        return min(points, key=lambda at: abs(at - x), default=x)

    def action_zoom(self, direction: int) -> None:
        """Around the crosshair, or else at the right end, where a running curve moves."""
        if (ranges := self._ranges()) is not None:
            shown, whole = ranges
            anchor = shown.high if self.inspect_x is None else self.inspect_x
            self.window = zoomed(shown, whole, direction, anchor, self.log_x)

    def action_pan(self, direction: int) -> None:
        if (ranges := self._ranges()) is not None:
            self.window = panned(*ranges, direction * PAN, self.log_x)

    def _ranges(self) -> tuple[Range, Range] | None:
        """What is shown and what there is."""
        shown = x_range(self.shown_series, self.view)
        whole = x_range(self.shown_series, replace(self.view, window=None))
        return None if shown is None or whole is None else (shown, whole)

    def action_reset(self) -> None:
        self.window = None

    # legend

    def action_legend(self) -> None:
        """To the next entry; past the last one back to none."""
        n, at = len(self._series), self.legend_at
        self.legend_at = None if not n or at == n - 1 else 0 if at is None else (at + 1) % n

    def action_switch(self) -> None:
        if self.legend_at is not None and self.legend_at < len(self._series):
            self.toggle(self._series[self.legend_at].key)

    def toggle(self, key: str) -> None:
        """Hide a curve or show it again."""
        self.hidden = self.hidden ^ {key}

    # mouse: each of these has its key

    def on_mouse_move(self, event: events.MouseMove) -> None:
        offset, picture = event.get_content_offset(self), self._picture
        if offset is None or picture is None:
            return
        if self._dragged_from is not None:
            self._drag(picture, offset.x)
        elif self.inspect_x is not None:
            self.inspect_x = self._nearest_x(picture.x_at(offset.x))

    def _drag(self, picture: Picture, column: int) -> None:
        moved = (self._dragged_from or 0) - column
        if moved and (ranges := self._ranges()) is not None:
            self._dragged_from = column
            self.window = panned(*ranges, moved / max(1, picture.columns - 1), self.log_x)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if (offset := event.get_content_offset(self)) is not None and self.window is not None:
            self._dragged_from = offset.x
            self.capture_mouse()

    def on_mouse_up(self, _: events.MouseUp) -> None:
        if self._dragged_from is not None:
            self._dragged_from = None
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.y == self.content_size.height - 1 and self.inspect_x is None:
            key = self.legend_key(offset.x)
            if key is not None:
                self.toggle(key)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, direction: int) -> None:
        """Zoom around the pointer."""
        offset, picture, ranges = event.get_content_offset(self), self._picture, self._ranges()
        if offset is not None and picture is not None and ranges is not None:
            event.stop()
            self.window = zoomed(*ranges, direction, picture.x_at(offset.x), self.log_x)
