"""Which corpus a name or a path means, and which corpora are there."""

import gzip
import hashlib
import os
import shutil
from pathlib import Path

from bench.config import canonical
from bench.data import fineweb, tinystories, tokens, toystories
from bench.data.corpus import STORY_END, Corpus, cache_dir, cached_bytes, read_cached
from bench.data.floors import UNIFORM_NATS, bigram_nats, unigram_nats
from bench.data.textfiles import load_text, stories_in
from bench.errors import DataError
from bench.tracks import FEATHERWEIGHT, SP1024, TRACKS, Tokenizer, Track

AUTO = "auto"
GZIPPED_BYTES = 4_000_000
NAMED = (toystories.NAME, tinystories.NAME)
# Of a text that comes as one file, one document in so many is for validation: the first ones, as the contest has it.
ONE_IN = 20


def load_corpus(wanted: str) -> Corpus:
    """The corpus meant by `auto`, a name or a path; never reaches the network.

    `auto` is the best one already on disk: TinyStories if it was downloaded, else toystories.
    Raises DataError when it is unknown, not downloaded or unusable.
    """
    wanted = _expanded(wanted)
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
    if "," not in wanted and not os.path.exists(wanted):
        raise DataError(
            f"{wanted!r} is neither a corpus nor a path that exists",
            f"known: {', '.join((AUTO, *NAMED))}; or give a folder of text files, or two files as TRAIN,VALID",
        )
    return load_text(wanted)


def _expanded(wanted: str) -> str:
    """With home folders and variables put in: a definition that names a folder so means the same on every machine."""
    return os.path.expanduser(os.path.expandvars(wanted))


def load_tokens(wanted: str, tokenizer: Tokenizer = SP1024) -> tokens.TokenCorpus:
    """The golf corpus meant by `auto`, `fineweb` or a folder; never reaches the network. Raises DataError.

    `auto` and `fineweb` are FineWeb in the vocabulary, which has a name of its own too. A folder of text with the
    vocabulary's file beside it is made into a corpus, once.
    """
    wanted = _expanded(wanted)
    own = fineweb.export_in(tokenizer)
    if export := own if wanted in (AUTO, fineweb.NAME) else fineweb.export_named(wanted):
        if (found := fineweb.load_fineweb(export)) is None:
            raise DataError(
                "the FineWeb shards are not on this machine",
                f"fetch them with `{export.get_command}`, or make a small golf corpus with `autoresearch data build`",
            )
        return found
    folder = Path(wanted)
    if not tokens.is_token_corpus(folder):
        if os.path.isfile(folder / tokenizer.model_file):
            return made_of_text(folder, (folder / tokenizer.model_file).read_bytes())
        raise DataError(
            f"{wanted} is no golf corpus: it has no {tokens.LIST_FILE}",
            "make one with `autoresearch data build --text FILE --tokenizer MODEL --to DIR`",
        )
    return tokens.load(folder)


def made_of_text(folder: Path, tokenizer: bytes) -> tokens.TokenCorpus:
    """The text's golf corpus from the cache, where it is built on first use; raises DataError."""
    name, train, valid = documents(str(folder))
    told = canonical([name, train, valid, hashlib.sha256(tokenizer).hexdigest()])
    made = cache_dir() / f"golf-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    if not tokens.is_token_corpus(made):
        # a folder of this process's own, so that one that is cut short is never taken for a corpus
        part = made.with_name(f"{made.name}.{os.getpid()}")
        tokens.build(name, (train, valid), tokenizer, part, lambda line: None)
        try:
            part.rename(made)
        except OSError:
            # another process was quicker, with the same bytes
            shutil.rmtree(part)
    return tokens.load(made)


def read_corpus(folder: Path, name: str) -> Corpus | tokens.TokenCorpus | None:
    """The corpus of either kind that a folder holds, or None; raises DataError when it is damaged."""
    return tokens.load(folder) if tokens.is_token_corpus(folder) else read_cached(folder, name)


def corpus_for(track: Track, wanted: str) -> Corpus | tokens.TokenCorpus:
    """What `--data` means on a track. Raises DataError, also for shards of a vocabulary that is not the track's."""
    if track.tokenizer is None:
        return load_corpus(wanted)
    corpus = load_tokens(wanted, track.tokenizer)
    vocabulary = corpus.vocabulary
    if track.tokenizer.form != (form := (len(vocabulary), vocabulary.capitals_apart)):
        others = (t for t in TRACKS if t.tokenizer and t.devices == track.devices)
        fitting = next((t.name for t in others if t.tokenizer and t.tokenizer.form == form), "")
        made, wants = (", capitals apart" if side.capitals_apart else "" for side in (vocabulary, track.tokenizer))
        raise DataError(
            f"{wanted} was made with {len(vocabulary):,} pieces{made}, {track.name} takes {track.vocab:,}{wants}",
            f"build it again with {track.tokenizer.model_file}"
            + (f", or play on the track {fitting}" if fitting else ""),
        )
    return corpus


def documents(wanted: str) -> tuple[str, list[str], list[str]]:
    """Name, train and validation documents of a text: one file, or whatever else `load_corpus` takes."""
    path = Path(_expanded(wanted))
    if not os.path.isfile(path):
        corpus = load_corpus(wanted)
        sides = [side.tobytes().decode().split(STORY_END.decode())[:-1] for side in (corpus.train, corpus.valid)]
        return corpus.name, sides[0], sides[1]
    stories = stories_in(path)
    if len(stories) < 2:
        raise DataError(
            f"{path} holds {len(stories)} document, and a corpus needs some to train on and some to validate",
            "put a line <|endoftext|> or a blank line between documents",
        )
    valid = stories[: -(-len(stories) // ONE_IN)]
    held_out = set(valid)
    return f"text:{path.stem}", [story for story in stories[len(valid) :] if story not in held_out], valid


def available() -> list[tuple[str, str]]:
    """Name and state, one sentence, of every corpus that has a name; reads no corpus."""
    toy_bytes = cached_bytes(toystories.cache_folder())
    tiny_bytes = cached_bytes(tinystories.cache_folder())
    return [
        (toystories.NAME, _on_disk(toy_bytes) if toy_bytes else "built in: generated in seconds on first use"),
        (tinystories.NAME, _on_disk(tiny_bytes) if tiny_bytes else f"not downloaded: `{tinystories.GET_COMMAND}`"),
        *(
            (
                export.name,
                "on disk: golf's shards"
                if tokens.is_token_corpus(fineweb.cache_folder(export))
                else f"not downloaded: `{export.get_command}`",
            )
            for export in fineweb.EXPORTS
        ),
    ]


def look(wanted: str) -> list[tuple[str, str]]:
    """A corpus in a few lines: its identity, its size, how far it compresses, what counting alone scores on it."""
    if fineweb.export_named(wanted) or tokens.is_token_corpus(Path(_expanded(wanted))):
        return _look_at_tokens(load_tokens(wanted))
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


def _look_at_tokens(corpus: tokens.TokenCorpus) -> list[tuple[str, str]]:
    n_bytes = corpus.byte_count(len(corpus.valid))
    kept = ", capitals apart" if corpus.vocabulary.capitals_apart else ""
    lost = "not known: the original is not here" if corpus.changed_ppm is None else f"{corpus.changed_ppm:,.0f} ppm"
    return [
        ("corpus", f"{corpus.name} {corpus.digest[:8]}"),
        ("vocabulary", f"{len(corpus.vocabulary):,} pieces {corpus.vocabulary.digest[:8]}{kept}"),
        ("train", f"{len(corpus.train):,} tokens"),
        ("valid", f"{len(corpus.valid):,} tokens of {n_bytes:,} bytes"),
        ("tokens per byte", f"{corpus.tokens_per_byte(len(corpus.valid)):.5f}"),
        ("changed by normalising", lost),
    ]


def _on_disk(n_bytes: int) -> str:
    return f"on disk: {n_bytes / 1e6:.1f} MB"
