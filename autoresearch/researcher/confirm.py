"""Confirmation, the only place where a win is declared: the best few against the baseline, all run again on published
seeds, judged by the track's rule at looks that were planned before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from autoresearch.beliefs import stack_of
from autoresearch.looks import LOOKS, Look, planned_looks
from autoresearch.noise import Sample, pairing_ratio
from autoresearch.researcher.proposals import Evidence, Suggestion
from autoresearch.verdicts import Judgement, Method, Verdict, choose_method, decide_all, paired, unscored, welch
from bench.config import fingerprint
from bench.divisions import Division
from bench.knobs import Value
from bench.records import Reason, State
from bench.tracks import PUBLISHED_SEEDS, VerdictRule
from studies.views import TrialView, VerdictView

MOST_CANDIDATES = 3
# the ratio of variances that pairing rests on, from fewer degrees of freedom, is anybody's guess
PAIRING_FREEDOM = 4

ENDED = (State.COMPLETE, State.FAILED, State.PRUNED, State.REFUSED)


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A config that is run on published seeds."""

    name: str
    fingerprint: str
    params: dict[str, Value]

    def runs(self, trials: Sequence[TrialView]) -> dict[int, TrialView]:
        """By seed, as far as they have been proposed."""
        return {t.seed: t for t in trials if t.fingerprint == self.fingerprint and t.seed in PUBLISHED_SEEDS}


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """A few candidates against the baseline, how they are compared, and how many runs that may cost."""

    candidates: tuple[Arm, ...]
    old: Arm
    rule: VerdictRule
    method: Method
    most_runs: int

    @property
    def looks(self) -> tuple[Look, ...]:
        """As many as the runs pay for; none when not even the first is paid for."""
        ns = tuple(n for n in LOOKS if (1 + len(self.candidates)) * n <= self.most_runs)
        return planned_looks(self.rule.alpha, ns) if ns else ()

    def question(self, arm: Arm) -> str:
        return f"is {arm.name} better than {self.old.name}?"

    def next(self, trials: Sequence[TrialView]) -> Suggestion | None:
        """The next run of the current look, arms in turn (A B C, C B A) so that drift falls on all; None to wait or
        to judge. A candidate that a look has decided gets no further seed."""
        for look in self.looks:
            open_ = self._open(trials, look)
            if not open_:
                return None
            arms = (self.old, *open_)
            for place, seed in enumerate(PUBLISHED_SEEDS[: look.n]):
                for arm in arms if place % 2 == 0 else arms[::-1]:
                    if seed not in arm.runs(trials):
                        return Suggestion(
                            params=arm.params, proposer="confirm", seed=seed,
                            rule=f"look at {look.n} seeds an arm, {self._test} at alpha {look.alpha:.2g}",
                            reason=f"{arm.name} on published seed {seed}",
                            hypothesis="" if arm is self.old else self.question(arm),
                        )  # fmt: skip
            if not self._complete(trials, look, arms):
                return None
        return None

    @property
    def _test(self) -> str:
        several = f", Holm over {len(self.candidates)}" if len(self.candidates) > 1 else ""
        return f"{self.method.value}{several}"

    def _open(self, trials: Sequence[TrialView], look: Look) -> list[Arm]:
        """The candidates that no earlier look has decided."""
        decided = self._decided(trials, self.looks[: self.looks.index(look)])
        return [arm for arm in self.candidates if arm.fingerprint not in decided]

    def judgements(self, trials: Sequence[TrialView]) -> list[Judgement] | None:
        """Of each candidate that of the look that decided it, else of the last; None while a look has runs to come."""
        if not self.looks:
            return None
        for look in self.looks:
            if (open_ := self._open(trials, look)) and not self._complete(trials, look, (self.old, *open_)):
                return None
        decided = self._decided(trials, self.looks)
        last = self._at(trials, self.looks[-1], decided)
        return [decided.get(arm.fingerprint, (judged, 0))[0] for arm, judged in zip(self.candidates, last, strict=True)]

    def _decided(self, trials: Sequence[TrialView], looks: Sequence[Look]) -> dict[str, tuple[Judgement, int]]:
        """What the looks have decided, and at how many seeds an arm."""
        decided: dict[str, tuple[Judgement, int]] = {}
        for look in looks:
            open_ = [arm for arm in self.candidates if arm.fingerprint not in decided]
            if not open_ or not self._complete(trials, look, (self.old, *open_)):
                return decided
            found = self._at(trials, look, decided)
            decided |= {
                arm.fingerprint: (judged, look.n)
                for arm, judged in zip(self.candidates, found, strict=True)
                if arm in open_ and judged.verdict is not Verdict.INCONCLUSIVE
            }
        return decided

    def verdicts(self, trials: Sequence[TrialView]) -> tuple[VerdictView, ...] | None:
        """One a candidate; None while runs are to come."""
        found = self.judgements(trials)
        if found is None:
            return None
        return tuple(
            VerdictView(
                question=self.question(arm), verdict=judged.verdict.value, why=judged.why, effect=judged.effect,
                low=judged.low, high=judged.high, p=judged.p, n=judged.n,
                run_ids={
                    side: [t.run.id for t in of.runs(trials).values() if t.run]
                    for side, of in (("new", arm), ("old", self.old))
                },
            )
            for arm, judged in zip(self.candidates, found, strict=True)
        )  # fmt: skip

    def _complete(self, trials: Sequence[TrialView], look: Look, arms: Sequence[Arm]) -> bool:
        return all(
            seed in (runs := arm.runs(trials)) and runs[seed].state in ENDED
            for arm in arms
            for seed in PUBLISHED_SEEDS[: look.n]
        )

    def _at(
        self, trials: Sequence[TrialView], look: Look, decided: dict[str, tuple[Judgement, int]]
    ) -> list[Judgement]:
        """Every candidate's judgement, those decided before at the seeds they had, so that Holm always counts all."""
        unscored_: dict[str, Judgement] = {}
        comparisons = []
        for arm in self.candidates:
            _, n = decided.get(arm.fingerprint, (None, look.n))
            seeds = PUBLISHED_SEEDS[:n]
            runs = {side: [of.runs(trials)[seed] for seed in seeds] for side, of in (("new", arm), ("old", self.old))}
            lost = [t for of_arm in runs.values() for t in of_arm if t.val_loss is None]
            if lost:
                reasons = [(t.run.reason if t.run else None) or Reason.REFUSED for t in lost]
                unscored_[arm.fingerprint] = unscored(reasons, 2 * n)
                continue
            new, old = (
                Sample({seed: t.val_loss or 0.0 for seed, t in zip(seeds, runs[side], strict=True)})
                for side in ("new", "old")
            )
            comparisons.append(paired(new, old) if self.method is Method.PAIRED else welch(new, old))
        judged = iter(decide_all(comparisons, replace(self.rule, alpha=look.alpha)))
        return [unscored_[arm.fingerprint] if arm.fingerprint in unscored_ else next(judged) for arm in self.candidates]


def candidates(evidence: Evidence, plain: str, division: Division, most_runs: int) -> tuple[Arm, ...]:
    """The best stacks within what two single runs differ by chance from the best, each by its best knobs, as many as
    the runs pay a first look for. `plain` is the baseline's fingerprint."""
    most = min(MOST_CANDIDATES, most_runs // LOOKS[0] - 1)
    means = {print_: sample.mean for print_, sample in evidence.samples().items()}
    reach = 2 * evidence.noise_sd() * 2**0.5
    found: list[Arm] = []
    stacks: set[frozenset[tuple[str, str]]] = set()
    best = min(means.values(), default=0.0)
    for t in sorted(evidence.scored, key=lambda t: (means[t.fingerprint], t.number)):
        if len(found) >= most or t.fingerprint == plain or means[t.fingerprint] > best + reach:
            break
        if stack_of(t.config) not in stacks:
            stacks.add(stack_of(t.config))
            found.append(arm(f"trial {t.number} ({division.label(t.config)})", t))
    return tuple(found)


def pairing(samples: Mapping[str, Sample], plain: str) -> tuple[float | None, int]:
    """The pairing ratio of every replicated config against the baseline, and its degrees of freedom."""
    if plain not in samples:
        return None, 0
    pairs = [(sample, samples[plain]) for print_, sample in samples.items() if print_ != plain]
    shared = [len(one.scores.keys() & other.scores.keys()) for one, other in pairs]
    return pairing_ratio(pairs), sum(max(0, n - 1) for n in shared)


def method_for(samples: Mapping[str, Sample], plain: str, n: int) -> Method:
    """Paired only where the search's replicates have shown that pairing pays at n seeds an arm; fixed before a
    published seed is run."""
    ratio, freedom = pairing(samples, plain)
    return choose_method(ratio if freedom >= PAIRING_FREEDOM else None, n)


def arm(name: str, trial: TrialView) -> Arm:
    return Arm(name=name, fingerprint=fingerprint(trial.config), params=dict(trial.params))
