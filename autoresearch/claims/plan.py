"""What the arms of the claims still have to run: tuned alike, then run on published seeds.

Read off the trials each time, a pure function of them, so that a study stopped anywhere goes on as if it had not been.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from autoresearch.claims.judging import judged
from autoresearch.researcher.phases import Move, Phase, under_way
from autoresearch.researcher.proposals import Suggestion
from bench.catalog import full_pick, technique
from bench.config import Budget, Pick, RunConfig, fingerprint
from bench.divisions import baseline
from bench.knobs import Span, knobs_of
from bench.records import State
from bench.tracks import PUBLISHED_SEEDS
from studies.claims import (
    ARMS,
    CLAIMS,
    DECAY_FACTORS,
    FINE_FACTOR,
    LR_FACTORS,
    N_FULL,
    N_TUNING,
    SEEDS,
    SHORT,
    STEPS,
    Arm,
    Claim,
)
from studies.definitions import StudySpec
from studies.views import TrialView, VerdictView

TUNE = Phase(name="tuning", proposers=("tuning",))
SEEDED = Phase(name="published seeds", proposers=("published seeds",))
# enough to tell two settings apart, few enough to read
SIGNIFICANT_DIGITS = 3

# A run's config and seed, None for the study's own; what the ledger knows is looked up by it.
RunName = tuple[str, int | None]
Known = Mapping[RunName, TrialView]


@dataclass(frozen=True)
class Step:
    """One run that an arm wants; `said` is what it is for."""

    made: "Made"
    said: str
    seed: int | None = None

    @property
    def name(self) -> RunName:
        return self.made.fingerprint, self.seed


@dataclass(frozen=True)
class Made:
    """A config and its fingerprint, which takes long enough to be worked out once."""

    config: RunConfig
    fingerprint: str


@dataclass(frozen=True)
class Tuned:
    """Factors of an arm's learning rate and weight decay."""

    lr: float
    decay: float


AS_IT_IS = Tuned(1.0, 1.0)


class ArmPlan:
    """The runs of one arm at the steps of one study."""

    def __init__(self, arm: Arm, spec: StudySpec) -> None:
        self.arm = arm
        self.budget = replace(spec.budget, steps=arm.steps * spec.budget.steps // STEPS)
        self.plain = with_stack(arm, baseline(self.budget))
        self._made: dict[tuple[Tuned, Budget], Made] = {}

    def steps(self, known: Known) -> Iterator[Step]:
        """Every run in order, as far as the runs before have ended and say what it is."""
        if self.arm.untuned:
            yield from self._seeds(self.at(AS_IT_IS, self.budget))
            return
        yield from self._tuning(known)
        if (chosen := self.chosen(known)) is not None:
            yield from self._seeds(chosen)

    def _tuning(self, known: Known) -> Iterator[Step]:
        short = replace(self.budget, steps=max(1, self.budget.steps // SHORT), short=True)
        tried: list[Tuned] = []

        def trial(at: Tuned) -> Step:
            tried.append(at)
            said = f"tuning trial {len(tried)} of {N_TUNING}, 1/{SHORT} of the steps: {self._describe(at)}"
            return Step(self.at(at, short), said)

        for factor in LR_FACTORS:
            yield trial(Tuned(factor, 1.0))
        best = self._best(tried, short, known)
        if best is None:
            return
        for factor in DECAY_FACTORS:
            yield trial(Tuned(best[0].lr, factor))
        best = self._best(tried, short, known)
        rates = self._best(tried[: len(LR_FACTORS)], short, known)
        if best is None or rates is None:
            return
        yield trial(self._finer(best[0], rates))
        best = self._best(tried, short, known)
        if best is None:
            return
        for place, at in enumerate(best[:N_FULL]):
            n = len(tried) + place + 1
            yield Step(self.at(at, self.budget), f"tuning trial {n} of {N_TUNING}, all steps: {self._describe(at)}")

    def chosen(self, known: Known) -> Made | None:
        """The config that goes on published seeds: the best of the trials at full length. None while tuning."""
        if self.arm.untuned:
            return self.at(AS_IT_IS, self.budget)
        full = [step.made for step in self._tuning(known) if step.made.config.budget == self.budget]
        scores = [score(known, (made.fingerprint, None)) for made in full]
        if len(full) < N_FULL or None in scores:
            return None
        return min(zip(full, scores, strict=True), key=lambda pair: pair[1] or 0.0)[0]

    def _seeds(self, made: Made) -> Iterator[Step]:
        for seed in PUBLISHED_SEEDS[:SEEDS]:
            yield Step(made, f"published seed {seed}", seed)

    def _best(self, tried: Sequence[Tuned], budget: Budget, known: Known) -> list[Tuned] | None:
        """Best first, the earlier of equals first; None while one of them has not ended."""
        scores = [score(known, (self.at(at, budget).fingerprint, None)) for at in tried]
        if None in scores:
            return None
        return [tried[i] for i in sorted(range(len(tried)), key=lambda i: (scores[i] or 0.0, i))]

    def _finer(self, best: Tuned, rates: Sequence[Tuned]) -> Tuned:
        """One more learning rate beside the best, on the side where its neighbour was better, or outward at an end."""
        inward = 1 / FINE_FACTOR if best.lr > 1 else FINE_FACTOR
        if best.lr == 1.0:
            side = FINE_FACTOR if rates.index(Tuned(max(LR_FACTORS), 1.0)) == 1 else 1 / FINE_FACTOR
        else:
            side = 1 / inward
        finer = replace(best, lr=best.lr * side)
        # at the end of its range the outward one is the same run again
        if self.at(finer, self.budget) == self.at(best, self.budget):
            return replace(best, lr=best.lr * inward)
        return finer

    def at(self, at: Tuned, budget: Budget) -> Made:
        """The arm with its learning rate and weight decay changed, kept within their ranges."""
        if (at, budget) not in self._made:
            config = self._moved(at, budget)
            self._made[at, budget] = Made(config, fingerprint(config))
        return self._made[at, budget]

    def _moved(self, at: Tuned, budget: Budget) -> RunConfig:
        optimizer = self.plain.pick("optimizer")
        ranges = {knob.name: knob.range for knob in knobs_of(technique("optimizer", optimizer.name))}
        knobs = dict(optimizer.knobs)
        for name, factor in (("lr", at.lr), ("weight_decay", at.decay)):
            span = ranges[name]
            assert isinstance(span, Span), f"{optimizer.name}.{name} has no range of numbers"
            moved = float(f"{float(knobs[name]) * factor:.{SIGNIFICANT_DIGITS}g}")
            # factor 1 keeps every digit
            knobs[name] = knobs[name] if factor == 1.0 else min(max(moved, span.low), span.high)
        return replace(self.plain.replaced("optimizer", [Pick(optimizer.name, knobs)]), budget=budget)

    def _describe(self, at: Tuned) -> str:
        knobs = self.at(at, self.budget).config.pick("optimizer").knobs
        return f"lr {knobs['lr']:g}, weight_decay {knobs['weight_decay']:g}"


def with_stack(arm: Arm, config: RunConfig) -> RunConfig:
    """The baseline with the arm's techniques in place and its knobs set."""
    for slot, names in arm.stack.items():
        config = config.replaced(slot, [full_pick(slot, name, {}) for name in names])
    for slot, picks in config.picks.items():
        own = {
            pick.name: {k: v for k in pick.knobs if (v := arm.knobs.get(f"{pick.name}.{k}")) is not None}
            for pick in picks
        }
        config = config.replaced(
            slot, [full_pick(slot, p.name, {**p.knobs, **own[p.name]}) if own[p.name] else p for p in picks]
        )
    return config


def score(known: Known, name: RunName) -> float | None:
    """val_loss of a run, infinite for one that ended without; None while it has not ended."""
    trial = known.get(name)
    if trial is None or trial.state in (State.QUEUED, State.RUNNING, State.INTERRUPTED):
        return None
    return math.inf if trial.val_loss is None else trial.val_loss


def known_runs(trials: Sequence[TrialView]) -> Known:
    return {(trial.fingerprint, trial.seed): trial for trial in trials}


@dataclass
class ClaimsPlan:
    """Every arm in turn; the next one begins while the runs of the one before are under way."""

    spec: StudySpec
    arms: Sequence[Arm] = ARMS
    claims: Sequence[Claim] = CLAIMS
    plans: dict[str, ArmPlan] = field(init=False)

    def __post_init__(self) -> None:
        self.plans = {arm.name: ArmPlan(arm, self.spec) for arm in self.arms}

    def next(self, number: int, trials: Sequence[TrialView]) -> Move:
        known = known_runs(trials)
        found = (self.verdict(known, claim) for claim in self.claims)
        verdicts = tuple(verdict for verdict in found if verdict is not None)
        spent = sum(trial.state is not State.REFUSED for trial in trials)
        if spent < self.spec.n_trials:
            for arm, step in self.wanted(known):
                if step.name not in known:
                    phase = TUNE if step.seed is None else SEEDED
                    return Move(phase=phase, suggest=partial(self.suggestion, arm, step), verdicts=verdicts)
        return Move(phase=SEEDED, over=not under_way(trials), verdicts=verdicts)

    def wanted(self, known: Known) -> Iterator[tuple[Arm, Step]]:
        for plan in self.plans.values():
            for step in plan.steps(known):
                yield plan.arm, step

    def suggestion(self, arm: Arm, step: Step) -> Suggestion:
        phase = TUNE if step.seed is None else SEEDED
        return Suggestion(
            params={}, config=step.made.config, seed=step.seed, proposer=phase.proposers[0],
            rule="every arm of a claim is tuned alike, then run on published seeds",
            reason=f"{arm.name}: {step.said}",
            hypothesis="; ".join(claim.text for claim in self.claims if arm.name in claim.arms),
        )  # fmt: skip

    def runs(self, known: Known, arm: str) -> dict[int, TrialView] | None:
        """The published runs of an arm by seed; None until all have ended."""
        plan = self.plans[arm]
        chosen = plan.chosen(known)
        if chosen is None:
            return None
        names = {seed: (chosen.fingerprint, seed) for seed in PUBLISHED_SEEDS[:SEEDS]}
        if any(score(known, name) is None for name in names.values()):
            return None
        return {seed: known[name] for seed, name in names.items()}

    def verdict(self, known: Known, claim: Claim) -> VerdictView | None:
        """What the runs say of a claim; None while one of its arms has runs to come."""
        runs = {arm: self.runs(known, arm) for arm in claim.arms}
        ended = {arm: of_arm for arm, of_arm in runs.items() if of_arm is not None}
        return judged(claim, ended, self.spec.track.rules[0]) if len(ended) == len(runs) else None
