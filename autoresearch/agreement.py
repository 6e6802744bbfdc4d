"""How far two studies rank the same configs alike: `python -m autoresearch.agreement STUDY STUDY`, on what ships.

Answers whether the embedded corpus may stand in for the real one when recipes are compared.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from autoresearch.commands.output import say
from autoresearch.ranks import spearman
from bench.divisions import recipe
from bench.errors import ArenaError, DataError
from bench.standings import Entry
from studies.reading import Reader
from studies.shipped import shipped_store


@dataclass(frozen=True)
class Agreement:
    """Configs scored on both corpora, as (recipe, val_loss, val_loss), and Spearman's rank correlation."""

    device_class: str
    rows: tuple[tuple[str, float, float], ...]
    spearman: float


def agreement(reader: Reader, one: str, other: str) -> Agreement:
    """Over the corpora of two studies, on the device class that scored most configs on both; none are mixed."""
    corpora = [reader.study(name).spec.corpus_digest for name in (one, other)]
    scores: dict[str, dict[str, dict[str, Entry]]] = defaultdict(lambda: defaultdict(dict))
    for entry in reader.entries():
        scores[entry.identity.device_class][entry.identity.corpus_digest][entry.fingerprint] = entry
    shared = {
        device: [(by_corpus[corpora[0]][f], by_corpus[corpora[1]][f]) for f in _common(by_corpus, corpora)]
        for device, by_corpus in sorted(scores.items())
    }
    device = max(shared, key=lambda device: len(shared[device]))
    if len(shared[device]) < 3:
        raise DataError(
            f"{one} and {other} share {len(shared[device])} scored configs", "three are the least that can be ranked"
        )
    rows = tuple((recipe(first.config), first.val_loss, second.val_loss) for first, second in shared[device])
    return Agreement(device, rows, spearman([row[1] for row in rows], [row[2] for row in rows]))


def _common(by_corpus: Mapping[str, Mapping[str, Entry]], corpora: list[str]) -> list[str]:
    """Fingerprints, which hold the budget too, that both corpora have."""
    first, second = (by_corpus.get(digest, {}) for digest in corpora)
    return sorted(f for f in first if f in second)


def main() -> None:
    try:
        path = shipped_store()
        if path is None:
            raise DataError("nothing is shipped", "run `make measure` first")
        found = agreement(Reader(path), *sys.argv[1:3])
    except ArenaError as wrong:
        say(f"error: {wrong.problem}\nhint: {wrong.hint}")
        sys.exit(2)
    for text, one, other in sorted(found.rows, key=lambda row: row[1]):
        print(f"{one:.4f}  {other:.4f}  {text}")  # noqa: T201 - stdout is our output
    print(f"Spearman {found.spearman:.3f} over {len(found.rows)} configs, {found.device_class}")  # noqa: T201


if __name__ == "__main__":
    main()
