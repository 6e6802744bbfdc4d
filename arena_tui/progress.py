"""Whether a study is being run, how far it is and how long it will take: pure functions of rows and a clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from arena_tui.formatting import age
from bench.records import State
from studies.views import STALE_SECONDS, StudyView, TrialView

# Enough trials for a steady median, few enough to follow a change of pace.
RECENT = 10


@dataclass(frozen=True)
class Liveness:
    """A word for the header and a sentence for the study's page. `stale`: it says running, and nobody runs it."""

    word: str
    sentence: str
    stale: bool = False

    @property
    def style(self) -> str:
        if self.stale:
            return "bold red"
        return "green" if self.word.startswith("LIVE") else "dim"


def liveness(study: StudyView, alive: bool, now: float) -> Liveness:
    """Never from the state alone: a killed coordinator leaves its rows running."""
    if study.owner_pid is None:
        if study.shipped:
            return Liveness("shipped", "measured by the project")
        if study.ending is not None:
            return Liveness("done", study.ending)
        why = f": {study.ended_reason}" if study.ended_reason else ""
        return Liveness("stopped", f"nobody runs it now{why}")
    silent = max(0.0, now - (study.heartbeat_at or study.created_at))
    who = f"process {study.owner_pid} on {study.owner_host}"
    if not alive:
        return Liveness(
            f"STALE {age(silent)}",
            f"{who} is gone; `autoresearch resume {study.spec.word}` goes on from here",
            stale=True,
        )
    if silent > STALE_SECONDS:
        return Liveness(f"STALE {age(silent)}", f"{who} has been silent for {age(silent)}", stale=True)
    if study.stop_requested_at is not None:
        return Liveness("stopping", f"{who} has been asked to stop")
    # an age that ticked every second would draw the line again for nothing
    return Liveness("LIVE" if silent < 3 else f"LIVE {age(silent)}", f"run by {who}")


@dataclass(frozen=True)
class TimeLeft:
    seconds: float
    basis: str


def time_left(study: StudyView, trials: Sequence[TrialView], now: float) -> TimeLeft | None:
    """From the study's own recent trials, else from the steps of the run under way; None when nothing tells."""
    running = [t.run for t in trials if t.state is State.RUNNING and t.run is not None and t.run.started_at is not None]
    if study.n_expected is None or (left := study.n_expected - study.n_done) <= 0:
        return None
    lasted = [
        ((t.run.ended_at - t.run.started_at) * study.spec.budget.steps / t.config.budget.steps, t.run.ended_at)
        for t in trials
        if t.state in (State.COMPLETE, State.FAILED, State.PRUNED) and t.run and t.run.ended_at and t.run.started_at
    ]
    at_once = max(1, len(running))
    if lasted:
        recent = sorted(lasted, key=lambda pair: pair[1])[-RECENT:]
        each = median(seconds for seconds, _ in recent)
        basis = f"median of last {len(recent)} trials" if len(recent) > 1 else "from the one trial that has ended"
    else:
        going = [(run, (now - (run.started_at or now)) / run.step) for run in running if run.step > 0]
        if not going:
            return None
        each = median(per_step for _, per_step in going) * study.spec.budget.steps
        basis = "from the steps of the run under way, evaluation not counted"
    spent = sum(min(each, now - (run.started_at or now)) for run in running)
    return TimeLeft(max(0.0, left * each - spent) / at_once, basis + (f", {at_once} at a time" if at_once > 1 else ""))
