"""Ablation: the stack without each of its techniques in turn, for what each is worth in that company; and the stack
without those that prove to be worth nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from autoresearch.beliefs import added
from autoresearch.noise import Noise, Sample, noise_of
from autoresearch.researcher.combine import runs_of
from autoresearch.researcher.proposals import Evidence, Proposers, Suggestion
from autoresearch.researcher.squares import without
from autoresearch.verdicts import Place, place_in_stack, pooled
from bench.config import RunConfig, fingerprint
from bench.records import Reason, State
from bench.tracks import PUBLISHED_SEEDS, search_seeds
from studies.views import TrialView, VerdictView

# of an arm, as far as the trials of the phase go
ABLATION_SEEDS = 3


@dataclass(frozen=True, kw_only=True)
class Placed:
    """What a technique is to the stack, and what that rests on."""

    name: str
    verdict: VerdictView


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """`subject` is the stack that is taken apart: the incumbent of the phases before this one."""

    proposers: Proposers
    subject: TrialView
    trials: Sequence[TrialView]
    usual_noise: float

    @cached_property
    def arms(self) -> dict[str, RunConfig]:
        """The stack without each technique that the study may choose; what has no place without it goes with it."""
        space = self.proposers.space
        found = {}
        for name in added(self.subject.config, space.base):
            config = self._settled(without(self.subject.config, [name], space.base))
            if name not in added(config, space.base) and not self.proposers.objections(config):
                found[name] = config
        return found

    @cached_property
    def unasked(self) -> dict[str, RunConfig]:
        known = {t.fingerprint for t in self.trials}
        return {name: config for name, config in self.arms.items() if fingerprint(config) not in known}

    def _settled(self, config: RunConfig) -> RunConfig:
        space = self.proposers.space
        return space.recall(space.params_for(config))[0]

    def next(self, left: int) -> Suggestion | None:
        """Each left out once; then seeds where one can't tell, the last trial kept for the simpler stack; then that."""
        if left < 1:
            return None
        for name, config in self.unasked.items():
            return self._suggestion(config, name, None)
        known = {t.fingerprint for t in self.trials}
        if (again := next(self._more_seeds(), None)) and (left > 1 or not self._simpler(known)):
            return self._suggestion(*again)
        return self._simpler(known)

    def _suggestion(self, config: RunConfig, name: str | None, seed: int | None) -> Suggestion:
        stack = f"trial {self.subject.number} at {self.subject.val_loss:.4f}" + (f" without {name}" if name else "")
        return Suggestion(
            params=self.proposers.space.params_for(config),
            proposer="leave-one-out",
            seed=seed,
            rule="each technique of the incumbent is left out once"
            if seed is None
            else f"up to {ABLATION_SEEDS} seeds where fewer can't tell what a technique is worth",
            reason=stack if seed is None else f"{stack} on seed {seed}",
            hypothesis=f"without {name} val_loss rises above trial {self.subject.number}'s" if name else "",
        )

    def _more_seeds(self) -> Iterator[tuple[RunConfig, str | None, int]]:
        """Of the arms that are inconclusive and the stack itself, whatever has fewest seeds."""
        open_ = [p.name for p in self.places if p.verdict.verdict == Place.INCONCLUSIVE.value]
        if not open_:
            return
        arms: list[tuple[RunConfig, str | None]] = [(self.subject.config, None)]
        arms += [(self.arms[name], name) for name in open_]
        spec = self.proposers.space.spec
        for config, name in sorted(arms, key=lambda arm: len(self._seeds(arm[0]))):
            seeds = self._seeds(config)
            if len(seeds) < ABLATION_SEEDS:
                yield config, name, next(seed for seed in search_seeds(spec.seed) if seed not in seeds)

    def _seeds(self, config: RunConfig) -> set[int]:
        """Proposed so far, whatever became of them; a published one is the confirmation's."""
        print_, own = fingerprint(config), self.proposers.space.spec.seed
        seeds = {own if t.seed is None else t.seed for t in self.trials if t.fingerprint == print_}
        return seeds - {*PUBLISHED_SEEDS}

    def _simpler(self, known: set[str]) -> Suggestion | None:
        """The stack without everything that is shown to be neutral or harmful."""
        idle = [p.name for p in self.places if p.verdict.verdict in (Place.NEUTRAL.value, Place.HARMFUL.value)]
        if not idle:
            return None
        config = self._settled(without(self.subject.config, idle, self.proposers.space.base))
        if fingerprint(config) in known or self.proposers.objections(config):
            return None
        return Suggestion(
            params=self.proposers.space.params_for(config),
            proposer="simplify",
            rule="what the ablation finds neutral or harmful is dropped",
            reason=f"trial {self.subject.number} without {', '.join(idle)}",
            hypothesis=f"as good as trial {self.subject.number} with {len(idle)} techniques fewer",
            expected=self.subject.val_loss,
        )

    @cached_property
    def noise(self) -> Noise | None:
        """Of the stack and what is left of it, as far as their own seeds tell."""
        prints = [self.subject.fingerprint, *(fingerprint(config) for config in self.arms.values())]
        return noise_of([self._samples[p] for p in prints if p in self._samples], self._samples.values())

    @cached_property
    def _samples(self) -> dict[str, Sample]:
        return Evidence(self.trials, self.usual_noise).samples()

    @cached_property
    def places(self) -> list[Placed]:
        """Of every technique that was left out and has ended."""
        return [placed for name, config in self.arms.items() if (placed := self._placed(name, config)) is not None]

    def _placed(self, name: str, config: RunConfig) -> Placed | None:
        prints = {"new": fingerprint(config), "old": self.subject.fingerprint}
        runs = runs_of(prints, self.trials)
        question = f"what is {name} to trial {self.subject.number}'s stack?"
        sample, stack = self._samples.get(prints["new"]), self._samples[prints["old"]]
        if sample is None:
            lost = [t for t in self.trials if t.fingerprint == prints["new"] and t.state is State.FAILED]
            if not lost:
                return None
            why = f"without it the run ended without a score: {_reason(lost[0])}"
            return Placed(name=name, verdict=_view(question, "failed", why, runs))
        if self.noise is None:
            why = "noise is not known: no config has two seeds that differ"
            return Placed(name=name, verdict=_view(question, Place.INCONCLUSIVE.value, why, runs))
        rule = self.proposers.space.spec.track.rules[0]
        comparison = pooled(sample, stack, self.noise)
        # what a lone run could not show is not worth a technique; nor is less than the margin
        found = place_in_stack(comparison, rule, max(rule.margin, self.noise.single_run_bound))
        interval = comparison.interval(rule.alpha)
        assert interval is not None, "pooled noise gives an interval"
        verdict = VerdictView(
            question=question, verdict=found.place.value, why=found.why, effect=comparison.effect, low=interval[0],
            high=interval[1], p=found.p, n=min(sample.n, stack.n), run_ids=runs,
        )  # fmt: skip
        return Placed(name=name, verdict=verdict)

    def verdicts(self) -> tuple[VerdictView, ...]:
        return tuple(placed.verdict for placed in self.places)


def _reason(trial: TrialView) -> str:
    reason = trial.run.reason if trial.run else Reason.REFUSED
    return (reason or Reason.CRASHED).value.replace("_", " ")


def _view(question: str, verdict: str, why: str, run_ids: dict[str, list[int]]) -> VerdictView:
    return VerdictView(
        question=question, verdict=verdict, why=why, effect=None, low=None, high=None, p=None, n=0, run_ids=run_ids
    )
