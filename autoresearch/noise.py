"""How far val_loss moves by its seed alone, and whether two techniques together stand out of that.

Losses, deltas and sigmas in nats per byte; lower is better and a delta is new minus old.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

# scipy.special alone: scipy.stats has the same functions and takes seconds more to import
from scipy.special import chdtri, fdtr, fdtrc, stdtr, stdtrit

# nats/byte: a spread below this is float64's rounding of equal scores, not noise
ROUNDING = 1e-12
# of the interval of sigma itself
_LEVEL = 0.95
# of the test, two-sided, that two variances are one
_ALIKE = 0.05


@dataclass(frozen=True)
class Sample:
    """val_loss of one config by seed."""

    scores: Mapping[int, float]

    def __post_init__(self) -> None:
        wrong = {seed: score for seed, score in self.scores.items() if not math.isfinite(score)}
        if wrong or not self.scores:
            raise ValueError(f"a sample is finite scores by seed, at least one: {wrong or 'none given'}")

    @property
    def n(self) -> int:
        return len(self.scores)

    @property
    def mean(self) -> float:
        return statistics.fmean(self.scores.values())

    @property
    def variance(self) -> float:
        """With n - 1 in the denominator; needs two seeds."""
        return statistics.variance(self.scores.values())


@dataclass(frozen=True, kw_only=True)
class Noise:
    """The standard deviation over seeds, pooled over configs, with its 95 % interval."""

    sigma: float
    low: float
    high: float
    df: int

    @property
    def single_run_bound(self) -> float:
        """2 sigma sqrt 2: a smaller |delta| of two single runs is inconclusive, whatever its sign."""
        return 2 * self.sigma * math.sqrt(2)

    def in_sigmas(self, delta: float) -> float:
        return delta / self.sigma

    def describe(self, delta: float) -> str:
        """One sentence on the delta of two single runs."""
        within = abs(delta) < self.single_run_bound
        said = "inconclusive, within" if within else "worth more seeds, beyond"
        bound = f"the {self.single_run_bound:.5f} nats/byte that two single runs differ by chance"
        return f"{delta:+.5f} nats/byte, {self.in_sigmas(delta):+.1f} sigma: {said} {bound}"


def pooled_noise(samples: Iterable[Sample]) -> Noise | None:
    """Sigma from replicates, one sample a config, as if every config had the same; None when nothing varies.

    The interval is the chi-square one, exact for normal scores.
    """
    replicated = [sample for sample in samples if sample.n > 1]
    df = sum(sample.n - 1 for sample in replicated)
    squares = sum(sample.variance * (sample.n - 1) for sample in replicated)
    if df == 0 or math.sqrt(squares / df) < ROUNDING:
        return None
    tail = (1 - _LEVEL) / 2
    return Noise(
        sigma=math.sqrt(squares / df),
        low=math.sqrt(squares / float(chdtri(df, tail))),
        high=math.sqrt(squares / float(chdtri(df, 1 - tail))),
        df=df,
    )


def noise_of(arms: Sequence[Sample], others: Iterable[Sample]) -> Noise | None:
    """Sigma where it is used: pooled over the arms' own replicates, and over those of other configs that are not shown
    to have another variance (F-test, two-sided). Arms without a replicate have that of all.

    A start that sometimes fails to settle moves its score by several times what a tuned stack's seeds do.
    """
    others = [sample for sample in others if sample not in arms]
    own = pooled_noise(arms)
    if own is None:
        return pooled_noise([*arms, *others])
    return pooled_noise([*arms, *(sample for sample in others if sample.n < 2 or _may_be(own, sample))])


def _may_be(noise: Noise, sample: Sample) -> bool:
    """Whether a config's seeds may have that noise."""
    ratio = sample.variance / noise.sigma**2
    tail = min(float(fdtr(sample.n - 1, noise.df, ratio)), float(fdtrc(sample.n - 1, noise.df, ratio)))
    return 2 * tail >= _ALIKE


def pairing_ratio(pairs: Iterable[tuple[Sample, Sample]]) -> float | None:
    """var(difference by seed) / (var A + var B) over the shared seeds of each pair: 1 says that pairing buys nothing.

    Variances are pooled over the pairs of configs; None without two shared seeds anywhere, or without any spread.
    """
    of_difference = of_both = 0.0
    for one, other in pairs:
        seeds = sorted(one.scores.keys() & other.scores.keys())
        if len(seeds) < 2:
            continue
        ones, others = [one.scores[seed] for seed in seeds], [other.scores[seed] for seed in seeds]
        free = len(seeds) - 1
        of_difference += free * statistics.variance([a - b for a, b in zip(ones, others, strict=True)])
        of_both += free * (statistics.variance(ones) + statistics.variance(others))
    return of_difference / of_both if of_both > ROUNDING**2 else None


class Together(StrEnum):
    """What two techniques do to each other."""

    SYNERGY = "synergy"  # the pair is better than the sum of both effects
    REDUNDANCY = "redundancy"  # worse than the sum, not shown to be worse than the better one alone
    CONFLICT = "conflict"  # worse than the better one alone
    NONE = "none"  # effects that add up, as far as the noise can tell


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The four arms of a 2x2; all else is equal."""

    neither: Sample
    first: Sample
    second: Sample
    both: Sample

    @property
    def all(self) -> tuple[Sample, ...]:
        return self.neither, self.first, self.second, self.both


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """The contrast both - first - second + neither with its interval at 1 - alpha, and what it means."""

    kind: Together
    contrast: float
    low: float
    high: float
    p: float  # two-sided
    why: str


def interaction(cells: Cells, noise: Noise, alpha: float) -> Interaction:
    """Whether two techniques help or hinder each other, beyond pooled noise.

    Its standard error is sigma sqrt(sum of 1/n), so 2 sigma / sqrt n for equal cells. Which technique is the better
    one alone is seen in the same data, so that comparison gets alpha / 2 for each of the two it may be.
    """
    neither, first, second, both = cells.neither, cells.first, cells.second, cells.both
    contrast = both.mean - first.mean - second.mean + neither.mean
    se = noise.sigma * math.sqrt(sum(1 / cell.n for cell in cells.all))
    reach = -float(stdtrit(noise.df, alpha / 2)) * se
    p = 2 * float(stdtr(noise.df, -abs(contrast) / se))
    better = min(first, second, key=lambda cell: cell.mean)
    over_better = both.mean - better.mean
    se_better = noise.sigma * math.sqrt(1 / both.n + 1 / better.n)
    is_worse = float(stdtr(noise.df, -over_better / se_better)) < alpha / 2
    if p >= alpha:
        kind, means = Together.NONE, "the effects add up as far as the noise can tell"
    elif contrast < 0:
        kind, means = Together.SYNERGY, "the pair is better than the sum of both effects"
    elif is_worse:
        kind, means = Together.CONFLICT, "the pair is worse than the better one alone"
    else:
        kind, means = Together.REDUNDANCY, "the pair is worse than the sum, not shown worse than the better one alone"
    interval = f"{100 * (1 - alpha):.3g} % interval {contrast - reach:+.5f} to {contrast + reach:+.5f}"
    return Interaction(
        kind=kind,
        contrast=contrast,
        low=contrast - reach,
        high=contrast + reach,
        p=p,
        why=f"{means}: contrast {contrast:+.5f} nats/byte ({interval}), "
        f"the pair against the better one alone {over_better:+.5f} nats/byte",
    )
