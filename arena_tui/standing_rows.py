"""A board as rows: the ranked, the published lines as references, and what ended without a score."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.text import Text

from arena_tui import formatting
from arena_tui.contrast import Noise
from arena_tui.facts import standing_facts
from arena_tui.filters import Facts
from arena_tui.history import CONFIRMED_SEEDS
from arena_tui.ranking import PUBLISHED_NOTE, ended_because
from arena_tui.rows import STATE_STYLES, styled, why
from arena_tui.widgets.table import Column, Row
from bench.divisions import division_named
from bench.records import Identity
from bench.standings import Standing
from bench.tracks import track_named
from studies.views import BeltView, TrialView

COLUMNS = (
    Column("rank", "#", 3, right=True),
    Column("label", "fighter", 0),
    Column("val_loss", "val_loss", 8, right=True),
    Column("delta", "vs base", 8, right=True),
    Column("sigma", "sigma", 6, right=True),
    Column("seeds", "seeds", 11),
    Column("bytes", "weights", 8, right=True),
    Column("parameters", "params", 6, right=True),
)
WIDE_COLUMNS = (*COLUMNS, Column("seconds", "seconds", 7, right=True), Column("trial", "study/trial", 21))
# a lead of less than this many sd of one run, or of fewer than three seeds, is not settled
SETTLED = 2.0


@dataclass(frozen=True)
class BoardRow:
    """One line of a board. Only the ranked have a place; `study` and `trial` say what to open."""

    key: str
    cells: dict[str, Text | str]
    style: str
    facts: Facts
    study: str = ""
    trial: int | None = None

    def row(self, columns: Sequence[Column]) -> Row:
        return Row(self.key, tuple(self.cells.get(column.key, "") for column in columns), self.style)


def sigmas(row: Standing, noise: Noise | None) -> str:
    """delta in sd of one run of this board, with a `?` while it is not settled."""
    if row.delta is None or noise is None or noise.sigma <= 0 or row.delta == 0:
        return ""
    n = row.delta / noise.sigma
    return f"{n:+.1f}" + ("?" if abs(n) < SETTLED or row.unconfirmed else "")


@functools.cache
def _too_few(n_seeds: int) -> Text:
    return styled(f"{n_seeds} of {CONFIRMED_SEEDS}", "yellow")


def ranked(row: Standing, noise: Noise | None, honour: str = "") -> BoardRow:
    """One fighter; `honour` is `belt` or `champion` for who holds it by grading."""
    seeds = _too_few(row.n_seeds) if row.unconfirmed else f"{row.n_seeds} sd {row.sd or 0:.4f}"
    cells: dict[str, Text | str] = {
        "rank": str(row.rank),
        "label": Text.assemble((f"{honour} ", "bold yellow"), row.label, end="") if honour else row.label,
        "val_loss": formatting.loss(row.val_loss),
        "delta": formatting.delta(row.delta),
        "sigma": sigmas(row, noise),
        "seeds": seeds,
        "bytes": formatting.size(row.weights_bytes),
        "parameters": formatting.amount(row.parameters),
        "seconds": formatting.seconds(row.train_seconds),
        "trial": f"{row.study}/{row.trial}" if row.trial is not None else row.study,
    }
    return BoardRow(row.label, cells, "bold" if row.rank == 1 else "", standing_facts(row), row.study, row.trial)


def published(identity: Identity) -> list[BoardRow]:
    """The published lines of this budget: to look at, without a place."""
    found = []
    for steps, loss in track_named(identity.track).published:
        if steps == identity.steps:
            facts = Facts("published reference", {"label": "published", "state": "reference"}, {"val_loss": loss})
            cells: dict[str, Text | str] = {
                "rank": "-",
                "label": "published",
                "val_loss": formatting.loss(loss),
                "seeds": "reference",
                "trial": PUBLISHED_NOTE,
            }
            found.append(BoardRow(f"reference {steps}", cells, "italic dim", facts))
    return found


def unscored(trial: TrialView, division: str) -> BoardRow:
    """A trial that ended without a score: a valid entry, without a place."""
    because = ended_because(trial).replace("_", " ")
    label = division_named(division).label(trial.config)
    run = trial.run
    facts = Facts(
        f"{label} {trial.study} {because} {why(trial)}".lower(),
        {"label": label.lower(), "study": trial.study.lower(), "state": trial.state.value},
        {"seconds": run.train_seconds} if run and run.train_seconds is not None else {},
    )
    cells: dict[str, Text | str] = {
        "rank": "-",
        "label": label,
        "val_loss": formatting.ABSENT,
        "delta": formatting.ABSENT,
        "seeds": styled(because, STATE_STYLES[trial.state]),
        "parameters": formatting.amount(run.parameters if run else None),
        "seconds": formatting.seconds(run.train_seconds if run else None),
        "trial": f"{trial.study}/{trial.number}",
    }
    return BoardRow(f"{trial.study}/{trial.number}", cells, "", facts, trial.study, trial.number)


def with_mark(row: BoardRow) -> BoardRow:
    """The row of a marked trial."""
    return replace(row, cells=row.cells | {"rank": f"*{row.cells['rank']}"})


def honour_of(row: Standing, belts: Sequence[BeltView]) -> str:
    """What this config holds on its board."""
    for belt in belts:
        if (belt.identity, belt.division, belt.fingerprint) == (row.identity, row.division, row.fingerprint):
            return "champion" if belt.champion else "belt"
    return ""
