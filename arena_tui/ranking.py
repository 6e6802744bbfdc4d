"""Orders, deltas and counts over trials: pure functions of the rows."""

import functools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from bench.config import Budget, fingerprint
from bench.divisions import baseline
from bench.records import Identity, State
from bench.standings import Entry
from bench.tracks import FEATHERWEIGHT
from studies.views import StudyView, TrialView, under_latest_conditions

# By steps of training: drawn, never ranked.
PUBLISHED = dict(FEATHERWEIGHT.published)
PUBLISHED_NOTE = "published, unknown split: reference only"

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
        self.entries = tuple(e for e in entries if fingerprint(e.config) == baseline_print(e.config.budget))
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


def in_order(trials: Iterable[TrialView], sort: str) -> list[TrialView]:
    return sorted(trials, key=SORTS[sort])


def live_order(trials: Iterable[TrialView]) -> list[TrialView]:
    """Running first, then the scored ones, best first, then what is queued."""
    shown = (State.RUNNING, State.COMPLETE, State.QUEUED)
    rows = [trial for trial in trials if trial.state in shown]
    return sorted(rows, key=lambda trial: (shown.index(trial.state), trial.is_short, _score(trial), trial.number))


def baseline_trial(trials: Iterable[TrialView]) -> TrialView | None:
    """The baseline of a study once it has a score; the trials come in order of their number."""
    prints: dict[int, str] = {}
    for trial in trials:
        budget = trial.config.budget
        # a study has one budget, and working out its hash ten thousand times is what this would cost
        print_ = prints.get(id(budget)) or prints.setdefault(id(budget), baseline_print(budget))
        if trial.val_loss is not None and trial.fingerprint == print_:
            return trial
    return None


def best_of(trials: Iterable[TrialView]) -> TrialView | None:
    """The lowest score of a whole run under the conditions of the study's last run; a replication is none of its own,
    or the luckiest seed would stand for its config."""
    return min((t for t in under_latest_conditions(trials) if t.ranks), key=SORTS["val_loss"], default=None)


def shown_runs(
    trials: Sequence[TrialView],
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
        # a replication is drawn with the config that it repeats
        scored = (t for t in with_run.values() if t.val_loss is not None and t.seed is None)
        order += [t.number for t in in_order(scored, "val_loss")]
    # marks ask for exactly themselves; without any, a few of the best make the first picture
    return [with_run[number] for number in dict.fromkeys(order)][:limit]


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
