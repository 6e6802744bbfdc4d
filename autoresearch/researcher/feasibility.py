"""What ended without a score before, and whether a config is close to it: a pure function of the trials.

Two configs are neighbours only with the same techniques. Then
- what was too much (out of memory, out of time, too large) is too much again for whatever is at least as large, unless
  something at least as large had a score;
- what diverged or crashed does so again for knobs within `RADIUS` of their ranges, unless a score is as near. A
  diverged run's learning rate counts as near from any higher one.

It advises: each proposer tries `TRIES` times to do without, and then goes there all the same, so that a division full
of failures is still searched. Who goes on purpose (screen, leave-one-out, confirmation, replication) doesn't ask.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoresearch.beliefs import Card, stack_of
from bench.config import RunConfig
from bench.knobs import Value
from bench.records import Reason, State
from studies.views import TrialView

TOO_MUCH = (Reason.OUT_OF_MEMORY, Reason.OUT_OF_TIME, Reason.TOO_LARGE)
BROKE = (Reason.DIVERGED, Reason.CRASHED)
# of a knob's range, on the scale it is searched on: for a learning rate over two decades, a factor of 1.6
RADIUS = 0.1
TRIES = 8

Stack = frozenset[tuple[str, str]]
Size = Callable[[RunConfig], tuple[int, ...]]  # what a config costs, each number of which may be too much


@dataclass(frozen=True)
class Feasibility:
    """The failed trials by their techniques, and the scored ones that speak against them."""

    failed: Mapping[Stack, Sequence[TrialView]]
    scored: Mapping[Stack, Sequence[TrialView]]
    ranges: Mapping[str, Mapping[str, Any]]  # of each knob, as its card has it
    size: Size

    def near(self, config: RunConfig) -> TrialView | None:
        """The failed trial that a config is close to, the closest and then the first; None when none is."""
        stack = stack_of(config)
        found = [(gap, t.number, t) for t in self.failed.get(stack, ()) if (gap := self._gap(config, t)) <= RADIUS]
        if not found:
            return None
        gap, _, failed = min(found)
        return None if any(self._clears(config, t, failed, gap) for t in self.scored[stack]) else failed

    def _gap(self, config: RunConfig, failed: TrialView) -> float:
        """How far a config is from sharing a failure's fate: 0 when nothing speaks for it, infinite when all does."""
        assert failed.run is not None, "a failed trial has a run"
        if failed.run.reason in TOO_MUCH:
            return 0.0 if _covers(self.size(config), self.size(failed.config)) else math.inf
        upwards = failed.run.reason is Reason.DIVERGED
        return max(
            (
                0.0 if upwards and name.endswith(".lr") and value >= was else self._apart(name, value, was)
                for name, value, was in _knobs(config, failed.config)
            ),
            default=0.0,
        )

    def _clears(self, config: RunConfig, scored: TrialView, failed: TrialView, gap: float) -> bool:
        """Whether a score tells that a config need not share the failure's fate."""
        assert failed.run is not None, "a failed trial has a run"
        if failed.run.reason in TOO_MUCH:
            return _covers(self.size(scored.config), self.size(config))
        return all(self._apart(*knob) <= gap for knob in _knobs(config, scored.config))

    def _apart(self, name: str, value: Value, other: Value) -> float:
        """Two values of a knob, as a share of its range; choices are the same or a whole range apart."""
        ends = self.ranges.get(name, {})
        if value == other:
            return 0.0
        if "low" not in ends or isinstance(value, str) or isinstance(other, str):
            return 1.0
        if ends["log"] and min(value, other) > 0:
            return abs(math.log(value / other)) / math.log(ends["high"] / ends["low"])
        return abs(value - other) / (ends["high"] - ends["low"])


def feasibility(trials: Sequence[TrialView], cards: Sequence[Card], size: Size) -> Feasibility:
    """What the trials of one kind of machine say."""
    failed: dict[Stack, list[TrialView]] = defaultdict(list)
    scored: dict[Stack, list[TrialView]] = defaultdict(list)
    for t in trials:
        if t.state is State.FAILED and t.run is not None and t.run.reason in (*TOO_MUCH, *BROKE):
            failed[stack_of(t.config)].append(t)
    for t in trials if failed else ():
        if t.val_loss is not None and (stack := stack_of(t.config)) in failed:
            scored[stack].append(t)
    ranges = {f"{card['name']}.{knob['name']}": knob["range"] for card in cards for knob in card.get("knobs", ())}
    return Feasibility(failed, scored, ranges, size)


def _covers(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """At least as large in every number."""
    return all(a >= b for a, b in zip(one, other, strict=False))


def _knobs(config: RunConfig, other: RunConfig) -> list[tuple[str, Any, Any]]:
    """Name and both values of each knob of two configs with the same techniques."""
    return [
        (f"{pick.name}.{name}", value, twin.knobs.get(name))
        for slot, picks in config.picks.items()
        for pick, twin in zip(picks, other.picks[slot], strict=True)
        for name, value in pick.shown.items()
    ]
