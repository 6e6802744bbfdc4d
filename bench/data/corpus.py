"""A corpus: train and validation bytes with their identity, how stories become bytes, and the cache on disk."""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import platformdirs

from bench.errors import DataError

SEPARATOR = "<|endoftext|>"
STORY_END = b"\x00"
# a Featherweight run of 500 steps draws 1.5 MB: a train text far below that is learnt by heart, not modelled
MIN_TRAIN_BYTES = 100_000
# a hundred windows of 96 predictions: fewer, and the validation text itself decides who wins
MIN_VALID_BYTES = 10_000

TRAIN_FILE, VALID_FILE, DIGEST_FILE = "train.bin", "valid.bin", "digest.sha256"


@dataclass(frozen=True, eq=False)
class Corpus:
    """Two byte strings that share no story. Both arrays are one-dimensional and read-only.

    `digest` is the identity: SHA-256 (hex) over the length of train (8 bytes, little endian), train,
    the length of validation (the same) and validation. The lengths fix where one ends and the other starts.
    """

    name: str
    train: npt.NDArray[np.uint8]
    valid: npt.NDArray[np.uint8]
    digest: str

    def tokens_per_byte(self, n_tokens: int) -> float:
        """A byte is a token here."""
        return 1.0


def join_stories(stories: Iterable[str]) -> bytes:
    """Each story's UTF-8 bytes followed by one 0x00 byte."""
    return b"".join(story.encode("utf-8") + STORY_END for story in stories)


def split_stories(text: str) -> list[str]:
    """The stories of a text file, stripped of blanks around them, empty ones dropped.

    Cuts at lines that are exactly `<|endoftext|>`; a text without such a line is cut at blank lines.
    """
    # not splitlines(): it would also cut at form feeds and other characters that belong to the text
    lines = text.replace("\r\n", "\n").split("\n")
    if SEPARATOR in lines:
        stories, story = [], list[str]()
        for line in [*lines, SEPARATOR]:
            if line == SEPARATOR:
                stories.append("\n".join(story))
                story = []
            else:
                story.append(line)
    else:
        stories = re.split(r"\n(?:[ \t]*\n)+", "\n".join(lines))
    return [stripped for story in stories if (stripped := story.strip())]


def make_corpus(name: str, train_stories: Sequence[str], valid_stories: Sequence[str]) -> Corpus:
    """The checked corpus of two lists of stories.

    Raises DataError when a side is empty or too short, when a story holds a NUL character, or when a story stands
    on both sides (compared without the blanks around it).
    """
    train = _side(name, "train", train_stories, MIN_TRAIN_BYTES)
    valid = _side(name, "validation", valid_stories, MIN_VALID_BYTES)
    shared = {story.strip() for story in train_stories} & {story.strip() for story in valid_stories}
    if shared:
        # the smallest, so that the same files always give the same message
        raise DataError(
            f"{name}: {len(shared)} {'story stands' if len(shared) == 1 else 'stories stand'} "
            f"in both train and validation, one starts {min(shared)[:40]!r}",
            "remove them from the train file: a model must not be scored on what it was trained on",
        )
    return _corpus(name, train, valid)


def _side(name: str, side: str, stories: Sequence[str], min_bytes: int) -> bytes:
    """One side as bytes; raises DataError when it can't serve."""
    if not any(story.strip() for story in stories):
        raise DataError(
            f"{name}: the {side} text holds no story", f"give a {side} text of at least {min_bytes:,} bytes"
        )
    binary = next((story for story in stories if "\x00" in story), None)
    if binary is not None:
        raise DataError(
            f"{name}: a {side} story holds a NUL character: {binary.strip()[:40]!r}",
            "the NUL byte marks the end of a story here; give plain text, not a binary file",
        )
    joined = join_stories(stories)
    if len(joined) < min_bytes:
        raise DataError(
            f"{name}: the {side} text has {len(joined):,} bytes, at least {min_bytes:,} are needed",
            f"add text to the {side} side, or use `--data toystories`",
        )
    return joined


def _corpus(name: str, train: bytes, valid: bytes) -> Corpus:
    # frombuffer shares the bytes, which is what makes the arrays read-only
    return Corpus(name, np.frombuffer(train, np.uint8), np.frombuffer(valid, np.uint8), _digest(train, valid))


def _digest(train: bytes, valid: bytes) -> str:
    sha = hashlib.sha256()
    for side in (train, valid):
        sha.update(len(side).to_bytes(8, "little"))
        sha.update(side)
    return sha.hexdigest()


def cache_dir() -> Path:
    """Where corpora are kept: `$ARENA_CACHE`, or the user's cache directory. It may not exist yet."""
    chosen = os.environ.get("ARENA_CACHE")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("arena-autoresearch"))


def write_cached(corpus: Corpus, folder: Path) -> None:
    """Writes the corpus into `folder`, which is made if needed; safe against a crash and against a second writer.

    Raises DataError when the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # the digest goes first and comes back last: a folder without one is no cache, so half a corpus is never read
        (folder / DIGEST_FILE).unlink(missing_ok=True)
        write_whole(folder / TRAIN_FILE, corpus.train.tobytes())
        write_whole(folder / VALID_FILE, corpus.valid.tobytes())
        write_whole(folder / DIGEST_FILE, f"{corpus.digest}\n".encode())
    except OSError as error:
        raise DataError(
            f"can't write the corpus {corpus.name} to {folder}: {error.strerror or error}",
            "free some space there, or set ARENA_CACHE to a folder that can be written",
        ) from error


def write_whole(path: Path, content: bytes) -> None:
    """All of the content or nothing, also when the machine stops meanwhile."""
    # the process id keeps two writers apart
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def cached_bytes(folder: Path) -> int | None:
    """Bytes of text in a cached corpus, without reading it; None when the folder holds none."""
    if not (folder / DIGEST_FILE).is_file():
        return None
    return sum((folder / file).stat().st_size for file in (TRAIN_FILE, VALID_FILE) if (folder / file).is_file())


def read_cached(folder: Path, name: str) -> Corpus | None:
    """The corpus that `write_cached` left in `folder`, or None when there is none.

    Raises DataError when the bytes are not those the digest was taken of.
    """
    try:
        recorded = (folder / DIGEST_FILE).read_text(encoding="ascii", errors="replace").strip()
        train, valid = ((folder / file).read_bytes() for file in (TRAIN_FILE, VALID_FILE))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(
            f"can't read the cached corpus {name} in {folder}: {error.strerror or error}", "check the folder"
        ) from error
    corpus = _corpus(name, train, valid)
    if corpus.digest != recorded:
        raise DataError(
            f"the cached corpus {name} in {folder} is damaged: "
            f"its digest starts {corpus.digest[:12]}, the recorded one {recorded[:12]!r}",
            f"delete the folder {folder}; the next use builds it again",
        )
    return corpus
