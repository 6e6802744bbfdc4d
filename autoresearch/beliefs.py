"""What each technique is worth, and how sure that is: a Bayesian linear model over every completed run.

val_loss = level + one term for each technique that is not the baseline's + one for each suspicious pair
         + one for how far each learning rate is from the best known + noise

with a Gaussian prior on every term, so that the posterior is exact.

Three things the plain model would get wrong:
- *Tuning.* A badly tuned run must not condemn its techniques, and real ones are off by anything up to a whole nat. Of
  the runs of one stack only its best setting of the knobs speaks (all seeds of it). What still differs between stacks
  is the learning rate: a quadratic in decades from its value in the technique's best run, with a loose prior, so that
  an effect means "at the best learning rate known". Other knobs are left to the noise.
- *Accidents.* A run that ends far above what all others say (diverged, half broken) is cut to `FAR` sd
  above that and counts less: its techniques look bad, not condemned. Only upwards, since no loss gets that lucky.
- *Misfit.* Knobs and interactions make runs disagree by more than seeds do. The noise is what the caller measured, or
  the robust spread of what the other runs fail to predict, whichever is larger.

Imports neither torch nor the catalog: techniques come in as cards (`bench.catalog.cards()`).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.config import RunConfig, fingerprint

Card = Mapping[str, Any]  # slot, name, and perhaps prior, needs, clashes, knobs, status
Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

# nats per byte. Measured elsewhere, on another base: of a prior only the sign is believed, by its grade.
PRIOR_SD = 0.03
PRIOR_SIZE = {"A": 0.01, "B": 0.01, "C": 0.005, "D": 0.005}
PAIR_SD = 0.02
# how far a declared need lowers, or a clash raises, what is expected of the two together
RELATION_SHIFT = 0.01
LEVEL_SD = 1.0
# nats per squared decade of learning rate; AdamW and Muon lose 0.3 to 0.5 on the real sample
CURVATURE, CURVATURE_SD = 0.4, 0.2

FAR = 3.0
ROUNDS = 6
MAD_TO_SD = 1.4826
# fewer runs that the others can predict say too little of their spread
FEWEST_FOR_SPREAD = 8
# a pair is suspicious when its runs miss the additive model by this many standard errors
SUSPICIOUS = 2.5
RUNS_FOR_PAIR = 3
MOST_FOUND_PAIRS = 20

Term = tuple[str, ...]  # () the level, (technique,), (technique, technique) in order, ("technique.lr",)


@dataclass(frozen=True)
class Observation:
    """One completed run: what it is called in a sentence, what it was, its val_loss."""

    trial: str
    config: RunConfig
    val_loss: float


@dataclass(frozen=True)
class Belief:
    """An effect on val_loss, nats per byte; `from_prior` when no run has it."""

    name: str
    mean: float
    sd: float
    n_runs: int
    from_prior: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Beliefs:
    """The posterior, and the runs it stands on. `noise_sd` is what a run strays from the model."""

    observations: tuple[Observation, ...]
    cards: tuple[Card, ...]
    base: RunConfig
    incumbent: RunConfig  # of the run with the lowest val_loss; the baseline before any run
    noise_sd: float
    terms: Mapping[Term, int]
    mean: Vector
    covariance: Matrix
    best_lr: Mapping[str, float]
    runs_with: Mapping[Term, tuple[Observation, ...]] = field(repr=False)

    def effect(self, name: str) -> Belief:
        """Of a technique put where the baseline has another or none, at its best known learning rate."""
        return self._belief((name,))

    def pair(self, a: str, b: str) -> Belief | None:
        """What two techniques do together beyond the sum of their effects; None for a pair nobody suspects."""
        term = _pair(a, b)
        return self._belief(term) if term in self.terms else None

    def difference(self, config: RunConfig, other: RunConfig) -> tuple[float, float]:
        """Mean and sd of the first one's val_loss minus the other's, without the noise of running them."""
        x = self._row(config) - self._row(other)
        return float(x @ self.mean), math.sqrt(max(0.0, float(x @ self.covariance @ x)))

    def expected(self, config: RunConfig) -> tuple[float, float]:
        """Mean and sd of the val_loss relative to the incumbent's."""
        return self.difference(config, self.incumbent)

    def expected_value(self, config: RunConfig, incumbent: RunConfig, cost: float) -> float:
        """Expected improvement on an incumbent per unit of cost: nats per byte for whatever the cost counts."""
        return expected_improvement(*self.difference(config, incumbent)) / cost

    def pairs(self) -> list[tuple[str, str]]:
        """The suspicious ones."""
        return sorted((term[0], term[1]) for term in self.terms if len(term) == 2)

    def _row(self, config: RunConfig) -> Vector:
        return _row(config, self.base, self.terms, self.best_lr)

    def _belief(self, term: Term) -> Belief:
        at, runs = self.terms[term], self.runs_with[term]
        sd = math.sqrt(float(self.covariance[at, at]))
        return Belief(" x ".join(term), float(self.mean[at]), sd, len(runs), not runs)


def expected_improvement(mean: float, sd: float) -> float:
    """E[max(0, -x)] for x ~ N(mean, sd^2): gain times its probability, in closed form."""
    if sd == 0.0:
        return max(0.0, -mean)
    z = -mean / sd
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    # erfc keeps its digits far out in the tail, where 1 + erf has none
    return max(0.0, sd * (density + z * math.erfc(-z / math.sqrt(2)) / 2))


def believe(observations: Iterable[Observation], noise_sd: float, cards: Sequence[Card], base: RunConfig) -> Beliefs:
    """The posterior from priors and runs, the same bits for any order of runs; `noise_sd` is that of seeds."""
    settings: dict[str, list[Observation]] = {}
    for o in observations:
        settings.setdefault(fingerprint(o.config), []).append(o)
    rows = [o for name in sorted(settings) for o in sorted(settings[name], key=lambda o: (o.val_loss, o.trial))]
    best_lr = _best_lrs(rows)
    priors = _priors(rows, cards, base, best_lr)
    spoken, doubtful = _best_settings(rows)
    y = np.array([o.val_loss for o in spoken])
    centre = float(np.median(y)) if spoken else 0.0
    X = _design(spoken, base, priors, best_lr)
    mean, covariance, noise = _posterior(X, y - centre, doubtful, priors, noise_sd)
    if found := _found_pairs(X, y - centre - X @ mean, noise, list(priors)):
        priors |= dict.fromkeys(found, (0.0, PAIR_SD))
        X = _design(spoken, base, priors, best_lr)
        mean, covariance, noise = _posterior(X, y - centre, doubtful, priors, noise_sd)
    everything = _design(rows, base, priors, best_lr)
    best = min(rows, key=lambda o: o.val_loss).config if rows else base
    return Beliefs(
        observations=tuple(rows), cards=tuple(cards), base=base, incumbent=best, noise_sd=noise, mean=mean,
        covariance=covariance, best_lr=best_lr, terms={term: at for at, term in enumerate(priors)},
        runs_with={term: tuple(rows[i] for i in np.flatnonzero(everything[:, at])) for at, term in enumerate(priors)},
    )  # fmt: skip


def stack_of(config: RunConfig) -> frozenset[tuple[str, str]]:
    """A config without its knobs: slots and names."""
    return frozenset((slot, pick.name) for slot, picks in config.picks.items() for pick in picks)


def added(config: RunConfig, base: RunConfig) -> list[str]:
    """The techniques of a config that the baseline doesn't have in that slot, in the order of slots."""
    return [
        pick.name
        for slot, picks in config.picks.items()
        for pick in picks
        if all(pick.name != fixed.name for fixed in base.picks[slot])
    ]


def _pair(a: str, b: str) -> Term:
    return (a, b) if a < b else (b, a)


def _lrs(config: RunConfig) -> Iterable[tuple[str, float]]:
    for picks in config.picks.values():
        for pick in picks:
            if "lr" in pick.knobs:
                yield pick.name, float(pick.knobs["lr"])


def _best_lrs(rows: Sequence[Observation]) -> dict[str, float]:
    """The learning rate of each technique's lowest run."""
    best: dict[str, float] = {}
    for o in sorted(rows, key=lambda o: o.val_loss):
        for name, lr in _lrs(o.config):
            best.setdefault(name, lr)
    return best


def _best_settings(rows: Sequence[Observation]) -> tuple[list[Observation], NDArray[np.bool_]]:
    """The runs of each stack's lowest setting, by its mean, and which may be accidents: the best of several is none."""
    stacks: dict[frozenset[tuple[str, str]], list[list[Observation]]] = {}
    for row in rows:
        settings = stacks.setdefault(stack_of(row.config), [])
        if settings and settings[-1][0].config == row.config:
            settings[-1].append(row)
        else:
            settings.append([row])
    best = [min(settings, key=lambda runs: sum(o.val_loss for o in runs) / len(runs)) for settings in stacks.values()]
    doubtful = [len(settings) == 1 or len(runs) > 1 for settings, runs in zip(stacks.values(), best, strict=True)]
    return [o for runs in best for o in runs], np.repeat(doubtful, [len(runs) for runs in best]).astype(bool)


def _priors(
    rows: Sequence[Observation], cards: Sequence[Card], base: RunConfig, best_lr: Mapping[str, float]
) -> dict[Term, tuple[float, float]]:
    """Every term's mean and sd before any run, in an order that depends on names only."""
    fixed = {pick.name for picks in base.picks.values() for pick in picks}
    by_name = {card["name"]: card for card in cards if card["name"] not in fixed}
    names = sorted(set(by_name).union(*(added(o.config, base) for o in rows)))
    priors: dict[Term, tuple[float, float]] = {(): (0.0, LEVEL_SD)}
    for name in names:
        prior = by_name.get(name, {}).get("prior")
        priors[(name,)] = (prior["sign"] * PRIOR_SIZE.get(prior["grade"], 0.0) if prior else 0.0, PRIOR_SD)
    for name in names:
        for what, shift in (("needs", -RELATION_SHIFT), ("clashes", RELATION_SHIFT)):
            for relation in by_name.get(name, {}).get(what, ()):
                # with a technique of the baseline it is no pair: alone is together
                if (relation["other"],) in priors:
                    priors[_pair(name, relation["other"])] = (shift, PAIR_SD)
    return priors | {(f"{name}.lr",): (CURVATURE, CURVATURE_SD) for name in sorted(best_lr)}


def _row(config: RunConfig, base: RunConfig, terms: Mapping[Term, int], best_lr: Mapping[str, float]) -> Vector:
    x = np.zeros(len(terms))
    x[terms[()]] = 1.0
    present = sorted(added(config, base))
    for at, name in enumerate(present):
        x[terms[(name,)]] = 1.0
        for other in present[at + 1 :]:
            if (name, other) in terms:
                x[terms[(name, other)]] = 1.0
    for name, lr in _lrs(config):
        if name in best_lr:
            x[terms[(f"{name}.lr",)]] = math.log10(lr / best_lr[name]) ** 2
    return x


def _design(
    rows: Sequence[Observation], base: RunConfig, order: Iterable[Term], best_lr: Mapping[str, float]
) -> Matrix:
    terms = {term: at for at, term in enumerate(order)}
    return np.array([_row(o.config, base, terms, best_lr) for o in rows]).reshape(len(rows), len(terms))


def _posterior(
    X: Matrix, y: Vector, doubtful: NDArray[np.bool_], priors: Mapping[Term, tuple[float, float]], noise_sd: float
) -> tuple[Vector, Matrix, float]:
    """Mean, covariance and the noise sd they rest on.

    Each round predicts every run from all others (closed form of leave-one-out), cuts what is
    `doubtful` and far above, and takes the common noise from the runs that others predict well.
    """
    assert noise_sd > 0.0, f"runs without noise ({noise_sd=}) leave nothing to weigh"
    prior_mean, prior_sd = np.array(list(priors.values())).T
    used, variance, noise, informed = y, np.full(len(y), noise_sd**2), noise_sd, None
    for _ in range(ROUNDS):
        root = np.linalg.inv(np.linalg.cholesky(np.diag(prior_sd**-2.0) + X.T @ (X / variance[:, None])))
        covariance = root.T @ root
        mean = covariance @ (prior_mean / prior_sd**2 + X.T @ (used / variance))
        inside = np.einsum("ij,jk,ik->i", X, covariance, X, optimize=True)
        share = 1.0 - inside / variance  # of the residual that the run's own pull left standing
        predicted, doubt = used - (used - X @ mean) / share, inside / share
        error = y - predicted
        if informed is None:
            informed = doubt < noise_sd**2
        if informed.sum() >= FEWEST_FOR_SPREAD:
            z = np.abs(error[informed]) / np.sqrt(doubt[informed] + noise**2)
            noise = max(noise_sd, noise * MAD_TO_SD * float(np.median(z)))
        far = FAR * np.sqrt(doubt + noise**2)
        # from nothing at `far` to one at infinity, so that no run falls off an edge
        beyond = np.where(doubtful, 1.0 - (far / np.maximum(error, far)) ** 2, 0.0)
        used = np.where(beyond > 0.0, predicted + far, y)
        variance = noise**2 + beyond * (doubt + (FAR * noise) ** 2)
    return mean, covariance, noise


def _found_pairs(X: Matrix, residual: Vector, noise: float, terms: Sequence[Term]) -> list[Term]:
    """Pairs with enough runs whose mean residual, accidents cut to size, is far from zero; the worst first."""
    names = [term for term in terms if len(term) == 1 and "." not in term[0]]
    P = X[:, [terms.index(name) for name in names]]
    together = P.T @ P
    cut = np.clip(residual, -FAR * noise, FAR * noise)
    errors = np.abs(P.T @ (P * cut[:, None])) / np.sqrt(np.maximum(together, 1.0)) / noise
    found = [
        (-float(errors[i, j]), (*names[i], *names[j]))
        for i, j in np.argwhere((errors > SUSPICIOUS) & (together >= RUNS_FOR_PAIR))
        if i < j and (*names[i], *names[j]) not in terms
    ]
    return sorted(pair for _, pair in sorted(found)[:MOST_FOUND_PAIRS])
