"""TinyStories, the real one (Eldan and Li 2023, arXiv:2305.07759), fetched once through `datasets`, kept as bytes."""

from collections.abc import Callable, Iterable
from pathlib import Path

from bench.data.corpus import Corpus, cache_dir, make_corpus, read_cached, write_cached
from bench.errors import DataError

NAME = "tinystories"
SOURCE = "roneneldan/TinyStories"
GET_COMMAND = "autoresearch data get tinystories"
# about 220 MB of text, some 140 times what 500 Featherweight steps draw; the whole split is 2.1 million stories
MAX_TRAIN_STORIES = 250_000


def cache_folder() -> Path:
    """Where the bytes are kept."""
    return cache_dir() / NAME


def load_tinystories() -> Corpus | None:
    """The corpus that `fetch_tinystories` left on this machine, or None; reads the cache and nothing else."""
    return read_cached(cache_folder(), NAME)


def _say_nothing(_progress: str) -> None:
    """For callers that show no progress."""


def fetch_tinystories(
    source: str = SOURCE,
    report: Callable[[str], None] = _say_nothing,
    max_train_stories: int | None = MAX_TRAIN_STORIES,
) -> Corpus:
    """Downloads the corpus, caches its bytes and returns it; `report` gets a line before each slow part.

    Keeps the first `max_train_stories` rows of the train split (None: all 2.1 million) and the whole validation
    split; blanks around a story and empty rows go, and so does every train story that also stands in validation.
    The number kept is part of the digest, hence of a score's identity. Raises DataError when the download fails.
    """
    report(f"reading the validation split of {source}")
    valid_stories = _stories(_rows(source, "validation", None))
    report(f"reading the train split of {source}")
    in_validation = set(valid_stories)
    train_stories = [
        story for story in _stories(_rows(source, "train", max_train_stories)) if story not in in_validation
    ]
    corpus = make_corpus(NAME, train_stories, valid_stories)
    report(f"writing {(corpus.train.size + corpus.valid.size) / 1e6:.1f} MB to {cache_folder()}")
    write_cached(corpus, cache_folder())
    return corpus


def _rows(source: str, split: str, max_rows: int | None) -> list[str]:
    """The `text` column of one split, in order."""
    # here and not above: importing datasets takes over a second, and only this explicit download needs it
    import datasets
    import httpx

    try:
        rows = datasets.load_dataset(source, split=split)
    except (OSError, ValueError, httpx.HTTPError, datasets.exceptions.DatasetsError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise DataError(
            f"can't read the {split} split of {source}: {reason[0]}",
            "check the network and try again; meanwhile use `--data PATH` (your own text) or `--data toystories`",
        ) from error
    if "text" not in rows.column_names:
        raise DataError(
            f"{source} has no column `text`, only {', '.join(rows.column_names)}",
            "give a data set of the same shape as roneneldan/TinyStories",
        )
    if max_rows is not None:
        rows = rows.select(range(min(max_rows, len(rows))))
    return list(rows["text"])


def _stories(rows: Iterable[str | None]) -> list[str]:
    """Rows without the blanks around them; empty ones dropped."""
    return [stripped for row in rows if (stripped := (row or "").strip())]
