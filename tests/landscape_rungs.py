"""The landscape at a part of the steps, and a search of it that climbs rungs at the cost of so many whole runs.

The survey gives no model of short runs, only how well early scores ranked records: Spearman 0.9 with the loss before
packing, 0.4 to 0.9 with the score. Here a run of 1/r of the steps loses 0.055 ln r as the survey's own formula says,
wants a higher learning rate, has less use for size and late techniques, and strays by its stack: in all that gives 0.85
at a ninth and 0.92 at a third over random stacks, 0.57 and 0.71 over the best fifth.

    python tests/landscape_rungs.py 24 50      compares, over 24 seeds at the cost of 50 whole runs
"""

import math
import random
import statistics
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import landscape
import optuna
from landscape_search import POLICIES, suggest
from optuna.trial import TrialState

from autoresearch.researcher.local import drawn_from, local_edit
from autoresearch.researcher.rungs import WHOLE, Climb, in_use, promotion
from bench.knobs import Value

# decades of learning rate by which ten times fewer steps move the best one up
LR_DRIFT = 0.15
# the gain of size goes with this power of the steps
SIZE_POWER = 0.15
# how far a stack's own liking for short runs moves it, sd for e times fewer steps
OWN_WAY_SD = 0.0015
# fewer bytes are scored
SHORT_NOISE = 1.5


def score_at(p: Mapping[str, Value], rung: int) -> float:
    """Bits per byte without noise after 1/rung of the steps."""
    score = landscape.true_score(p)
    if rung == WHOLE:
        return score
    score += 0.055 * math.log(rung)
    moved = dict(p)
    moved[f"{p['optimizer']}.lr"] = p[f"{p['optimizer']}.lr"] * rung**-LR_DRIFT
    if p["averaging"] == "ema":
        # a run of fewer steps has as many fewer to look back on
        moved["ema.forget"] = p["ema.forget"] / rung
    score += landscape.true_score(moved) - landscape.true_score(p)
    score += (0.066 * math.log(p["layers"] / 9) + 0.045 * math.log(p["mlp"] / 2)) * (1 - rung**-SIZE_POWER)
    if p["averaging"] == "swa":
        score += 0.006 * (1 - 1 / rung)
    if p["qat"]:
        without = landscape.true_score({**p, "qat": False}) - 0.055 * math.log(1 / 1.10)
        score += (without - landscape.true_score(p)) * (1 - 1 / rung)
    return score + random.Random(repr(sorted(p.items()))).gauss(0.0, OWN_WAY_SD) * math.log(rung)


def late(p: Mapping[str, Value]) -> frozenset[str]:
    averaging = {str(p["averaging"])} - {"none"}
    return frozenset(averaging | ({"qat"} if p["qat"] else set()))


@dataclass
class RungSearch:
    """The search shares of the researcher, each new stack on the shortest rung; over the cap costs nothing."""

    seed: int
    n_runs: int  # whole runs that all trials together may cost
    rungs: tuple[int, ...]
    climbs: list[Climb] = field(default_factory=list)
    params: list[landscape.Params] = field(default_factory=list)
    spent: Fraction = Fraction(0)

    def run(self) -> float:
        """The true score of the best whole run."""
        self.rng, self.noise = random.Random(self.seed), random.Random(self.seed)
        self.study = optuna.create_study()
        self.tpe = optuna.samplers.TPESampler(seed=self.seed, multivariate=True, constant_liar=True)
        self.plain = optuna.samplers.RandomSampler(seed=self.seed)
        best: dict[int, tuple[float, landscape.Params]] = {}
        n_new = 0
        while self.spent < self.n_runs:
            left = self.n_runs - self.spent
            rung, asked, draws = WHOLE, landscape.BASELINE, False
            if self.params:
                found = promotion(self.climbs, self.rungs, left)
                if found is not None:
                    rung, asked = found.to, self.params[found.trial]
                else:
                    rung, n_new = next(iter(in_use(self.climbs, self.rungs)), WHOLE), n_new + 1
                    draws = POLICIES["search"](self.seed, n_new) == "tpe"
                    _, stand = best.get(rung, (0.0, landscape.BASELINE))
                    asked = local_edit(landscape.walk, stand, self.drawn, self.rng, self.params.__contains__)
            score, params = self.trial(rung, None if draws else asked)
            best[rung] = min(best.get(rung, (score, params)), (score, params), key=lambda rival: rival[0])
        return landscape.true_score(best[WHOLE][1])

    def drawn(self, name, values) -> Value:
        return drawn_from(values, self.rng)

    def trial(self, rung: int, asked: landscape.Params | None) -> tuple[float, landscape.Params]:
        """Its score, infinite without one, and what was run."""
        self.study.sampler = self.tpe if asked is None else self.plain
        if asked is not None:
            self.study.enqueue_trial(asked)
        trial = self.study.ask()
        params = suggest(trial)
        trial.set_constraint("bytes", landscape.artifact_bytes(params) / landscape.CAP_BYTES - 1)
        score = float("inf")
        if not landscape.fits(params):
            self.study.tell(trial, state=TrialState.PRUNED)
        elif landscape.out_of_memory(params):
            self.study.tell(trial, state=TrialState.FAIL)
            self.spent += Fraction(1, rung)
        else:
            self.spent += Fraction(1, rung)
            sd = landscape.NOISE_SD * (1.0 if rung == WHOLE else SHORT_NOISE)
            score = score_at(params, rung) + self.noise.gauss(0.0, sd)
            if rung == WHOLE:
                self.study.tell(trial, score)
            else:
                trial.report(score, 10_000 // rung)
                self.study.tell(trial, state=TrialState.PRUNED)
        self.climbs.append(
            Climb(
                trial=len(self.params), stack=repr(sorted(params.items())), rung=rung, late=late(params),
                val_loss=None if math.isinf(score) else score,
            )
        )  # fmt: skip
        self.params.append(params)
        return score, params


def main(n_seeds: int, n_runs: int) -> None:
    for rungs in ((), (3,), (9, 3)):
        searches = [RungSearch(seed, n_runs, rungs) for seed in range(n_seeds)]
        best = [search.run() for search in searches]
        error = statistics.stdev(best) / n_seeds**0.5
        kept = sum(in_use(search.climbs, rungs) == rungs for search in searches)
        trials = statistics.fmean(len(search.params) for search in searches)
        said = f"{statistics.fmean(best):.4f} +- {error:.4f}, {trials:.0f} trials, {kept} keep their rungs"
        print(f"rungs {rungs}: {said}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
