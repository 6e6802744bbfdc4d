"""What ended without a score before, and whether a config is headed there: a pure function of the trials.

Of runs with the same techniques, one that is in no way less than a failed one shares its fate, unless something at
least as much had a score. How much that is depends on how it failed:
- out of memory, out of time, too large: parameters and training FLOPs;
- diverged: the learning rates, from a `MARGIN` below on;
- crashed: nothing, so that one crash stands for all settings of its techniques until one of them has a score.

It advises: a proposer tries `TRIES` times to do without and then goes there all the same, so that a division full of
failures is still searched. Who goes on purpose (screen, leave-one-out, confirmation, replication) does not ask.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autoresearch.beliefs import stack_of
from bench.config import RunConfig
from bench.records import OVER_A_CAP, Reason, State
from studies.views import TrialView

TOO_MUCH = (Reason.OUT_OF_MEMORY, Reason.OUT_OF_TIME, *OVER_A_CAP)
KNOWLEDGE = (*TOO_MUCH, Reason.DIVERGED, Reason.CRASHED)
# of a learning rate that diverged; a tenth of a decade lower is no other experiment
MARGIN = 0.8
TRIES = 8

Stack = frozenset[tuple[str, str]]
Size = Callable[[RunConfig], tuple[int, ...]]  # what a config costs, each number of which may be too much


@dataclass(frozen=True)
class Feasibility:
    """The failed trials by their techniques, and the scored ones that may speak against them."""

    failed: Mapping[Stack, Sequence[TrialView]]
    scored: Mapping[Stack, Sequence[TrialView]]
    size: Size

    def near(self, config: RunConfig) -> TrialView | None:
        """The first failed trial whose fate a config would share; None when there is none."""
        stack = stack_of(config)
        return next((failed for failed in self.failed.get(stack, ()) if self._shares(config, failed, stack)), None)

    def _shares(self, config: RunConfig, failed: TrialView, stack: Stack) -> bool:
        assert failed.run is not None, "a failed trial has a run"
        reason = failed.run.reason
        margin = MARGIN if reason is Reason.DIVERGED else 1.0
        much = self._much(config, reason)
        return _covers(much, [margin * amount for amount in self._much(failed.config, reason)]) and not any(
            _covers(self._much(t.config, reason), much) for t in self.scored[stack]
        )

    def _much(self, config: RunConfig, reason: Reason | None) -> Sequence[float]:
        if reason in TOO_MUCH:
            return self.size(config)
        if reason is Reason.DIVERGED:
            return [float(p.knobs["lr"]) for picks in config.picks.values() for p in picks if "lr" in p.knobs]
        return ()


def feasibility(trials: Sequence[TrialView], size: Size) -> Feasibility:
    """What the trials of one kind of machine say."""
    failed: dict[Stack, list[TrialView]] = defaultdict(list)
    scored: dict[Stack, list[TrialView]] = defaultdict(list)
    for t in trials:
        if t.state is State.FAILED and t.run is not None and t.run.reason in KNOWLEDGE:
            failed[stack_of(t.config)].append(t)
    for t in trials if failed else ():
        if t.val_loss is not None and (stack := stack_of(t.config)) in failed:
            scored[stack].append(t)
    return Feasibility(failed, scored, size)


def _covers(one: Sequence[float], other: Sequence[float]) -> bool:
    """At least as much in every number."""
    assert len(one) == len(other), f"the same techniques are measured by as many numbers: {one} and {other}"
    return all(a >= b for a, b in zip(one, other, strict=True))
