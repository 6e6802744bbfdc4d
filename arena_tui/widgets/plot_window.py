"""Which stretch of the x axis is shown: zoom and pan as arithmetic, the same on a linear and a logarithmic axis."""

import math

from arena_tui.widgets.curves import Range

ZOOM = 0.5
# below this share of the whole axis there is nothing more to see
NARROWEST = 1e-4
Window = tuple[float, float]


def to_units(value: float, log: bool) -> float:
    """A value in the units drawn; NaN where a logarithm has none."""
    return value if not log else math.log10(value) if value > 0 else math.nan


def from_units(at: float, log: bool) -> float:
    return 10.0**at if log else at


def units(range_: Range, log: bool) -> Range:
    return Range(to_units(range_.low, log), to_units(range_.high, log))


def zoomed(shown: Range, whole: Range, direction: int, anchor: float, log: bool) -> Window | None:
    """Half or twice the window around a value that stays where it is; None for the whole axis. All in values."""
    view, all_, at = units(shown, log), units(whole, log), to_units(anchor, log)
    if not math.isfinite(at):
        at = view.low
    span = view.span * (ZOOM if direction > 0 else 1 / ZOOM)
    if span >= all_.span * (1 - 1e-9):
        return None
    span = max(span, NARROWEST * all_.span)
    return _window(at - (at - view.low) * span / view.span, span, all_, log)


def panned(shown: Range, whole: Range, share: float, log: bool) -> Window | None:
    """The window moved by a share of its width, stopped at the ends; None when all is shown already."""
    view, all_ = units(shown, log), units(whole, log)
    if view.span >= all_.span * (1 - 1e-9):
        return None
    return _window(view.low + share * view.span, view.span, all_, log)


def _window(low: float, span: float, whole: Range, log: bool) -> Window:
    low = max(whole.low, min(low, whole.high - span))
    return from_units(low, log), from_units(low + span, log)
