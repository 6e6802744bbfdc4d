"""Which corpus a name or a path means, and which corpora are there."""

import gzip
import os
from pathlib import Path

from bench.data import tinystories, toystories
from bench.data.corpus import Corpus, cached_bytes
from bench.data.floors import UNIFORM_NATS, bigram_nats, unigram_nats
from bench.data.textfiles import load_text
from bench.errors import DataError
from bench.tracks import FEATHERWEIGHT

AUTO = "auto"
GZIPPED_BYTES = 4_000_000
NAMED = (toystories.NAME, tinystories.NAME)


def load_corpus(wanted: str) -> Corpus:
    """The corpus meant by `auto`, a name or a path; never reaches the network.

    `auto` is the best one already on disk: TinyStories if it was downloaded, else toystories.
    Raises DataError when it is unknown, not downloaded or unusable.
    """
    # a definition may name a folder by a variable, so that it means the same on every machine
    wanted = os.path.expandvars(wanted)
    match wanted:
        case "auto":
            return tinystories.load_tinystories() or toystories.load_toystories()
        case toystories.NAME:
            return toystories.load_toystories()
        case tinystories.NAME:
            corpus = tinystories.load_tinystories()
            if corpus is None:
                raise DataError(
                    "tinystories is not on this machine",
                    f"download it once with `{tinystories.GET_COMMAND}`, or use `--data {toystories.NAME}`",
                )
            return corpus
    # two paths with a comma between them never exist as one
    if "," not in wanted and not Path(wanted).expanduser().exists():
        raise DataError(
            f"{wanted!r} is neither a corpus nor a path that exists",
            f"known: {', '.join((AUTO, *NAMED))}; or give a folder of text files, or two files as TRAIN,VALID",
        )
    return load_text(wanted)


def available() -> list[tuple[str, str]]:
    """Name and state, one sentence, of every corpus that has a name; reads no corpus."""
    toy_bytes = cached_bytes(toystories.cache_folder())
    tiny_bytes = cached_bytes(tinystories.cache_folder())
    return [
        (toystories.NAME, _on_disk(toy_bytes) if toy_bytes else "built in: generated in seconds on first use"),
        (tinystories.NAME, _on_disk(tiny_bytes) if tiny_bytes else f"not downloaded: `{tinystories.GET_COMMAND}`"),
    ]


def look(wanted: str) -> list[tuple[str, str]]:
    """A corpus in a few lines: its identity, its size, how far it compresses, what counting alone scores on it."""
    corpus = load_corpus(wanted)
    scored = corpus.valid[: FEATHERWEIGHT.eval_bytes]
    first = corpus.train[:GZIPPED_BYTES].tobytes()
    ratio = len(gzip.compress(first, compresslevel=9)) / len(first)
    return [
        ("corpus", f"{corpus.name} {corpus.digest[:8]}"),
        ("train", f"{len(corpus.train):,} bytes"),
        ("valid", f"{len(corpus.valid):,} bytes, of which {len(scored):,} are scored"),
        (
            "gzip -9",
            f"{ratio:.3f} of the first {len(first):,} train bytes",
        ),
        ("uniform", f"{UNIFORM_NATS:.4f} nats/byte"),
        ("unigram", f"{unigram_nats(corpus.train, scored):.4f} nats/byte"),
        (
            "bigram",
            f"{bigram_nats(corpus.train, scored):.4f} nats/byte: the least that a model must beat",
        ),
    ]


def _on_disk(n_bytes: int) -> str:
    return f"on disk: {n_bytes / 1e6:.1f} MB"
