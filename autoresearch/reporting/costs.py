"""The section on estimates: what each run was expected to cost before it began, and what it did cost."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autoresearch.reporting.facts import Facts
from autoresearch.reporting.report import SECONDS, Column, Row, Section, Sentence, table
from bench.config import RunConfig
from studies.views import RunView, TrialView

FURTHEST = 5
TITLE = "Estimates against measurements"


@dataclass(frozen=True)
class Compared:
    """One quantity of one run."""

    trial: int
    estimated: float
    measured: float

    @property
    def error(self) -> float:
        """Measured over estimated, minus one."""
        return self.measured / self.estimated - 1.0


def costs(facts: Facts) -> Section:
    """By quantity how far the estimates were off, then the trials that were furthest."""
    trials = [(t, t.run) for t in facts.scored if t.run and facts.size(t.config)]
    if not trials:
        return Section(TITLE, (Sentence("No scored trial has an estimate."),))
    by_quantity = {
        "parameters": _declared(trials, facts),
        "weights_bytes": _learnt(
            trials, lambda c: (c.pick("precision").name, facts.size(c)[0]), lambda run: run.weights_bytes
        ),
        "train_seconds": _learnt(trials, lambda c: ("", facts.size(c)[1]), lambda run: run.train_seconds),
    }
    said = Sentence(
        "Parameters are declared by each technique before a weight exists, and must be right to the last one. Training "
        "FLOPs are declared too: no run counts them, tests hold the declarations against torch's own counter. "
        "weights_bytes is estimated as the median of bytes per parameter over the trials of the same number format "
        "scored before, train_seconds as that of seconds per FLOP over all scored before. Error: measured over "
        "estimated, less 1."
    )
    rows = [_summary(name, found) for name, found in by_quantity.items() if found]
    columns = (
        Column("quantity"), Column("trials", "d"), Column("median error", "+.1%"), Column("lowest", "+.1%"),
        Column("highest", "+.1%"),
    )  # fmt: skip
    furthest = sorted(by_quantity["train_seconds"], key=lambda c: (-abs(c.error), c.trial))[:FURTHEST]
    listed = [Row((f"#{c.trial}", c.estimated, c.measured, c.error), (c.trial,)) for c in furthest]
    heads = (Column("trial"), Column("estimated, s", SECONDS), Column("measured, s", SECONDS), Column("error", "+.1%"))
    parts = (said, table(columns, rows))
    if not listed:
        return Section(TITLE, parts)
    worst = Sentence("Furthest off in time: what costs more, or less, than its FLOPs say.")
    return Section(TITLE, (*parts, worst, table(heads, listed)))


def _declared(trials: Sequence[tuple[TrialView, RunView]], facts: Facts) -> list[Compared]:
    """Parameters, a number of the config alone."""
    return [
        Compared(t.number, facts.size(t.config)[0], run.parameters) for t, run in trials if run.parameters is not None
    ]


def _learnt(
    trials: Sequence[tuple[TrialView, RunView]],
    declared: Callable[[RunConfig], tuple[str, int]],
    measured: Callable[[RunView], float | None],
) -> list[Compared]:
    """Estimates in proportion to a declared number, at the median rate of the trials of a kind that ended before."""
    rates: dict[str, list[float]] = defaultdict(list)
    found = []
    for t, run in sorted(trials, key=lambda pair: (pair[0].ended_at or 0.0, pair[0].number)):
        kind, amount = declared(t.config)
        if not (got := measured(run)):
            continue
        if rates[kind]:
            found.append(Compared(t.number, statistics.median(rates[kind]) * amount, got))
        rates[kind].append(got / amount)
    return found


def _summary(name: str, found: Sequence[Compared]) -> Row:
    errors = [c.error for c in found]
    return Row(
        (name, len(found), statistics.median(errors), min(errors), max(errors)),
        tuple(sorted({min(found, key=lambda c: c.error).trial, max(found, key=lambda c: c.error).trial})),
    )
