"""The axes of a plot: where the marks stand and what they say."""

import math
from dataclasses import dataclass
from itertools import pairwise

from arena_tui.widgets.cell_canvas import Glyphs
from arena_tui.widgets.curves import Range


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, in the units drawn, and what it says."""

    at: float
    label: str


def ticks(low: float, high: float, most: int, whole: bool = False) -> list[Tick]:
    """At most `most` marks at multiples of 1, 2 or 5 times a power of ten, no two with the same label; `whole` ones
    where steps, trials or bytes are counted."""
    span = high - low
    if most < 1 or not span > 0:
        return []
    step = max(_nice_step(span / most), 1.0 if whole else 0.0)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last - first + 1 > most:
        step = _nice_step(step * 1.01)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [k * step for k in range(first, last + 1)]
    return _distinct([Tick(value, tick_label(value, step, max(abs(low), abs(high)))) for value in values])


def log_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Marks between 10**low and 10**high: whole powers, with 2 and 5 between when there is room."""
    if most < 1 or not high > low:
        return []
    exponents = range(math.floor(low), math.ceil(high) + 1)
    fine = [e + math.log10(m) for e in exponents for m in (1, 2, 5) if low <= e + math.log10(m) <= high]
    if len(fine) < min(3, most):
        # less than a decade: plain ticks of the values, at the places the logarithm puts them
        return [Tick(math.log10(t.at), t.label) for t in ticks(10.0**low, 10.0**high, most) if t.at > 0]
    if len(fine) > most:
        whole = [float(e) for e in exponents if low <= e <= high]
        stride = max(1, math.ceil(len(whole) / most))
        fine = [e for e in whole if e % stride == 0] or whole[:1]
    return _distinct([Tick(at, _power_label(at)) for at in fine])


def _power_label(at: float) -> str:
    value = float(f"{10.0**at:.3g}")
    if 1e-3 <= value < 1e4:
        return f"{value:g}"
    return _scientific(value, 0)


def _distinct(marks: list[Tick]) -> list[Tick]:
    return list({mark.label: mark for mark in reversed(marks)}.values())[::-1]


def _nice_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= least * (1 - 1e-9))


def tick_label(value: float, step: float, largest: float) -> str:
    """The value with just the digits that tell it from its neighbour one step away."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if abs(value) < step / 2:
        return "0"
    if largest < 1e9 and step >= 1e6:
        return f"{value / 1e6:.0f}M"
    if largest < 1e7 and step >= 1e3:
        return f"{value / 1e3:.0f}k"
    if largest < 1e6 and decimals <= 5:
        return f"{value:.{decimals}f}"
    return _scientific(value, math.floor(math.log10(abs(value))) - math.floor(math.log10(step) + 1e-9))


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{max(0, digits)}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def value_label(value: float) -> str:
    """A value for reading: four decimals for losses, fewer for large ones, powers for the rest."""
    if not math.isfinite(value):
        return "-"
    size = abs(value)
    if size == 0 or 1e-3 <= size < 10:
        return f"{value:.4f}"
    if 10 <= size < 1e5:
        return f"{value:.{max(0, 4 - math.floor(math.log10(size)))}f}"
    return _scientific(value, 2)


def y_ticks(y: Range, rows: int, log_y: bool) -> list[Tick]:
    """A mark every four rows or so; closer together where that would leave fewer than three."""
    marks: list[Tick] = []
    for most in range(max(2, rows // 4), max(2, rows // 2) + 1):
        marks = (log_ticks if log_y else ticks)(y.low, y.high, most)
        if len(marks) >= 3:
            break
    return marks


def x_axis(x: Range, columns: int, left: int, glyphs: Glyphs, log_x: bool = False) -> tuple[str, str]:
    """A line with a notch at each mark, and the labels under it; the plot's first column is `left`."""
    level, notch, corner = ("─", "┬", "└") if glyphs == "braille" else ("-", "+", "+")
    # the first and last labels reach beyond the plot on both sides
    axis, labels = [level] * columns, [" "] * (left + columns + 8)
    for start, column, label in x_ticks(x, columns, log_x):
        axis[column] = notch
        labels[left + start : left + start + len(label)] = label
    return " " * (left - 1) + corner + "".join(axis), "".join(labels)


def x_ticks(x: Range, columns: int, log_x: bool = False) -> list[tuple[int, int, str]]:
    """(first column of the label, column of the notch, label), as many as stand apart by two cells."""
    marks: list[tuple[int, int, str]] = []
    for most in range(max(2, columns // 8), 0, -1):
        marks = []
        # a zoom into less than one step has no whole number to show
        for tick in log_ticks(x.low, x.high, most) if log_x else ticks(x.low, x.high, most, whole=x.span >= 1):
            column = min(columns - 1, max(0, round((tick.at - x.low) / x.span * (columns - 1))))
            marks.append((max(-1, column - len(tick.label) // 2), column, tick.label))
        if all(a_start + len(a) + 2 <= b_start for (a_start, _, a), (b_start, _, _) in pairwise(marks)):
            break
    return marks
