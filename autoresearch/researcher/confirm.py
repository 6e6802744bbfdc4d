"""Confirmation, the only place where a win is declared: the incumbent against the baseline, both run again on published
seeds, judged by the track's rule at looks that were planned before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autoresearch.looks import LOOKS, Look, planned_looks
from autoresearch.noise import Sample
from autoresearch.researcher.proposals import Suggestion
from autoresearch.verdicts import Judgement, Verdict, decide_all, unscored, welch
from bench.config import fingerprint
from bench.knobs import Value
from bench.records import Reason, State
from bench.tracks import PUBLISHED_SEEDS, VerdictRule
from studies.views import TrialView


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
    """One candidate against the baseline, and how many runs that may cost."""

    new: Arm
    old: Arm
    rule: VerdictRule
    most_runs: int

    @property
    def looks(self) -> tuple[Look, ...]:
        """As many as the runs pay for; none when not even the first is paid for."""
        ns = [n for n in LOOKS if 2 * n <= self.most_runs]
        return planned_looks(self.rule.alpha, ns) if ns else ()

    @property
    def question(self) -> str:
        return f"is {self.new.name} better than {self.old.name}?"

    def next(self, trials: Sequence[TrialView]) -> Suggestion | None:
        """The next run of the current look, arms in turn (A B B A) so that drift falls on both; None to judge."""
        for look in self.looks:
            for place, seed in enumerate(PUBLISHED_SEEDS[: look.n]):
                arms = (self.old, self.new) if place % 2 == 0 else (self.new, self.old)
                for arm in arms:
                    if seed not in arm.runs(trials):
                        return Suggestion(
                            params=arm.params, proposer="confirm", seed=seed,
                            rule=f"look at {look.n} seeds an arm, Welch at alpha {look.alpha:.2g}",
                            reason=f"{arm.name} on published seed {seed}", hypothesis=self.question,
                        )  # fmt: skip
            if not self._complete(trials, look) or self.judged(trials, look) is not None:
                return None
        return None

    def judgement(self, trials: Sequence[TrialView]) -> Judgement | None:
        """The first look that decides, else the last one's; None while a look has runs to come."""
        found = None
        for look in self.looks:
            if not self._complete(trials, look):
                return None
            found = self.judged(trials, look)
            if found is not None:
                return found
        return self._at(trials, self.looks[-1]) if self.looks else None

    def judged(self, trials: Sequence[TrialView], look: Look) -> Judgement | None:
        """What a look decides; None while it is inconclusive or has runs under way."""
        if not self._complete(trials, look):
            return None
        found = self._at(trials, look)
        return None if found.verdict is Verdict.INCONCLUSIVE else found

    def run_ids(self, trials: Sequence[TrialView]) -> dict[str, list[int]]:
        arms = (("new", self.new), ("old", self.old))
        return {side: [t.run.id for t in arm.runs(trials).values() if t.run] for side, arm in arms}

    def _complete(self, trials: Sequence[TrialView], look: Look) -> bool:
        ended = (State.COMPLETE, State.FAILED, State.PRUNED, State.REFUSED)
        return all(
            seed in (runs := arm.runs(trials)) and runs[seed].state in ended
            for arm in (self.old, self.new)
            for seed in PUBLISHED_SEEDS[: look.n]
        )

    def _at(self, trials: Sequence[TrialView], look: Look) -> Judgement:
        seeds = PUBLISHED_SEEDS[: look.n]
        runs = {arm.name: [arm.runs(trials)[seed] for seed in seeds] for arm in (self.new, self.old)}
        lost = [t for of_arm in runs.values() for t in of_arm if t.val_loss is None]
        if lost:
            reasons = [(t.run.reason if t.run else None) or Reason.REFUSED for t in lost]
            return unscored(reasons, 2 * look.n)
        new, old = (
            Sample({seed: t.val_loss or 0.0 for seed, t in zip(seeds, runs[arm.name], strict=True)})
            for arm in (self.new, self.old)
        )
        (found,) = decide_all([welch(new, old)], replace(self.rule, alpha=look.alpha))
        return found


def arm(name: str, trial: TrialView) -> Arm:
    return Arm(name=name, fingerprint=fingerprint(trial.config), params=dict(trial.params))
