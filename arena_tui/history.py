"""How the best of a study came down, trial by trial: pure functions of the rows."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bench.records import State
from studies.views import TrialView

CONFIRMED_SEEDS = 3
_ENDED = (State.COMPLETE, State.FAILED, State.PRUNED)


@dataclass(frozen=True)
class Step:
    """From this many ended trials on, this is the lowest."""

    n_ended: int
    val_loss: float
    trial: int


def best_so_far(trials: Sequence[TrialView]) -> tuple[list[Step], list[Step]]:
    """Where single runs reached a new low, and where means over `CONFIRMED_SEEDS` did; in the order trials ended."""
    seen: list[Step] = []
    confirmed: list[Step] = []
    scores: dict[str, dict[int, float]] = defaultdict(dict)
    ended = [t for t in trials if t.state in _ENDED and t.run is not None]
    ended.sort(key=lambda t: (t.run.ended_at or t.created_at if t.run else 0.0, t.number))
    for n, trial in enumerate(ended, start=1):
        if trial.val_loss is None or trial.run is None:
            continue
        # the luckiest seed of a config is no better config
        if trial.seed is None and (not seen or trial.val_loss < seen[-1].val_loss):
            seen.append(Step(n, trial.val_loss, trial.number))
        mine = scores[trial.fingerprint]
        mine[trial.run.seed] = trial.val_loss
        if len(mine) >= CONFIRMED_SEEDS:
            mean = statistics.fmean(mine.values())
            if not confirmed or mean < confirmed[-1].val_loss:
                confirmed.append(Step(n, mean, trial.number))
    return seen, confirmed


def as_stairs(steps: Sequence[Step], n_ended: int) -> tuple[list[float], list[float]]:
    """x and y of a line that stays level until the next step."""
    x: list[float] = []
    y: list[float] = []
    for step in steps:
        if y:
            x.append(step.n_ended)
            y.append(y[-1])
        x.append(step.n_ended)
        y.append(step.val_loss)
    if y and x[-1] < n_ended:
        x.append(n_ended)
        y.append(y[-1])
    return x, y
