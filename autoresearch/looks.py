"""Before seeds are spent: how many an effect needs, when to look, and what several questions at once cost."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

# scipy.special alone: scipy.stats has the same functions and takes seconds more to import
from scipy.special import betaincinv, nctdtr, ndtr, ndtri, stdtrit

TARGET_POWER = 0.8
# a confirmation looks after this many seeds an arm, and stops at the first look that decides
LOOKS = (3, 5, 7)
# seeds an arm; an effect that wants more is out of reach
MOST_SEEDS = 512


def welch_power(gain: float, sigma: float, n_new: int, n_old: int, alpha: float) -> float:
    """The chance that the one-sided Welch test shows a true gain when both arms, of two seeds or more, have sigma.

    Gain is nats/byte beyond the margin, sigma nats/byte. Exact for normal scores: t is noncentral t with
    n_new + n_old - 2 degrees of freedom, but Welch reads its own off the ratio of the two variances, which is random
    and independent of t; the power is the mean over that ratio. With degrees of freedom taken as fixed it would
    promise 0.51 where 0.36 is true (n = 3, gain 2.9 sigma, alpha 0.01).
    """
    # 24 points give 5 digits
    x, weight = np.polynomial.legendre.leggauss(24)
    # of the sum of squares, what falls to the new arm: a beta variable, averaged over its quantiles
    share = betaincinv((n_new - 1) / 2, (n_old - 1) / 2, (x + 1) / 2)
    part_new = share / (n_new - 1) / n_new
    part_old = (1 - share) / (n_old - 1) / n_old
    df = (part_new + part_old) ** 2 / (part_new**2 / (n_new - 1) + part_old**2 / (n_old - 1))
    pooled_df = n_new + n_old - 2
    pooled_part = (1 / n_new + 1 / n_old) / pooled_df
    critical = -stdtrit(df, alpha) * np.sqrt((part_new + part_old) / pooled_part)
    shift = gain / (sigma * math.sqrt(1 / n_new + 1 / n_old))
    return float(np.sum(weight / 2 * _t_power(shift, pooled_df, critical)))


def paired_power(gain: float, sigma: float, n: int, alpha: float) -> float:
    """The same for the paired test of n seeds; sigma is of the differences by seed."""
    return float(_t_power(gain / (sigma / math.sqrt(n)), n - 1, -stdtrit(n - 1, alpha)))


def pooled_power(gain: float, sigma: float, df: float, n: int, alpha: float) -> float:
    """The same for n seeds an arm against a sigma that was measured before with df degrees of freedom."""
    return float(_t_power(gain / (sigma * math.sqrt(2 / n)), df, -stdtrit(df, alpha)))


def _t_power(shift: float, df: float, critical: np.ndarray | float) -> np.ndarray | float:
    """The chance that a noncentral t exceeds `critical`; shift is the effect in standard errors."""
    # the upper tail of t is the lower tail of -t: no 1 - x, so small chances keep their digits
    power: np.ndarray | float = nctdtr(df, -shift, -critical)
    return power


def seeds_needed(gain: float, sigma: float, alpha: float, power: float = TARGET_POWER) -> int | None:
    """The least seeds an arm with which Welch's test shows the gain; None when over 512, as for no gain at all."""
    return least_seeds(lambda n: welch_power(gain, sigma, n, n, alpha), power)


def least_seeds(power_at: Callable[[int], float], power: float = TARGET_POWER) -> int | None:
    """The least n from 2 to 512 whose power reaches the target; the power must rise with n."""
    short, enough = 1, MOST_SEEDS
    if power_at(enough) < power:
        return None
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if power_at(middle) >= power else (middle, enough)
    return enough


def holm(ps: Sequence[float]) -> list[float]:
    """Adjusted p values of several tests in the order given: reject those below alpha (Holm 1979)."""
    adjusted = [0.0] * len(ps)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = highest
    return adjusted


@dataclass(frozen=True)
class Look:
    """One planned look at the data: a test's p must be below `alpha` here; `spent` is the error allowed so far."""

    n: int  # seeds an arm
    alpha: float
    spent: float


@cache
def planned_looks(alpha: float, ns: tuple[int, ...] = LOOKS) -> tuple[Look, ...]:
    """One-sided levels for looks after ns seeds an arm, which together err with probability alpha.

    Error is spent as 2 - 2 Phi(z(1 - alpha/2) / sqrt t), t the fraction of the last n (Lan & DeMets 1983), which comes
    close to the bounds of O'Brien & Fleming 1979: almost none at the first look. The bounds are for a Brownian path;
    their tail probabilities are applied to the p of a t test (Pocock 1977): 400,000 simulated nulls of Welch's test at
    3, 5, 7 seeds erred 0.0094, 0.0493 and 0.2514 times for alpha 0.01, 0.05 and 0.25. When one arm's sigma is three
    times the other's Welch itself is a little loose, here 0.0120 for 0.01.
    """
    if not ns or any(later <= earlier for earlier, later in zip((1, *ns), ns, strict=False)):
        raise ValueError(f"looks are at rising numbers of seeds, two or more: {ns}")
    looks: list[Look] = []
    # where the path may be now, without having crossed: points and their probabilities
    points, chances = np.zeros(1), np.ones(1)
    time = spent = 0.0
    for n in ns:
        step = math.sqrt(n / ns[-1] - time)
        time = n / ns[-1]
        allowed = 2 * float(ndtr(ndtri(alpha / 2) / math.sqrt(time)))
        bound = _bound(points, chances, step, allowed - spent)
        spent = allowed
        looks.append(Look(n, float(ndtr(-bound / math.sqrt(time))), spent))
        points, chances = _walked(points, chances, step, bound, -9 * math.sqrt(time))
    return tuple(looks)


def _bound(points: np.ndarray, chances: np.ndarray, step: float, error: float) -> float:
    """Where the path crosses with probability `error` after a normal step of that standard deviation."""
    low, high = -40.0, 40.0
    # each halving gains a bit: 60 leave 1e-16 of the interval
    for _ in range(60):
        middle = (low + high) / 2
        crosses = float(np.sum(chances * ndtr((points - middle) / step)))
        low, high = (middle, high) if crosses > error else (low, middle)
    return (low + high) / 2


def _walked(
    points: np.ndarray, chances: np.ndarray, step: float, bound: float, lowest: float
) -> tuple[np.ndarray, np.ndarray]:
    """The path's law after the step, below the bound, on quadrature points."""
    x, weight = np.polynomial.legendre.leggauss(128)
    ahead = lowest + (bound - lowest) * (x + 1) / 2
    density = np.exp(-(((ahead[:, None] - points[None, :]) / step) ** 2) / 2) / (step * math.sqrt(2 * math.pi))
    return ahead, (density @ chances) * weight * (bound - lowest) / 2
