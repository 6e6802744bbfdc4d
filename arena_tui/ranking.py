"""Orders, deltas and counts over trials: pure functions of the rows."""

import functools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Concatenate, ParamSpec, TypeVar

from bench.config import Budget, fingerprint
from bench.divisions import baseline
from bench.records import Identity, State
from bench.standings import Entry, Standing, standings
from bench.tracks import FEATHERWEIGHT
from studies.views import StudyView, TrialView, under_latest_conditions

# By steps of training: drawn, never ranked.
PUBLISHED = dict(FEATHERWEIGHT.published)
PUBLISHED_NOTE = "published, unknown split: reference only"

P = ParamSpec("P")
T = TypeVar("T")
Trials = Sequence[TrialView]
# of one study under the few questions that a page asks, and of the study looked at before
LISTS_KEPT = 16

OUTCOMES = ("all", "valid", "failures")
WITHOUT_SCORE = (State.FAILED, State.REFUSED, State.PRUNED)
_FAILURES = (State.FAILED, State.REFUSED, State.PRUNED, State.INTERRUPTED)


@functools.cache
def baseline_print(budget: Budget) -> str:
    return fingerprint(baseline(budget))


class Baselines:
    """What the baseline scored, by identity: deltas are never taken across identities."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        scores: dict[Identity, dict[int, float]] = defaultdict(dict)
        self.entries = tuple(e for e in entries if e.fingerprint == baseline_print(e.config.budget))
        for entry in self.entries:
            scores[entry.identity][entry.seed] = entry.val_loss
        self._scores = dict(scores)

    def delta(self, trial: TrialView) -> float | None:
        """val_loss minus the baseline's: of the same seed where that was run, else its mean over seeds."""
        if trial.run is None or trial.val_loss is None:
            return None
        scores = self._scores.get(trial.run.identity)
        if not scores:
            return None
        return trial.val_loss - scores.get(trial.run.seed, fmean(scores.values()))


@dataclass(frozen=True)
class Boards:
    """What is made of all complete runs at once; thousands of them take a second, which no screen may wait for."""

    standings: list[Standing]
    baselines: Baselines

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "Boards":
        return cls(standings(entries), Baselines(entries))


def passes(outcomes: str, trial: TrialView) -> bool:
    match outcomes:
        case "valid":
            return trial.state not in _FAILURES
        case "failures":
            return trial.state in _FAILURES
        case _:
            return True


def _score(trial: TrialView) -> float:
    return math.inf if trial.val_loss is None else trial.val_loss


def _cost(trial: TrialView) -> float:
    return (trial.run.train_seconds if trial.run else None) or 0.0


_STATE_ORDER = {state: place for place, state in enumerate((State.RUNNING, State.QUEUED, State.COMPLETE))}

# Each key breaks ties by number, so that equal rows never change places.
SORTS: dict[str, Callable[[TrialView], tuple[float, ...]]] = {
    "number": lambda t: (t.number,),
    "newest": lambda t: (-t.number,),
    # the score of a short run says nothing beside that of a whole one
    "val_loss": lambda t: (t.is_short, _score(t), t.number),
    "cost": lambda t: (-_cost(t), t.number),
    "state": lambda t: (_STATE_ORDER.get(t.state, 9), t.is_short, _score(t), t.number),
}


def of_one_list(made: Callable[Concatenate[Trials, P], T]) -> Callable[Concatenate[Trials, P], T]:
    """Remembers what was made of a list: the mirror gives out the same one until something changes, and a page asks
    for it again at every key, which ten thousand trials would make slow."""
    kept: dict[tuple[object, ...], tuple[Trials, T]] = {}

    def remembered(trials: Trials, /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (id(trials), *args, *kwargs.items())
        if key not in kept or kept[key][0] is not trials:
            if len(kept) >= LISTS_KEPT:
                del kept[next(iter(kept))]
            kept[key] = trials, made(trials, *args, **kwargs)
        return kept[key][1]

    functools.update_wrapper(remembered, made)
    return remembered


def in_order(trials: Iterable[TrialView], sort: str) -> list[TrialView]:
    return sorted(trials, key=SORTS[sort])


@of_one_list
def listed(trials: Trials, outcomes: str, sort: str) -> list[TrialView]:
    """Those of some outcomes, in an order."""
    return in_order((trial for trial in trials if passes(outcomes, trial)), sort)


@of_one_list
def live_order(trials: Trials) -> list[TrialView]:
    """Running first, then the scored ones, best first, then what is queued."""
    shown = (State.RUNNING, State.COMPLETE, State.QUEUED)
    rows = [trial for trial in trials if trial.state in shown]
    return sorted(rows, key=lambda trial: (shown.index(trial.state), trial.is_short, _score(trial), trial.number))


@of_one_list
def baseline_trial(trials: Trials) -> TrialView | None:
    """The baseline of a study once it has a score; the trials come in order of their number."""
    prints: dict[int, str] = {}
    for trial in trials:
        budget = trial.config.budget
        # a study has one budget, and working out its hash ten thousand times is what this would cost
        print_ = prints.get(id(budget)) or prints.setdefault(id(budget), baseline_print(budget))
        if trial.val_loss is not None and trial.fingerprint == print_:
            return trial
    return None


@of_one_list
def best_of(trials: Trials) -> TrialView | None:
    """The lowest score of a whole run under the conditions of the study's last run; a replication is none of its own,
    or the luckiest seed would stand for its config."""
    return min((t for t in under_latest_conditions(trials) if t.ranks), key=SORTS["val_loss"], default=None)


def shown_runs(
    trials: Trials,
    marked: Sequence[int],
    selected: int | None,
    pinned: Sequence[int] = (),
    limit: int = 8,
) -> list[TrialView]:
    """The trials whose curves are drawn: pinned, running, marked, the one under the cursor, then the best."""
    with_run = {trial.number: trial for trial in trials if trial.run is not None}
    order = [number for number in pinned if number in with_run]
    order += [t.number for t in with_run.values() if t.state is State.RUNNING]
    order += [number for number in (*marked, selected) if number in with_run and number is not None]
    if not marked:
        order += [t.number for t in _scored(trials)]
    # marks ask for exactly themselves; without any, a few of the best make the first picture
    return [with_run[number] for number in dict.fromkeys(order)][:limit]


@of_one_list
def _scored(trials: Trials) -> list[TrialView]:
    """The lowest first. A replication is drawn with the config that it repeats."""
    return in_order((t for t in trials if t.val_loss is not None and t.seed is None), "val_loss")


def ended_because(trial: TrialView) -> str:
    """The class of a trial that has no score: the run's reason, else its state."""
    return trial.run.reason.value if trial.run and trial.run.reason else trial.state.value


def failures_by_reason(trials: Iterable[TrialView]) -> list[tuple[str, int]]:
    """Reasons with their counts, most frequent first; interrupted trials come back, so they are none."""
    counted = Counter(ended_because(trial) for trial in trials if trial.state in WITHOUT_SCORE)
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def trials_of_board(
    studies: Iterable[StudyView], trials: Callable[[str], Iterable[TrialView]], identity: Identity, division: str
) -> list[TrialView]:
    """The trials that were meant for a board: of studies with its division, track, corpus and budget."""
    found: list[TrialView] = []
    for study in studies:
        spec = study.spec
        budget = (spec.budget.steps, spec.budget.batch, spec.budget.seq_len)
        same = (spec.division_name, spec.track_name, spec.corpus_digest, *budget)
        if same == (division, identity.track, identity.corpus_digest, identity.steps, identity.batch, identity.seq_len):
            found += [t for t in trials(spec.name) if t.run is None or t.run.identity == identity]
    return found
