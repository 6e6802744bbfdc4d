"""A golf corpus: token shards and the vocabulary they were made with, in one folder, with a list of both."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.config import canonical
from bench.data.capitals import apart, together
from bench.data.corpus import write_whole
from bench.data.segmenting import Segmenter
from bench.data.shards import Stream, Tokens, open_shard, write_shard
from bench.data.vocabulary import Vocabulary, read_vocabulary
from bench.errors import DataError

LIST_FILE, TOKENIZER_FILE = "golf.json", "tokenizer.model"
SHARD_TOKENS = 100_000_000  # as the official export cuts them
# A hundred windows of the proxy's 128 predictions: fewer, and the validation text itself decides who wins.
MIN_VALID_TOKENS = 12_800
MIN_TRAIN_TOKENS = 50_000
# Parts in a million of the text's bytes that normalising may change. Official sp1024: 4,269 on the FineWeb-Edu sample,
# 7,934 on TinyStories (line ends). Folding capitals changes over 25,000, and the contest did not accept it (#1604).
MAX_CHANGED_PPM = 20_000
ONE_EXPORT = "take vocabulary, shards and *_val_bytes_*.bin of one export, or make them by `autoresearch data build`"


@dataclass(frozen=True, eq=False)
class TokenCorpus:
    """Shards on disk. `valid` is all of the validation tokens; `digest` covers every shard and the vocabulary.

    `changed_ppm` is what normalising changed of the original's bytes; None where the original is not at hand.
    `valid_bytes` are the bytes of text that each validation token stands for, beside the shards where the vocabulary
    keeps capitals apart, and None where it does not. Raises DataError when they are missing or can't be true.
    """

    name: str
    train: Stream
    valid: Tokens
    digest: str
    vocabulary: Vocabulary
    changed_ppm: float | None
    folder: Path
    valid_bytes: Tokens | None = None

    def __post_init__(self) -> None:
        if wrong := self._wrong_counts():
            raise DataError(f"{self.folder} can't be scored in bits per byte: {wrong}", ONE_EXPORT)

    def _wrong_counts(self) -> str:
        """What can't be true of the bytes of the validation tokens; empty when nothing is known to be wrong."""
        counts = self.valid_bytes
        if (counts is not None) != self.vocabulary.capitals_apart:
            kept = "apart, and no *_val_bytes_*.bin is" if counts is None else "in place, and a *_val_bytes_*.bin is"
            return f"its vocabulary keeps capitals {kept} beside the shards"
        if counts is None:
            return ""
        if len(counts) != len(self.valid):
            return f"*_val_bytes_*.bin counts {len(counts):,} tokens, the shards hold {len(self.valid):,}"
        if n := int(np.count_nonzero(counts[self.vocabulary.bounds[self.valid]])):
            return f"by *_val_bytes_*.bin {n:,} boundaries stand for text"
        told, tables = int(counts[1:].sum(dtype=np.int64)), self.vocabulary.byte_count(self.valid)
        # the tables count what normalising leaves, and no mark that the text itself holds
        if abs(told - tables) > MAX_CHANGED_PPM / 1e6 * tables:
            return f"*_val_bytes_*.bin sums up to {told:,}, and the pieces to {tables:,}"
        return ""

    def byte_count(self, n_tokens: int) -> int:
        """Bytes of text that the first validation tokens stand for, the very first left out: it is not predicted."""
        if self.valid_bytes is None:
            return self.vocabulary.byte_count(self.valid[:n_tokens])
        return int(self.valid_bytes[1:n_tokens].sum(dtype=np.int64))

    def tokens_per_byte(self, n_tokens: int) -> float:
        """Predicted ones among the first validation tokens, by the bytes of text they stand for."""
        return (len(self.valid[:n_tokens]) - 1) / self.byte_count(n_tokens)


def build(
    name: str,
    documents: tuple[Sequence[str], Sequence[str]],
    tokenizer: bytes,
    to: Path,
    report: Callable[[str], None],
) -> TokenCorpus:
    """Writes train and validation documents as a golf corpus, a boundary token before each document.

    Raises DataError when the folder is in use, a document stands on both sides, the vocabulary is unusable or loses too
    much, or there is too little.
    """
    if os.path.lexists(to) and not os.path.isdir(to):
        raise DataError(f"{to} exists and is no folder", "name a folder that does not exist yet")
    if os.path.isdir(to) and any(to.iterdir()):
        raise DataError(f"{to} is not empty", "name a folder that does not exist yet")
    # an export that took the first 10,000 of 50,000 documents for validation left the others to training (#2127)
    if shared := len(set(documents[0]) & set(documents[1])):
        raise DataError(
            f"{name}: {shared:,} documents stand in both train and validation",
            "remove them from the train side: a model must not be scored on what it was trained on",
        )
    vocabulary = read_vocabulary(tokenizer, name)
    segmenter = Segmenter(vocabulary)
    if vocabulary.capitals_apart:
        report("capitals are written apart; true byte counts go beside the validation shards")
        assert all(together(apart(text)) == text for side in documents for text in side), "the transform lost something"
    sides: dict[str, Tokens] = {}
    changed = 0
    for side, texts, least in zip(("train", "val"), documents, (MIN_TRAIN_TOKENS, MIN_VALID_TOKENS), strict=True):
        report(f"encoding {len(texts):,} {side} documents")
        sides[side], side_changed = encoded(segmenter, texts)
        changed += side_changed
        if len(sides[side]) < least:
            raise DataError(
                f"{name}: the {side} text gives {len(sides[side]):,} tokens, at least {least:,} are needed",
                f"add text to the {side} side",
            )
    changed_ppm = 1e6 * changed / sum(len(text.encode()) for side in documents for text in side)
    counted = "the text before it" if vocabulary.capitals_apart else "what it leaves"
    report(f"normalising changes {changed_ppm:,.0f} ppm of the bytes; bits per byte count {counted}")
    if changed_ppm > MAX_CHANGED_PPM:
        raise DataError(
            f"this vocabulary changes {changed_ppm:,.0f} ppm of the text's bytes, {MAX_CHANGED_PPM:,} is the limit",
            "use a vocabulary that keeps the text: bits per byte of another text can't be compared",
        )
    if vocabulary.capitals_apart:
        sides["val_bytes"] = byte_counts(segmenter, documents[1])
    to.mkdir(parents=True, exist_ok=True)
    for side, tokens in sides.items():
        for number, start in enumerate(range(0, len(tokens), SHARD_TOKENS)):
            write_shard(to / f"text_{side}_{number:06d}.bin", tokens[start : start + SHARD_TOKENS])
    (to / TOKENIZER_FILE).write_bytes(tokenizer)
    write_list(to, name, changed_ppm)
    return load(to)


def encoded(segmenter: Segmenter, documents: Iterable[str]) -> tuple[Tokens, int]:
    """The documents one after the other, each behind a boundary token; and the bytes that normalising changed."""
    bos = np.array([segmenter.vocabulary.bos], np.uint16)
    parts, changed = [bos[:0]], 0
    for text in documents:
        written, n = segmenter.normalised(text)
        parts += [bos, segmenter.segmented(written)]
        changed += n
    return np.concatenate(parts), changed


def byte_counts(segmenter: Segmenter, documents: Iterable[str]) -> Tokens:
    """Of each token that `encoded` gives for the documents, the bytes of text it stands for: 0 for a boundary."""
    nothing = np.zeros(1, np.uint16)
    return np.concatenate([part for text in documents for part in (nothing, segmenter.byte_counts(text))])


def side_of(shard: str) -> str:
    """What a file of shards holds, by its name: train, val, or the bytes of the latter's tokens, val_bytes."""
    return next(side for side in ("train", "val_bytes", "val") if f"_{side}_" in shard or side == "val")


def write_list(folder: Path, name: str, changed_ppm: float | None) -> None:
    """Checks every shard of a folder against the vocabulary beside it, then writes down what belongs there.

    Raises DataError for a shard that is damaged or holds a token that the vocabulary has not.
    """
    vocabulary = read_vocabulary((folder / TOKENIZER_FILE).read_bytes(), TOKENIZER_FILE)
    shards = []
    for path in sorted(folder.glob("*.bin")):
        tokens = open_shard(path)
        if side_of(path.name) != "val_bytes" and (largest := int(tokens.max(initial=0))) >= len(vocabulary):
            raise DataError(
                f"{path} holds the token {largest}, and the vocabulary beside it has {len(vocabulary)}",
                "fetch shards and tokenizer of one export",
            )
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        shards.append({"file": path.name, "tokens": len(tokens), "sha256": digest})
    listed = {"name": name, "tokenizer": vocabulary.digest, "changed_ppm": changed_ppm, "shards": shards}
    write_whole(folder / LIST_FILE, json.dumps(listed, indent=1).encode())


def is_token_corpus(folder: Path) -> bool:
    return os.path.isfile(folder / LIST_FILE)


def load(folder: Path) -> TokenCorpus:
    """The corpus that a folder's list describes, sizes, headers and vocabulary checked; raises DataError."""
    again = f"delete the folder {folder}, then fetch or build it again"
    try:
        listed: dict[str, Any] = json.loads((folder / LIST_FILE).read_bytes())
        raw = (folder / TOKENIZER_FILE).read_bytes()
        shards, digest = listed["shards"], str(listed["tokenizer"])
        sides: dict[str, list[Tokens]] = {"train": [], "val": [], "val_bytes": []}
        for shard in shards:
            tokens = open_shard(folder / shard["file"])
            if len(tokens) != shard["tokens"]:
                raise DataError(f"{shard['file']} holds {len(tokens):,} tokens, listed are {shard['tokens']:,}", again)
            sides[side_of(shard["file"])].append(tokens)
        told = [[shard["tokens"], shard["sha256"]] for shard in shards]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"can't read the golf corpus in {folder}: {error!r}", again) from error
    vocabulary = read_vocabulary(raw, TOKENIZER_FILE)
    if vocabulary.digest != digest:
        raise DataError(f"the vocabulary in {folder} is not the one its shards were made with", again)
    if not (any(map(len, sides["train"])) and any(map(len, sides["val"]))):
        raise DataError(f"{folder} holds no train or no validation tokens", again)
    return TokenCorpus(
        name=str(listed["name"]),
        train=Stream(sides["train"]),
        valid=whole(sides["val"]),
        digest=hashlib.sha256(canonical([digest, told]).encode()).hexdigest(),
        vocabulary=vocabulary,
        changed_ppm=listed["changed_ppm"],
        folder=folder.resolve(),
        valid_bytes=whole(sides["val_bytes"]) if sides["val_bytes"] else None,
    )


def whole(shards: Sequence[Tokens]) -> Tokens:
    """Shards as one; a single one stays on disk."""
    return shards[0] if len(shards) == 1 else np.concatenate(shards)
