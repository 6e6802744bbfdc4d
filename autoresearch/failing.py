"""When failures end a study: too many of them, or the same one again and again. A pure function of ledger rows."""

from collections import Counter
from collections.abc import Iterable

from bench.records import OVER_A_CAP, Reason, State
from studies.views import EventView, TrialView

# Both from the practice of trial schedulers (Ax halts at a failure rate above one half after five failures).
FAILURES = 5
RATE = 0.5
IN_A_ROW = 3
# What the reason of such an end begins with, in the ledger and on the screen.
GAVE_UP = "gave up"
# How the ledger calls the one repeat that a killed run is given.
RETRIED = "retried"

# These say that a config is no good, not that something is broken, however often they come.
_OF_THE_CONFIG = (Reason.REFUSED, *OVER_A_CAP, Reason.DIVERGED)


def why_give_up(trials: Iterable[TrialView], since: float = 0.0) -> str | None:
    """Why a study should end for the failures of trials that ended after a time; None when it may go on.

    What was refused, too large or too slow is no failure, and a run that another trial had paid for is nobody's here.
    """
    ended = sorted(
        (t for t in trials if _is_counted(t) and (t.ended_at or 0.0) > since), key=lambda t: (t.ended_at, t.number)
    )
    failed = [t for t in ended if t.state is State.FAILED]
    if len(failed) >= FAILURES and len(failed) > RATE * len(ended):
        classes = Counter(t.run.reason.value for t in failed if t.run and t.run.reason)
        counted = ", ".join(f"{reason} {n}" for reason, n in sorted(classes.items()))
        return f"{GAVE_UP}: {len(failed)} of {len(ended)} trials failed ({counted})"
    last = [crash(t) for t in ended[-IN_A_ROW:]]
    if len(last) == IN_A_ROW and last[0] is not None and len(set(last)) == 1:
        reason, line = last[0]
        return f"{GAVE_UP}: {IN_A_ROW} trials in a row ended alike, {reason.value}: {line}"
    return None


def crash(trial: TrialView) -> tuple[Reason, str] | None:
    """What two identical crashes share: class and last line. None for a score, and for what tells of the config."""
    run = trial.run
    if trial.state is not State.FAILED or run is None or run.reason is None or run.reason in _OF_THE_CONFIG:
        return None
    lines = (run.log_tail.strip() or run.message.strip()).splitlines()
    return run.reason, lines[-1].strip() if lines else ""


def gave_up_at(events: Iterable[EventView]) -> float:
    """When the study last ended for its failures, seconds since 1970; whoever resumes it begins a new count."""
    return max((e.at for e in events if e.kind == "ended" and e.text.startswith(GAVE_UP)), default=0.0)


def retried_trials(events: Iterable[EventView]) -> set[int]:
    """The trials whose run was killed and has been given its one repeat."""
    return {e.trial for e in events if e.kind == RETRIED and e.trial is not None}


def _is_counted(trial: TrialView) -> bool:
    run = trial.run
    if run is None or trial.state not in (State.COMPLETE, State.FAILED) or run.reason in OVER_A_CAP:
        return False
    # a run begun before its trial was proposed is linked, at no cost
    return (run.started_at or 0.0) >= trial.created_at
