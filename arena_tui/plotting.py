"""From runs to what `CurvePlot` draws."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from arena_tui.badges import Badge
from arena_tui.history import as_stairs, best_so_far
from arena_tui.mirror import Mirror
from arena_tui.widgets.curve_plot import Series
from bench.config import Budget
from bench.records import State
from studies.views import StudyView, TrialView

METRICS = ("train_loss", "probe_loss")
AXES = ("step", "bytes", "seconds")


def with_seeds(trials: Iterable[TrialView], mirror: Mirror) -> list[TrialView]:
    """The trials and every other seed of their configs: whose curves a band is made of."""
    return [seed for trial in trials for seed in mirror.seeds_of(trial)]


def series_of(
    trials: Sequence[TrialView],
    mirror: Mirror,
    badges: Mapping[str, Badge],
    colours: Sequence[str],
    metric: str,
    axis: str = "step",
    band: bool = True,
    pinned: TrialView | None = None,
) -> list[Series]:
    """One series per run that has points, or per config with its seeds as a band; a run that failed ends with a mark.

    The pinned one comes last, on top of all.
    """
    found: list[Series] = []
    done: set[int] = set()
    on_top = (pinned.study, pinned.number) if pinned else None
    for trial in sorted(trials, key=lambda trial: (trial.study, trial.number) == on_top):
        if trial.run is None or trial.run.id in done:
            continue
        seeds = mirror.seeds_of(trial) if band else [trial]
        runs = [t.run.id for t in seeds if t.run and len(mirror.curves.get(t.run.id, ()))]
        if trial.run.id not in runs:
            continue
        done |= set(runs)
        badge = badges[f"{trial.study}/{trial.number}"]
        study = mirror.studies.get(trial.study)
        name = f"#{trial.number} {study.spec.division.label(trial.config) if study else ''}"
        name += f" n={len(runs)}" if len(runs) > 1 else ""
        name += " pinned" if (trial.study, trial.number) == on_top else ""
        over = "seconds" if axis == "seconds" else "step"
        runs = [run for run in runs if len(mirror.curves[run].xy(metric, over)[0])]
        if len(runs) > 1:
            x, y, *edges = mirror.band(runs, metric, over)
        else:
            x, y, *edges = mirror.curves[trial.run.id].xy(metric, over)
        ended = None
        if trial.state is State.FAILED and len(runs) <= 1:
            last = mirror.curves[trial.run.id].last
            ended = float(trial.run.step) if over == "step" else last.seconds if last else None
        if axis == "bytes":
            each = bytes_per_step(trial.config.budget)
            x, ended = x * each, None if ended is None else ended * each
        band_ = (edges[0], edges[1]) if edges else None
        found.append(Series(name, badge.letter, badge.on(colours), x, y, ended, band_))
    return found


def bytes_per_step(budget: Budget) -> int:
    """What the budget allows a step; a curriculum may use less."""
    return budget.batch * budget.seq_len


def axis_end(budget: Budget, axis: str) -> float | None:
    """Where the budget ends the axis; seconds have no end of their own."""
    match axis:
        case "step":
            return budget.steps
        case "bytes":
            return budget.steps * bytes_per_step(budget)
        case _:
            return None


def rungs_of(trials: Iterable[TrialView], axis: str) -> list[float]:
    """Where runs of a study were cut, as values of the axis."""
    pruned = [t for t in trials if t.state is State.PRUNED and t.run is not None and t.run.step > 0]
    if axis == "seconds":
        return []  # every run reaches a rung at a time of its own
    return sorted({t.run.step * (bytes_per_step(t.config.budget) if axis == "bytes" else 1.0) for t in pruned if t.run})


def history_of(trials: Sequence[TrialView], colours: Sequence[str]) -> list[Series]:
    """The lowest val_loss over ended trials as stairs: of single runs, and of means over three seeds."""
    n_ended = sum(t.state in (State.COMPLETE, State.FAILED, State.PRUNED) for t in trials)
    named = (("best so far", "b", colours[0]), ("confirmed, n >= 3", "c", colours[2]))
    found = []
    for steps, (name, letter, colour) in zip(best_so_far(trials), named, strict=True):
        if steps:
            x, y = (np.array(values, dtype=np.float64) for values in as_stairs(steps, n_ended))
            found.append(Series(name, letter, colour, x, y))
    return found


def references(mirror: Mirror, study: StudyView | None) -> list[tuple[str, float]]:
    """The baseline of this study's board, the best that three seeds confirm, and the published line where it applies.

    The published line belongs to the corpus that it speaks of.
    """
    if study is None:
        return []
    lines = []
    spec = study.spec
    scores = [
        e.val_loss
        for e in mirror.baselines.entries
        if e.identity.corpus_digest == spec.corpus_digest and e.config.budget == spec.budget
    ]
    if scores:
        lines.append(("baseline val_loss", math.fsum(scores) / len(scores)))
    board = (spec.division_name, spec.corpus_digest, spec.budget.steps)
    for belt in mirror.belts:
        # who holds one may have its published runs in another ledger
        if belt.scores and (belt.division, belt.identity.corpus_digest, belt.identity.steps) == board:
            lines.append((f"belt {spec.division.label(belt.config)}", belt.val_loss))
            break
    for row in mirror.standings:
        held = (row.division, row.identity.corpus_digest, row.identity.steps)
        if held == board and not row.unconfirmed and row.delta:
            lines.append((f"best confirmed {row.label}", row.val_loss))
            break
    published = dict(spec.track.published)
    if spec.corpus_name == spec.track.corpus and spec.budget.steps in published:
        lines.append(("published (unknown split)", published[spec.budget.steps]))
    return lines
