"""What the evidence says: two arms compared, and the comparison judged by a track's rule.

Effects and margins in nats per byte of val_loss; lower is better, an effect is new minus old, a gain is its negative.
"""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

# scipy.special alone: scipy.stats has the same functions and takes seconds more to import
from scipy.special import stdtr, stdtrit

from autoresearch.looks import MOST_SEEDS, holm, least_seeds, paired_power, pooled_power, seeds_needed
from autoresearch.noise import ROUNDING, Noise, Sample
from bench.records import OVER_A_CAP, Reason
from bench.tracks import VerdictRule


class Method(StrEnum):
    """How two arms are compared; fixed before the runs that it judges."""

    WELCH = "welch"
    PAIRED = "paired"
    POOLED = "pooled"
    BOUND = "bound"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two arms by one test. Without a standard error, for want of seeds or of any spread, nothing can be shown."""

    effect: float
    se: float | None  # of the effect
    df: float | None
    n_new: int
    n_old: int
    method: Method

    def p(self, margin: float) -> float | None:
        """One-sided, of H0: gain <= margin."""
        if self.se is None:
            return None
        return float(stdtr(self.df, (self.effect + margin) / self.se))

    def p_against(self, margin: float) -> float | None:
        """One-sided, of H0: gain >= margin."""
        if self.se is None:
            return None
        return float(stdtr(self.df, -(self.effect + margin) / self.se))

    def interval(self, alpha: float) -> tuple[float, float] | None:
        """Of the effect, at 1 - 2 alpha: it excludes a value exactly when a one-sided test at alpha does."""
        if self.se is None:
            return None
        reach = -float(stdtrit(self.df, alpha)) * self.se
        return self.effect - reach, self.effect + reach


def welch(new: Sample, old: Sample) -> Comparison:
    """Arms of unequal variance, seeds unmatched (Welch 1947)."""
    effect = new.mean - old.mean
    if min(new.n, old.n) < 2:
        return _comparison(effect, None, None, new, old, Method.WELCH)
    parts = new.variance / new.n, old.variance / old.n
    se = math.sqrt(sum(parts))
    if se < ROUNDING:
        return _comparison(effect, None, None, new, old, Method.WELCH)
    share = parts[0] / sum(parts)
    df = 1 / (share**2 / (new.n - 1) + (1 - share) ** 2 / (old.n - 1))
    return _comparison(effect, se, df, new, old, Method.WELCH)


def paired(new: Sample, old: Sample) -> Comparison:
    """Differences by seed; both arms must hold the same seeds, or those left out would choose the result."""
    if new.scores.keys() != old.scores.keys():
        alone = sorted(new.scores.keys() ^ old.scores.keys())
        raise ValueError(f"a paired test needs the same seeds in both arms; only one has {alone}")
    differences = [score - old.scores[seed] for seed, score in new.scores.items()]
    effect = statistics.fmean(differences)
    se = statistics.stdev(differences) / math.sqrt(new.n) if new.n > 1 else 0.0
    if se < ROUNDING:
        return _comparison(effect, None, None, new, old, Method.PAIRED)
    return _comparison(effect, se, new.n - 1, new, old, Method.PAIRED)


def against_bound(new: Sample, bound: float) -> Comparison:
    """One arm against a number without seeds of its own, as golf's record pages test (one-sample t)."""
    effect = new.mean - bound
    se = math.sqrt(new.variance / new.n) if new.n > 1 else 0.0
    if se < ROUNDING:
        return _comparison(effect, None, None, new, new, Method.BOUND)
    return _comparison(effect, se, new.n - 1, new, new, Method.BOUND)


def pooled(new: Sample, old: Sample, noise: Noise) -> Comparison:
    """Against noise measured before, as if these configs had the same: it serves one and two seeds, never a win."""
    se = noise.sigma * math.sqrt(1 / new.n + 1 / old.n)
    return _comparison(new.mean - old.mean, se, noise.df, new, old, Method.POOLED)


def _comparison(
    effect: float, se: float | None, df: float | None, new: Sample, old: Sample, method: Method
) -> Comparison:
    return Comparison(effect=effect, se=se, df=df, n_new=new.n, n_old=old.n, method=method)


# seeds an arm -> the pairing ratio below which the paired test has more power though it has half the degrees of freedom
_PAIRING_PAYS = ((7, 0.8), (5, 0.7), (3, 0.5))


def choose_method(ratio: float | None, n: int) -> Method:
    """Welch unless pairing pays at n seeds an arm. The ratio must come from runs before those to be judged."""
    limit = next((limit for least, limit in _PAIRING_PAYS if n >= least), None)
    return Method.PAIRED if ratio is not None and limit is not None and ratio < limit else Method.WELCH


class Verdict(StrEnum):
    """What the evidence says of a claim."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    INFEASIBLE = "infeasible"
    FAILED = "failed"
    NOT_TESTABLE = "not testable as published"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict, the numbers it rests on and a sentence that says why."""

    verdict: Verdict
    why: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    n: int = 0  # seeds of the smaller arm


def decide(comparison: Comparison, rule: VerdictRule) -> Judgement:
    """The claim "better by more than the rule's margin": shown, the opposite shown, or neither."""
    return decide_all([comparison], rule)[0]


def decide_all(comparisons: Sequence[Comparison], rule: VerdictRule) -> list[Judgement]:
    """One claim a candidate, in the order given, with Holm's correction over those that have a p.

    Intervals are simultaneous (Bonferroni), so wider than Holm's tests: a claim may be supported while its interval
    still touches the margin.
    """
    tested = [c for c in comparisons if c.se is not None]
    ps = iter(holm([p for c in tested if (p := c.p(rule.margin)) is not None]))
    ps_against = iter(holm([p for c in tested if (p := c.p_against(rule.margin)) is not None]))
    return [
        _untested(c, rule) if c.se is None else _judged(c, rule, next(ps), next(ps_against), len(tested))
        for c in comparisons
    ]


def _untested(comparison: Comparison, rule: VerdictRule) -> Judgement:
    n = min(comparison.n_new, comparison.n_old)
    why = "one seed has no spread to test by" if n < 2 else "equal scores have no spread to test by: are they one run?"
    return Judgement(
        verdict=Verdict.INCONCLUSIVE,
        why=f"{why} {_numbers(comparison, rule.alpha)}",
        effect=comparison.effect,
        n=n,
    )


def _judged(comparison: Comparison, rule: VerdictRule, p: float, p_against: float, k: int) -> Judgement:
    share = replace(rule, alpha=rule.alpha / k)
    interval = comparison.interval(share.alpha)
    limit = f"below {rule.alpha:g}" + (f" over {k} candidates" if k > 1 else "")
    if p < rule.alpha:
        # a negative margin is what a tie may lose
        short = f"worse by less than {-rule.margin:g} nats/byte" if rule.margin < 0 else f"better{_beyond(rule)}"
        verdict, said = Verdict.SUPPORTED, f"{short}: {_p(p)}, {limit}"
    elif p_against < rule.alpha:
        short = "not better" if rule.margin > 0 else "worse"
        verdict, said = Verdict.REFUTED, f"{short}{_beyond(rule)}: {_p(p_against)} against the claim, {limit}"
    else:
        verdict, said = Verdict.INCONCLUSIVE, f"{_p(p)}, not {limit}; {_more(more_seeds(comparison, share))}"
    return Judgement(
        verdict=verdict,
        why=f"{said} {_numbers(comparison, share.alpha)}",
        effect=comparison.effect,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        p=p,
        n=min(comparison.n_new, comparison.n_old),
    )


def _numbers(comparison: Comparison, alpha: float) -> str:
    seeds = f"n = {comparison.n_new}"
    if comparison.n_old != comparison.n_new:
        seeds += f" against {comparison.n_old}"
    interval = comparison.interval(alpha)
    within = f" {100 * (1 - 2 * alpha):.3g} % interval {interval[0]:+.5f} to {interval[1]:+.5f}," if interval else ""
    return f"({comparison.effect:+.5f} nats/byte,{within} {comparison.method} at {seeds})"


def _beyond(rule: VerdictRule) -> str:
    return f" by more than {abs(rule.margin):g} nats/byte" if rule.margin else ""


def _p(p: float) -> str:
    return f"p = {p:.3g}" if p >= 1e-4 else "p < 0.0001"


def _more(seeds: int | None) -> str:
    if seeds is None:
        return f"not even {MOST_SEEDS} seeds an arm would decide an effect of this size"
    return f"about {seeds} more seed{'s' * (seeds > 1)} an arm would decide an effect of this size"


def more_seeds(comparison: Comparison, rule: VerdictRule) -> int | None:
    """How many more seeds an arm give power 0.8, if effect and spread are what they seem; None when over 512 in all."""
    if comparison.se is None or comparison.df is None:
        return None
    gap, df = abs(comparison.effect + rule.margin), comparison.df
    per_seed = comparison.se / math.sqrt(1 / comparison.n_new + 1 / comparison.n_old)
    match comparison.method:
        case Method.WELCH:
            needed = seeds_needed(gap, per_seed, rule.alpha)
        case Method.POOLED:
            needed = least_seeds(lambda n: pooled_power(gap, per_seed, df, n, rule.alpha))
        case Method.PAIRED | Method.BOUND:
            of_difference = comparison.se * math.sqrt(comparison.n_new)
            needed = least_seeds(lambda n: paired_power(gap, of_difference, n, rule.alpha))
    return None if needed is None else max(1, needed - min(comparison.n_new, comparison.n_old))


def unscored(reasons: Sequence[Reason], n_runs: int) -> Judgement:
    """Of a config some of whose runs ended without a score: the survivors are a chosen sample and are not compared."""
    if not reasons:
        raise ValueError("every run has a score: compare them")
    over_a_cap = {Reason.REFUSED, *OVER_A_CAP}.issuperset(reasons)
    counts = ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in sorted(Counter(reasons).items()))
    return Judgement(
        verdict=Verdict.INFEASIBLE if over_a_cap else Verdict.FAILED,
        why=f"{len(reasons)} of {n_runs} runs ended without a score: {counts}",
        n=n_runs - len(reasons),
    )


def not_testable(why: str) -> Judgement:
    """Of a published claim that names something this bench does not have."""
    return Judgement(verdict=Verdict.NOT_TESTABLE, why=why)


class Place(StrEnum):
    """What a technique is to the stack that holds it."""

    NEEDED = "needed"
    NEUTRAL = "neutral"
    HARMFUL = "harmful"
    INCONCLUSIVE = "inconclusive"


# of each of the two one-sided tests that show a technique to be neutral (Schuirmann 1987)
NEUTRAL_ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class Placing:
    """A place, the one-sided p of the direction that was seen, and a sentence that says why."""

    place: Place
    p: float | None
    why: str


def place_in_stack(without: Comparison, rule: VerdictRule, tolerance: float) -> Placing:
    """Leave one out: `without` compares the stack without the technique (new) against the stack (old).

    Harmful when dropping it gains more than the margin, needed when that costs more than the margin, each at the
    rule's alpha; neutral when it is shown to matter less than `tolerance` (nats per byte) either way; else
    inconclusive, and the sentence says how many seeds would tell.
    """
    if without.effect < 0:
        place, does, side = Place.HARMFUL, "gain", without
    else:
        place, does, side = Place.NEEDED, "cost", replace(without, effect=-without.effect)
    p, p_less = side.p(rule.margin), side.p_against(tolerance)
    if p is None or p_less is None:
        return Placing(place=Place.INCONCLUSIVE, p=None, why=_untested(without, rule).why)
    numbers = _numbers(without, rule.alpha)
    if p < rule.alpha:
        why = f"dropping it {does}s{_beyond(rule)}: {_p(p)}, below {rule.alpha:g} {numbers}"
        return Placing(place=place, p=p, why=why)
    # the other side of the interval is the nearer one, so that this test alone decides
    if p_less < NEUTRAL_ALPHA:
        said = f"dropping it moves val_loss by less than {tolerance:.5f} nats/byte: {_p(p_less)} against more"
        return Placing(place=Place.NEUTRAL, p=p, why=f"{said} {numbers}")
    said = f"dropping it is not shown to {does}{_beyond(rule)}: {_p(p)}, not below {rule.alpha:g}"
    return Placing(place=Place.INCONCLUSIVE, p=p, why=f"{said}; {_more(more_seeds(side, rule))} {numbers}")
