"""The board as text and as JSON, for pipes, logs and terminals without a screen. stdout is data."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from arena_tui import formatting
from arena_tui.ranking import PUBLISHED, PUBLISHED_NOTE, failures_by_reason, trials_of_board
from arena_tui.sources import Source, find_source
from bench.divisions import DIVISIONS, Division, division_named
from bench.errors import StoreError
from bench.records import Identity
from bench.standings import Entry, Standing, standings
from bench.streams import print_out
from bench.tracks import FEATHERWEIGHT, track_named
from studies.views import StudyView, TrialView

NO_STORE = "no studies yet: type  autoresearch --division optimizer --trials 5 --steps 100"

_HEADS = ("#", "fighter", "val_loss", "vs base", "seeds", "weights", "params", "seconds", "trial")
_RIGHT = {"#", "val_loss", "vs base", "weights", "params", "seconds"}


@dataclass(frozen=True)
class Ledger:
    """All that a board is made of, read at once."""

    source: Source
    studies: list[StudyView]
    entries: list[Entry]
    trials: dict[str, list[TrialView]]


def read_ledger(store: str | None, study: str | None = None) -> Ledger | None:
    """Everything, or one study's share; None when there is no store at all. Raises StoreError."""
    source = find_source(store)
    if source is None:
        return None
    from studies.reading import Reader

    reader = Reader(source.path)
    studies = [reader.study(study)] if study else reader.studies()
    names = {view.name for view in studies}
    entries = [entry for entry in reader.entries() if entry.study in names]
    trials = {name: reader.trials(name) for name in names}
    reader.close()
    return Ledger(source, studies, entries, trials)


def print_board(store: str | None, study: str | None) -> None:
    """What `arena` says without a terminal."""
    ledger = read_ledger(store, study)
    if ledger is None or not ledger.studies:
        if study is not None:
            raise StoreError(f"there is no study named {study}: there is no study yet", NO_STORE.split(": ", 1)[1])
        print_out(NO_STORE)
        return
    lines = board_lines(ledger, standings(ledger.entries), None)
    print_out("\n".join(lines))


def print_standings(store: str | None, track: str | None, division: str | None, as_json: bool) -> None:
    if track:
        track_named(track)
    wanted = division_named(division, track or FEATHERWEIGHT.name) if division else None
    ledger = read_ledger(store)
    rows = standings(ledger.entries) if ledger else []
    rows = [r for r in rows if (not track or r.identity.track == track) and (not division or r.division == division)]
    if as_json:
        names = _corpora(ledger.studies if ledger else [])
        print_out(json.dumps([to_json(row, names) for row in rows], indent=2))
    elif ledger is None or not ledger.studies:
        print_out(NO_STORE)
    else:
        print_out("\n".join(board_lines(ledger, rows, wanted)))


def to_json(row: Standing, corpora: dict[str, str]) -> dict[str, Any]:
    """A standing as one object; losses in nats per byte."""
    track = track_named(row.identity.track)
    exhibition = row.identity.steps not in track.belt_steps
    extra = {"corpus_name": corpora.get(row.identity.corpus_digest), "exhibition": exhibition}
    return asdict(row) | extra | {"unconfirmed": row.unconfirmed}


def board_lines(ledger: Ledger, rows: Sequence[Standing], only: Division | None) -> list[str]:
    """Boards one under the other, the identity with the newest result first."""
    names = _corpora(ledger.studies)
    lines: list[str] = []
    for identity in _newest_first(ledger, rows):
        lines += [formatting.identity(identity, names.get(identity.corpus_digest, "corpus")), ""]
        if any(s.shipped and s.spec.corpus_digest == identity.corpus_digest for s in ledger.studies):
            lines[-1:] = ["measured by the project; the sample itself is not shipped", ""]
        for division in DIVISIONS:
            board = [row for row in rows if row.identity == identity and row.division == division.name]
            if board:
                lines += [*_division_lines(ledger, identity, division, board), ""]
    if not lines:
        lines = [f"no complete run yet in {only.name if only else 'any division'}", ""]
    published = "  ".join(f"{loss:.4f} at {steps} steps" for steps, loss in PUBLISHED.items())
    return [*lines, f"{published}: {PUBLISHED_NOTE}, never ranked with ours"]


def _division_lines(ledger: Ledger, identity: Identity, division: Division, board: list[Standing]) -> list[str]:
    lines = [f"{division.name}: {division.question}", *_table([_HEADS, *map(_cells, board)])]
    trials = trials_of_board(ledger.studies, lambda name: ledger.trials[name], identity, division.name)
    if failures := failures_by_reason(trials):
        counted = ", ".join(f"{reason.replace('_', ' ')} {n}" for reason, n in failures)
        lines.append(f"  {sum(n for _, n in failures)} of {len(trials)} trials without a score: {counted}")
    return lines


def _cells(row: Standing) -> tuple[str, ...]:
    return (
        str(row.rank),
        formatting.one_line(row.label) + (" FLAGGED" if row.flagged else ""),
        formatting.loss(row.val_loss),
        formatting.delta(row.delta),
        _seeds(row),
        formatting.size(row.weights_bytes),
        formatting.amount(row.parameters),
        formatting.seconds(row.train_seconds),
        row.study if row.trial is None else f"{row.study}/{row.trial}",
    )


def _seeds(row: Standing) -> str:
    """How many stand behind the mean, and apart from it what the search saw."""
    told = f"{row.n_seeds} unconfirmed" if row.unconfirmed else f"{row.n_seeds} sd {row.sd or 0:.4f}"
    return told if row.search_loss is None else f"{told}, searched {formatting.loss(row.search_loss)}"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    right = [head in _RIGHT for head in rows[0]]
    return [
        "  " + "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)).rstrip()
        for row in rows
    ]


def _corpora(studies: Iterable[StudyView]) -> dict[str, str]:
    return {study.spec.corpus_digest: study.spec.corpus_name for study in studies}


def _newest_first(ledger: Ledger, rows: Sequence[Standing]) -> list[Identity]:
    newest: dict[Identity, float] = {}
    for trials in ledger.trials.values():
        for trial in trials:
            if trial.run is not None:
                at = trial.run.ended_at or 0.0
                newest[trial.run.identity] = max(newest.get(trial.run.identity, 0.0), at)
    return sorted({row.identity for row in rows}, key=lambda identity: (-newest.get(identity, 0.0), identity))
