"""How far apart two configs are, and how far that can be trusted: for looking, never a verdict.

Verdicts are the researcher's, by the track's own rule; here two configs that a person picked are put side by side.
"""

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Scores = Mapping[int, float]  # val_loss by seed, nats per byte
LEVEL = 0.95


@dataclass(frozen=True)
class Noise:
    """The sd of one run over seeds, pooled over configs, and its degrees of freedom."""

    sigma: float
    df: int


def pooled_noise(groups: Iterable[Scores]) -> Noise | None:
    """From every config with two seeds or more; None without any."""
    samples = [list(scores.values()) for scores in groups if len(scores) > 1]
    df = sum(len(sample) - 1 for sample in samples)
    if not df:
        return None
    squares = sum(statistics.variance(sample) * (len(sample) - 1) for sample in samples)
    return Noise(math.sqrt(squares / df), df)


@dataclass(frozen=True)
class Contrast:
    """New minus old; without an interval nothing says how much of it is luck."""

    effect: float
    low: float | None
    high: float | None
    basis: str


def contrast(new: Scores, old: Scores, noise: Noise | None) -> Contrast | None:
    """The difference of the means with its interval at `LEVEL`; None when one side has no score.

    Welch's (1947) where both sides have two seeds, else the board's pooled noise as if these two had the same.
    """
    if not new or not old:
        return None
    effect = statistics.fmean(new.values()) - statistics.fmean(old.values())
    n, m = len(new), len(old)
    if min(n, m) > 1:
        parts = statistics.variance(new.values()) / n, statistics.variance(old.values()) / m
        error, basis = math.sqrt(sum(parts)), f"Welch, n = {n} and {m}"
        if error > 0:
            share = parts[0] / sum(parts)
            return _with_interval(effect, error, 1 / (share**2 / (n - 1) + (1 - share) ** 2 / (m - 1)), basis)
    if noise is not None and noise.sigma > 0:
        error = noise.sigma * math.sqrt(1 / n + 1 / m)
        return _with_interval(effect, error, noise.df, f"noise of the board, n = {n} and {m}")
    return Contrast(effect, None, None, f"n = {n} and {m}: no noise known")


def _with_interval(effect: float, error: float, df: float, basis: str) -> Contrast:
    from scipy.special import stdtrit  # 0.1 s to import, and only a comparison needs it

    reach = float(stdtrit(df, (1 + LEVEL) / 2)) * error
    return Contrast(effect, effect - reach, effect + reach, basis)
