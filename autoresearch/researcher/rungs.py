"""Rungs: complete short runs that say which configs deserve a longer one. A pure function of a study's trials.

A rung is one part in so many of the study's steps, with a whole schedule of its own, and its score is compared with
scores of the same rung alone. A config starts on the shortest rung and climbs when it is among the best third of those
like it (asynchronous successive halving, Li et al. 2020, arXiv:1810.05934, decided from the ledger's rows each time).
What acts late in a run is judged only beside what has the same late techniques, for a short run says least of these.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from autoresearch.beliefs import Card
from autoresearch.ranks import spearman
from bench.config import Budget, fingerprint
from bench.records import State
from studies.definitions import StudySpec
from studies.views import TrialView

# each rung is one part in so many of the study's steps, the shortest first
RUNGS = (9, 3)
# In fewer steps the slow starters lose: after 55 the three best stacks of 500 steps were 10th, 11th and 13th of 23, so
# none was of the best third (`make measure ninth`). A study of fewer than 1,350 has no rung of a ninth.
LEAST_STEPS = 150
# of a rung's stacks, one in so many goes on
KEPT = 3
# a rung that ranks so many configs no better than this, against their whole runs, is dropped
ENOUGH_PAIRS = 12
LEAST_SPEARMAN = 0.2

WHOLE = 1
# scores that a promotion's reason names
NAMED = 3


def rungs_for(steps: int) -> tuple[int, ...]:
    """The rungs that are long enough to mean something in a study of so many steps; none in a short one."""
    return tuple(rung for rung in RUNGS if steps // rung >= LEAST_STEPS)


def budget_at(budget: Budget, rung: int) -> Budget:
    """A study's budget cut to a rung."""
    return budget if rung == WHOLE else replace(budget, steps=budget.steps // rung, short=True)


def share_of(rung: int) -> str:
    """For a sentence: `1/9 of the steps`."""
    return "all steps" if rung == WHOLE else f"1/{rung} of the steps"


@dataclass(frozen=True, kw_only=True)
class Climb:
    """One config on one rung, as its trial left it."""

    trial: int
    stack: str  # names the config whatever its steps
    rung: int
    late: frozenset[str]
    val_loss: float | None  # nats per byte, comparable within the rung only; None without a score


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """A config that goes on, and the scores that say so."""

    trial: int
    to: int
    rule: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How a rung ranks the configs that have a whole run too; `pairs` are trial numbers, short and full."""

    rung: int
    pairs: tuple[tuple[int, int], ...]
    spearman: float | None  # None where there is nothing to rank

    @property
    def misleads(self) -> bool:
        return len(self.pairs) >= ENOUGH_PAIRS and self.spearman is not None and self.spearman < LEAST_SPEARMAN

    @property
    def verdict(self) -> str:
        if self.misleads:
            return "dropped"
        return "trusted" if len(self.pairs) >= ENOUGH_PAIRS else f"used until {ENOUGH_PAIRS} configs tell"

    @property
    def told(self) -> str:
        """One line."""
        ranked = "no rank yet" if self.spearman is None else f"Spearman {self.spearman:.2f}"
        return f"{share_of(self.rung)}: {ranked} over {len(self.pairs)} configs run whole too, {self.verdict}"


def calibration(climbs: Iterable[Climb], rung: int) -> Calibration:
    """Over the first score of each config on the rung and in full."""
    short: dict[str, Climb] = {}
    full: dict[str, Climb] = {}
    for climb in sorted(climbs, key=lambda climb: climb.trial):
        if climb.val_loss is not None and climb.rung in (rung, WHOLE):
            (short if climb.rung == rung else full).setdefault(climb.stack, climb)
    both = [(short[stack], full[stack]) for stack in short if stack in full]
    early, late = ([climb.val_loss or 0.0 for climb in side] for side in zip(*both, strict=True)) if both else ([], [])
    known = len(set(early)) > 1 and len(set(late)) > 1
    return Calibration(
        rung=rung,
        pairs=tuple((one.trial, other.trial) for one, other in both),
        spearman=spearman(early, late) if known else None,
    )


def in_use(climbs: Collection[Climb], rungs: Sequence[int]) -> tuple[int, ...]:
    """The rungs without those that mislead."""
    return tuple(rung for rung in rungs if not calibration(climbs, rung).misleads)


def promotion(climbs: Collection[Climb], rungs: Sequence[int], left: Fraction) -> Promotion | None:
    """The next config to climb, from the longest rung down; None while every rung's best have gone on.

    `left` is what may still be spent, in whole runs. When it pays for no new config's way to the end, the best that
    waits goes on though it is not of the best third.
    """
    used = in_use(climbs, rungs)
    last = left < sum((Fraction(1, rung) for rung in used), Fraction(1))
    for rung, to in reversed(list(zip(used, (*used, WHOLE)[1:], strict=True))):
        gone_on = {climb.stack for climb in climbs if climb.rung < rung}
        for group in _ranked(climbs, rung):
            most = -(-len(group) // KEPT)
            # a search that gets better would otherwise find each new stack among the best of all before it
            full = sum(climb.stack in gone_on for climb in group) >= most
            for place, climb in enumerate(group, start=1):
                if climb.stack not in gone_on and (last or (place <= most and not full)):
                    return _promoted(climb, place, group, to, last)
    return None


def _ranked(climbs: Iterable[Climb], rung: int) -> list[list[Climb]]:
    """The rung's scored configs in groups of the like, each group's best first.

    Like is what has the same late techniques; sets too rare to be ranked alone share a group.
    """
    first: dict[str, Climb] = {}
    for climb in sorted(climbs, key=lambda climb: climb.trial):
        if climb.rung == rung and climb.val_loss is not None:
            first.setdefault(climb.stack, climb)
    n_with = Counter(climb.late for climb in first.values())
    groups: dict[tuple[str, ...], list[Climb]] = defaultdict(list)
    for climb in sorted(first.values(), key=lambda climb: (climb.val_loss or 0.0, climb.trial)):
        alone = not climb.late or n_with[climb.late] >= KEPT
        groups[tuple(sorted(climb.late)) if alone else ("rare",)].append(climb)
    return [groups[name] for name in sorted(groups)]


def _promoted(climb: Climb, place: int, group: Sequence[Climb], to: int, last: bool) -> Promotion:
    like = f" with {' and '.join(sorted(climb.late))}" if climb.late else ""
    best = ", ".join(f"#{other.trial} {other.val_loss:.4f}" for other in group[: max(place, NAMED)])
    why = "nothing begun now could still climb: the best that waits goes on" if last else f"the best 1/{KEPT} of a rung"
    return Promotion(
        trial=climb.trial,
        to=to,
        rule=f"{why}, to {share_of(to)}",
        reason=f"#{climb.trial} at {climb.val_loss:.4f} is number {place} of {len(group)} stacks{like} at "
        f"{share_of(climb.rung)}: {best}",
    )


@dataclass(frozen=True)
class Ladder:
    """The rungs of one study; `cards` say which techniques act late."""

    spec: StudySpec
    cards: Sequence[Card]
    _stacks: dict[str, str] = field(default_factory=dict)

    def budget(self, rung: int) -> Budget | None:
        """Of a short run; None for the study's own."""
        return None if rung == WHOLE else budget_at(self.spec.budget, rung)

    def start(self, climbs: Collection[Climb]) -> int:
        """The rung that a new config begins on."""
        return next(iter(in_use(climbs, self.spec.rungs)), WHOLE)

    def promotion(self, climbs: Collection[Climb], left: Fraction) -> Promotion | None:
        return promotion(climbs, self.spec.rungs, left)

    def calibrations(self, trials: Iterable[TrialView]) -> list[Calibration]:
        climbs = self.climbs(trials)
        return [calibration(climbs, rung) for rung in self.spec.rungs]

    def dropped(self, climbs: Collection[Climb]) -> list[str]:
        """A sentence on each rung that misleads."""
        return [found.told for rung in self.spec.rungs if (found := calibration(climbs, rung)).misleads]

    def climbs(self, trials: Iterable[TrialView]) -> list[Climb]:
        """The trials as far as the rungs go; a replication is none."""
        late = {card["name"] for card in self.cards if card.get("late")}
        rungs = {budget_at(self.spec.budget, rung): rung for rung in self.spec.rungs}
        return [
            Climb(
                trial=t.number,
                stack=self._stack(t),
                rung=rungs.get(t.config.budget, WHOLE),
                late=frozenset(p.name for picks in t.config.picks.values() for p in picks if p.name in late),
                val_loss=t.val_loss if t.state is State.COMPLETE else None,
            )
            for t in trials
            if t.seed is None
        ]

    def _stack(self, trial: TrialView) -> str:
        """The fingerprint that the config has with all its steps; hashed once."""
        if not trial.is_short:
            return trial.fingerprint
        if trial.fingerprint not in self._stacks:
            self._stacks[trial.fingerprint] = fingerprint(replace(trial.config, budget=self.spec.budget))
        return self._stacks[trial.fingerprint]
