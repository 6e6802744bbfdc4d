"""Token shards in Parameter Golf's format, and a row of them as one endless stream (techniques.md 1.5).

A file is 256 little-endian int32 (a magic number, version 1, the number n of tokens, zeros), then n uint16 tokens.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.errors import DataError

MAGIC, VERSION = 20240520, 1
HEADER_BYTES = 1024

Tokens = npt.NDArray[np.uint16]
# At a step, of so many sequences, where each begins: its shard and its first token there. Steps are asked for in turn.
Visit = Callable[[int, int], list[tuple[int, int]]]
# Such a way through shards of these lengths, for sequences of so many tokens.
Visits = Callable[[Sequence[int], int], Visit]


def write_shard(path: Path, tokens: Tokens) -> None:
    header = np.zeros(HEADER_BYTES // 4, "<i4")
    header[:3] = MAGIC, VERSION, len(tokens)
    with path.open("wb") as file:
        file.write(header.tobytes())
        file.write(tokens.astype("<u2").tobytes())


def open_shard(path: Path) -> Tokens:
    """The tokens of a shard, mapped and read-only; raises DataError when header and size do not fit."""
    n_tokens = shard_tokens(path)
    # an empty file can't be mapped
    return np.memmap(path, "<u2", "r", HEADER_BYTES) if n_tokens else np.zeros(0, np.uint16)


def shard_tokens(path: Path) -> int:
    """How many tokens a shard holds, by its header, which its size has to fit; raises DataError."""
    again = f"delete {path} and fetch or build it again"
    try:
        with path.open("rb") as file:
            header = np.frombuffer(file.read(HEADER_BYTES), "<i4")
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise DataError(f"can't read the shard {path}: {error}", again) from error
    if len(header) < 3 or tuple(header[:2]) != (MAGIC, VERSION):
        raise DataError(
            f"{path} is no token shard: it begins with {header[:2].tolist()}, not {[MAGIC, VERSION]}", again
        )
    n_tokens = int(header[2])
    if size != (expected := HEADER_BYTES + 2 * n_tokens):
        raise DataError(f"{path} has {size:,} bytes; {n_tokens:,} tokens, as its header says, need {expected:,}", again)
    return n_tokens


class Stream:
    """Shards read one after the other and then from the first again; nothing is in memory but what is asked for."""

    def __init__(self, shards: Sequence[Tokens]) -> None:
        self.shards = shards
        self.ends = np.cumsum([len(shard) for shard in shards])
        assert len(self) > 0, "no shard holds a token"

    def __len__(self) -> int:
        return int(self.ends[-1])

    def span(self, start: int, n: int) -> npt.NDArray[np.int64]:
        """`n` tokens from a place in the endless stream."""
        taken: list[Tokens] = []
        at = start % len(self)
        while n > 0:
            number = int(np.searchsorted(self.ends, at, "right"))
            shard = self.shards[number]
            here = at - (int(self.ends[number]) - len(shard))
            part = shard[here : here + n]
            taken.append(part)
            n -= len(part)
            at = (at + len(part)) % len(self)
        return np.concatenate(taken).astype(np.int64)


def rank_span(stream: Stream, step: int, rank: int, ranks: int, n: int) -> npt.NDArray[np.int64]:
    """`n + 1` tokens for one rank at one step: inputs are all but the last, targets all but the first.

    Within a step the ranks' spans lie side by side and share no token; the next step goes on where they end. One
    process that accumulates over `ranks` smaller steps draws the same spans.
    """
    return stream.span((step * ranks + rank) * (n + 1), n + 1)
