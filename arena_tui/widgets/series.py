"""What a plot is given: curves, how to look at them, and the styles to draw them in. Plain data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rich.style import Style

from arena_tui.widgets.cell_canvas import Glyphs
from arena_tui.widgets.curves import Floats


@dataclass(frozen=True, eq=False)
class Series:
    """One curve. x is sorted, y may hold NaN; a curve that ended badly has an x drawn there.

    `band` is the lowest and the highest of several seeds at each x, whose mean is y.
    """

    key: str
    letter: str
    colour: str
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    ended_badly_at: float | None = None
    band: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None

    def __post_init__(self) -> None:
        for y in (self.y, *(self.band or ())):
            if len(self.x) != len(y):
                raise ValueError(f"{self.key} has {len(self.x)} x and {len(y)} y")

    @property
    def broke_at(self) -> float | None:
        """Where it ended badly, or else the x of its first value that is not finite."""
        if self.ended_badly_at is not None or not len(self.y):
            return self.ended_badly_at
        broken = np.flatnonzero(~np.isfinite(self.y))
        return float(self.x[broken[0]]) if len(broken) else None


@dataclass(frozen=True)
class View:
    """How to look at the curves. window, x_end and rungs are values of x."""

    log_y: bool = False
    log_x: bool = False
    smoothing: float = 0.0
    raw: bool = True
    tail: bool = True
    window: tuple[float, float] | None = None
    x_end: float | None = None
    glyphs: Glyphs = "braille"
    rungs: tuple[float, ...] = ()
    letters_along: bool = False  # for terminals without colours


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
    band: tuple[Floats, Floats] | None
