"""Two to eight configs as rows of what differs: pure functions of the trials."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arena_tui import formatting
from arena_tui.contrast import Contrast, contrast
from arena_tui.mirror import Mirror
from bench.config import RunConfig
from bench.knobs import Value
from bench.records import State
from studies.views import TrialView

MOST = 8


@dataclass(frozen=True)
class Fact:
    """A row: its name and a cell for each config."""

    name: str
    cells: tuple[str, ...]


def choices(config: RunConfig) -> dict[str, str]:
    """Every pick and knob of a config by name: `optimizer`, `optimizer.lr`."""
    found: dict[str, str] = {}
    for slot, picks in config.picks.items():
        found[slot] = "+".join(pick.label for pick in picks) or formatting.ABSENT
        for pick in picks:
            prefix = slot if len(picks) == 1 else f"{slot}.{pick.label}"
            found |= {f"{prefix}.{knob}": _value(value) for knob, value in pick.knobs.items()}
    budget = config.budget
    return found | {"steps": str(budget.steps), "batch": str(budget.batch), "seq_len": str(budget.seq_len)}


def _value(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def differing(trials: Sequence[TrialView]) -> list[Fact]:
    """The choices in which they are not all alike."""
    told = [choices(trial.config) for trial in trials]
    names = list(dict.fromkeys(name for one in told for name in one))
    rows = [Fact(name, tuple(one.get(name, formatting.ABSENT) for one in told)) for name in names]
    return [row for row in rows if len(set(row.cells)) > 1]


def measured(trials: Sequence[TrialView], reference: TrialView, mirror: Mirror) -> list[Fact]:
    """Scores, differences to the reference with their intervals, and costs."""
    scores = [mirror.scores_of(trial) for trial in trials]
    gaps = [_gap(trial, reference, mirror) for trial in trials]
    rows = [
        Fact("val_loss", tuple(_mean(of, trial) for of, trial in zip(scores, trials, strict=True))),
        Fact("seeds", tuple(_seeds(list(of.values())) for of in scores)),
        Fact("delta", tuple(gap if isinstance(gap, str) else formatting.delta(gap.effect).strip() for gap in gaps)),
        Fact("95 % from", tuple("" if isinstance(gap, str) else formatting.delta(gap.low).strip() for gap in gaps)),
        Fact("95 % to", tuple("" if isinstance(gap, str) else formatting.delta(gap.high).strip() for gap in gaps)),
    ]
    return rows + [Fact(name, tuple(tell(trial) for trial in trials)) for name, tell in _COSTS]


def basis(trials: Sequence[TrialView], reference: TrialView, mirror: Mirror) -> str:
    """On what the intervals rest, each way once."""
    gaps = [_gap(trial, reference, mirror) for trial in trials]
    return "; ".join(dict.fromkeys(gap.basis for gap in gaps if not isinstance(gap, str)))


def _gap(trial: TrialView, reference: TrialView, mirror: Mirror) -> Contrast | str:
    """To the reference, or why there is none."""
    if (trial.study, trial.number) == (reference.study, reference.number):
        return "reference"
    if trial.run is None or reference.run is None:
        return formatting.ABSENT
    if trial.run.identity != reference.run.identity:
        return "other board"
    if trial.fingerprint == reference.fingerprint:
        return "same config"
    noise = mirror.noise(trial.run.identity)
    return contrast(mirror.scores_of(trial), mirror.scores_of(reference), noise) or formatting.ABSENT


def _mean(scores: dict[int, float], trial: TrialView) -> str:
    if not scores:
        return trial.state.value
    # still running or short of seeds: seen, and not a verdict
    return formatting.loss(statistics.fmean(scores.values())) + ("~" if trial.state is State.RUNNING else "")


def _seeds(scores: Sequence[float]) -> str:
    return f"{len(scores)} sd {statistics.stdev(scores):.4f}" if len(scores) > 1 else str(len(scores))


_COSTS: tuple[tuple[str, Callable[[TrialView], str]], ...] = (
    ("weights", lambda t: formatting.size(t.run.weights_bytes if t.run else None)),
    ("parameters", lambda t: formatting.amount(t.run.parameters if t.run else None)),
    ("FLOPs", lambda t: formatting.amount(t.run.train_flops if t.run else None)),
    ("training", lambda t: formatting.duration(t.run.train_seconds if t.run else None)),
)
