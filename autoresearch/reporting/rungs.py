"""The section on short runs: how each rung ranks, what leads on it, and what a technique alone does there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autoresearch.beliefs import added
from autoresearch.reporting.facts import Facts
from autoresearch.reporting.report import DELTA, LOSS, Column, Part, Row, Section, Sentence, Trials, table
from autoresearch.researcher.rungs import ENOUGH_PAIRS, LEAST_SPEARMAN, Climb, Ladder, calibration, share_of
from bench.config import fingerprint
from bench.divisions import recipe

BEST = 10


@dataclass(frozen=True)
class _Board:
    """One rung's scored stacks, the lowest first; `ways` has each stack's scored climbs, the shortest first."""

    rung: int
    climbs: Sequence[Climb]
    ways: Mapping[str, Sequence[Climb]]
    plain: str  # the baseline's stack

    @property
    def base(self) -> float | None:
        return next((c.val_loss for c in self.climbs if c.stack == self.plain), None)

    def delta(self, climb: Climb) -> float | None:
        """To the baseline's short run, nats per byte."""
        return None if self.base is None or climb.val_loss is None else climb.val_loss - self.base


def short_runs(facts: Facts) -> Iterator[Section]:
    """One section, of a study that has rungs."""
    spec = facts.study.spec
    if not spec.rungs:
        return
    climbs = Ladder(spec, facts.beliefs.cards).climbs(facts.here)
    boards = [_board(facts, climbs, rung) for rung in spec.rungs]
    parts = [*_ranks(climbs, boards, spec.budget.steps)]
    for board in boards:
        parts += _leaders(facts, board)
        parts += _alone(facts, board)
    yield Section("Short runs", tuple(parts))


def _board(facts: Facts, climbs: Sequence[Climb], rung: int) -> _Board:
    ways: dict[str, dict[int, Climb]] = {}
    for climb in sorted(climbs, key=lambda climb: climb.trial):
        if climb.val_loss is not None:
            ways.setdefault(climb.stack, {}).setdefault(climb.rung, climb)
    led = sorted((way[rung] for way in ways.values() if rung in way), key=lambda c: (c.val_loss or 0.0, c.trial))
    each = {stack: [way[rung] for rung in sorted(way, reverse=True)] for stack, way in ways.items()}
    return _Board(rung, led, each, fingerprint(facts.beliefs.base))


def _ranks(climbs: Sequence[Climb], boards: Sequence[_Board], steps: int) -> Iterator[Part]:
    """How short runs rank the configs that were run whole too."""
    rows = []
    for board in boards:
        found = calibration(climbs, board.rung)
        trials = tuple(sorted(number for pair in found.pairs for number in pair))
        n_scored, n_whole = len(board.climbs), len(found.pairs)
        rows.append(
            Row((share_of(board.rung), steps // board.rung, n_scored, n_whole, found.spearman, found.verdict), trials)
        )
    yield Sentence(
        "Short runs, each scored on fewer bytes and compared with runs as short alone. Over the configs that were run "
        f"whole too, how they rank: below {LEAST_SPEARMAN:g} over {ENOUGH_PAIRS} configs or more a rung is dropped."
    )
    columns = (
        Column("rung"), Column("steps", "d"), Column("scored", "d"), Column("run whole too", "d"),
        Column("Spearman with val_loss", ".3f"), Column("so it is"),
    )  # fmt: skip
    yield table(columns, rows)


def _leaders(facts: Facts, board: _Board) -> Iterator[Part]:
    """The lowest of a rung, and how far each went."""
    if not board.climbs:
        return
    base = "" if board.base is None else f"; the baseline {board.base:.4f} there"
    yield Sentence(
        f"The best {min(BEST, len(board.climbs))} of {len(board.climbs)} stacks at {share_of(board.rung)}{base}:"
    )
    rows = []
    for rank, climb in enumerate(board.climbs[:BEST], start=1):
        further = [c for c in board.ways[climb.stack] if c.rung < board.rung]
        went = ", ".join(f"{share_of(c.rung)} {c.val_loss:.4f} (#{c.trial})" for c in further)
        trials: Trials = (climb.trial, *(c.trial for c in further))
        rows.append(Row((rank, _recipe(facts, climb), climb.val_loss, board.delta(climb), went or None), trials))
    columns = (
        Column("rank", "d"), Column("recipe, against the baseline"), Column("val_loss, nats/byte", LOSS),
        Column("delta to baseline", DELTA), Column("went on to"),
    )  # fmt: skip
    yield table(columns, rows)


def _alone(facts: Facts, board: _Board) -> Iterator[Part]:
    """Techniques that a run of this rung has with nothing else: its lowest, against the baseline's."""
    lowest: dict[str, Climb] = {}
    for climb in board.climbs:
        names = added(facts.by_number[climb.trial].config, facts.beliefs.base)
        if len(names) == 1:
            lowest.setdefault(names[0], climb)
    if board.base is None or not lowest:
        return
    yield Sentence(f"One technique alone on the baseline at {share_of(board.rung)}, each by its lowest run:")
    rows = [Row((name, climb.val_loss, board.delta(climb)), (climb.trial,)) for name, climb in lowest.items()]
    columns = (Column("technique"), Column("val_loss, nats/byte", LOSS), Column("delta to baseline", DELTA))
    yield table(columns, rows)


def _recipe(facts: Facts, climb: Climb) -> str:
    return recipe(facts.by_number[climb.trial].config)
