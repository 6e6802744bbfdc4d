"""How far two studies rank the same configs alike: `python -m autoresearch.agreement STUDY STUDY`, on what ships.

Answers whether the embedded corpus may stand in for the real one when recipes are compared.
"""

import sys
from dataclasses import dataclass

import numpy as np

from bench.divisions import recipe
from bench.errors import ArenaError, DataError
from studies.reading import Reader
from studies.shipped import shipped_store


@dataclass(frozen=True)
class Agreement:
    """Configs that both studies scored, as (recipe, val_loss, val_loss), and Spearman's rank correlation."""

    rows: tuple[tuple[str, float, float], ...]
    spearman: float


def agreement(reader: Reader, one: str, other: str) -> Agreement:
    scores = [
        {t.fingerprint: (recipe(t.config), t.val_loss) for t in reader.trials(name) if t.val_loss is not None}
        for name in (one, other)
    ]
    shared = [f for f in scores[0] if f in scores[1]]
    if len(shared) < 3:
        raise DataError(
            f"{one} and {other} share {len(shared)} scored configs", "three are the least that can be ranked"
        )
    rows = tuple((scores[0][f][0], scores[0][f][1], scores[1][f][1]) for f in shared)
    return Agreement(rows, spearman([row[1] for row in rows], [row[2] for row in rows]))


def spearman(one: list[float], other: list[float]) -> float:
    """Pearson's correlation of the ranks; ties share their mean rank."""
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: list[float]) -> list[float]:
    return [sum(v < x for v in values) + (sum(v == x for v in values) + 1) / 2 for x in values]


def main() -> None:
    try:
        path = shipped_store()
        if path is None:
            raise DataError("nothing is shipped", "run `make measure` first")
        found = agreement(Reader(path), *sys.argv[1:3])
    except ArenaError as wrong:
        sys.exit(f"error: {wrong.problem}\nhint: {wrong.hint}")
    for text, one, other in sorted(found.rows, key=lambda row: row[1]):
        print(f"{one:.4f}  {other:.4f}  {text}")  # noqa: T201 - stdout is our output
    print(f"Spearman {found.spearman:.3f} over {len(found.rows)} configs")  # noqa: T201


if __name__ == "__main__":
    main()
