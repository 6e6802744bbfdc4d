"""The arithmetic behind a plot of curves: smoothing, ranges, clipping, one span of dots per column."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# the first 15 % of a training curve is the fall from log(vocabulary); it would flatten all that comes after
HEAD = 0.15
# a value further out than half the span of the other 98 % is an outlier: it is clipped and counted
OUTLIER = 0.5
# share of the span left free above and below the curves
MARGIN = 0.03
# below this share of its size a span is rounding, and the curve counts as constant
FLAT = 1e-9


@dataclass
class Ema:
    """A debiased exponential moving average that goes on where it stopped; NaN in, NaN out, memory kept."""

    weight: float
    total: float = 0.0
    count: int = 0

    def extend(self, y: Floats) -> Floats:
        """The averages of the next values: the same numbers whether they come at once or one by one."""
        smooth = np.full(len(y), np.nan)
        finite = np.isfinite(y)
        values = y[finite]
        if not len(values):
            return smooth
        keep, new = self.weight, 1.0 - self.weight
        totals = list(islice(accumulate(values.tolist(), lambda t, v: keep * t + new * v, initial=self.total), 1, None))
        counts = self.count + np.arange(1, len(values) + 1)
        # without the divisor the average starts at zero and climbs for 1 / (1 - weight) steps
        smooth[finite] = np.array(totals) / (1.0 - self.weight**counts)
        self.total, self.count = totals[-1], int(counts[-1])
        return smooth


class Smoother:
    """Averages by curve, kept between calls: while a curve only grows, only its new points are averaged."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Ema, Floats, Floats]] = {}

    def smooth(self, key: str, y: Floats, weight: float) -> Floats:
        """What `ema(y, weight)` returns."""
        average, seen, done = self._kept.get(key, (None, y[:0], y[:0]))
        if average is None or average.weight != weight or not np.array_equal(seen, y[: len(seen)], equal_nan=True):
            average, seen, done = Ema(weight), y[:0], y[:0]
        if len(y) > len(seen):
            done = np.concatenate([done, average.extend(y[len(seen) :])])
            # a copy: the caller may go on writing into the array it gave
            self._kept[key] = (average, y.copy(), done)
        return done

    def forget_all_but(self, keys: set[str]) -> None:
        self._kept = {key: kept for key, kept in self._kept.items() if key in keys}


def ema(y: Floats, weight: float) -> Floats:
    """Debiased exponential moving average of the whole curve."""
    return Ema(weight).extend(y)


@dataclass(frozen=True)
class Range:
    """A stretch of an axis, in the units drawn (log10 of the value on a log axis)."""

    low: float
    high: float

    @property
    def span(self) -> float:
        return self.high - self.low


def fit(values: Sequence[Floats], *, robust: bool) -> Range | None:
    """The range that shows these values; robust leaves single outliers outside. None when nothing is finite."""
    pooled = np.concatenate([v[np.isfinite(v)] for v in values]) if values else np.empty(0)
    if not len(pooled):
        return None
    low, high = float(pooled.min()), float(pooled.max())
    if robust:
        inner = np.quantile(pooled, (0.01, 0.99))
        reach = OUTLIER * float(inner[1] - inner[0])
        # a constant with one spike has no inner span to measure an outlier with
        if reach > 0:
            low = low if low >= inner[0] - reach else float(inner[0])
            high = high if high <= inner[1] + reach else float(inner[1])
    return padded(Range(low, high))


def padded(range_: Range) -> Range:
    """A little air on both sides; a constant gets a tenth of its size, so it lies in the middle."""
    size = max(abs(range_.low), abs(range_.high))
    air = MARGIN * range_.span if range_.span > FLAT * size else (0.1 * size or 1.0)
    return Range(range_.low - air, range_.high + air)


@dataclass(frozen=True)
class Clipped:
    """How many points lie outside the range drawn, and the furthest on each side."""

    above: int = 0
    highest: float = -math.inf
    below: int = 0
    lowest: float = math.inf


def clipped(values: Sequence[Floats], shown: Range) -> Clipped:
    """Counts of the points above and below, NaN left out."""
    above = [v[v > shown.high] for v in values]
    below = [v[v < shown.low] for v in values]
    return Clipped(
        sum(map(len, above)),
        max((float(v.max()) for v in above if len(v)), default=-math.inf),
        sum(map(len, below)),
        min((float(v.min()) for v in below if len(v)), default=math.inf),
    )


def column_spans(column: npt.NDArray[np.int64], y: Floats, n_columns: int) -> tuple[Floats, Floats]:
    """Lowest and highest y the curve reaches in each column; NaN where it is absent.

    `column` is each point's column, rising, and may lie outside the plot; points next to each other are joined
    by a line unless a NaN lies between them. Every point counts, so a single step's spike is never lost.
    """
    low, high = np.full(n_columns, np.inf), np.full(n_columns, -np.inf)
    at = np.flatnonzero(np.isfinite(y))
    if not len(at):
        return np.full(n_columns, np.nan), np.full(n_columns, np.nan)
    column, y = column[at], y[at]
    first = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    inside = (column[first] >= 0) & (column[first] < n_columns)
    low[column[first][inside]] = np.minimum.reduceat(y, first)[inside]
    high[column[first][inside]] = np.maximum.reduceat(y, first)[inside]
    end = first[1:] - 1
    joined = at[end + 1] - at[end] == 1
    _join(low, high, (column[end][joined], y[end][joined]), (column[end + 1][joined], y[end + 1][joined]))
    absent = low > high
    low[absent] = high[absent] = np.nan
    return low, high


def _join(
    low: Floats,
    high: Floats,
    left: tuple[npt.NDArray[np.int64], Floats],
    right: tuple[npt.NDArray[np.int64], Floats],
) -> None:
    """Widen the spans, in place, by straight lines; each column takes its line's half cell on both sides."""
    (x0, y0), (x1, y1) = left, right
    begin, stop = np.maximum(x0, 0), np.minimum(x1, len(low) - 1)
    length = np.maximum(stop - begin + 1, 0)
    if not length.sum():
        return
    line = np.repeat(np.arange(len(length)), length)
    x = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length) + begin[line]
    slope = ((y1 - y0) / (x1 - x0))[line]
    enter = y0[line] + slope * (np.maximum(x - 0.5, x0[line]) - x0[line])
    leave = y0[line] + slope * (np.minimum(x + 0.5, x1[line]) - x0[line])
    np.minimum.at(low, x, np.minimum(enter, leave))
    np.maximum.at(high, x, np.maximum(enter, leave))


def nearest(x: Floats, at: float) -> int:
    """Index of the point whose x is closest; x is sorted and not empty."""
    i = int(np.searchsorted(x, at))
    if i == 0:
        return 0
    return i - 1 if i == len(x) or at - x[i - 1] <= x[i] - at else i


def seed_band(curves: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean, lowest and highest of several (x, y) at the x of the first, as far as all of them go: (x, mean, low, high).

    Seeds of one config share their steps; over seconds they don't, and are read off their own lines.
    """
    reach = min(float(x[-1]) for x, _ in curves)
    grid = curves[0][0][curves[0][0] <= reach]
    values = np.array([np.interp(grid, x, y) for x, y in curves])
    return grid, values.mean(axis=0), values.min(axis=0), values.max(axis=0)
