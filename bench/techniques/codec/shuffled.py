"""Byte shuffle: all first bytes of each few, then all second ones, so that like bytes meet (techniques.md 4.17)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.knobs import Choice, Span, knob
from bench.techniques.codec.brotli11 import Brotli
from bench.techniques.codec.lzma2 import Lzma
from bench.techniques.codec.zlib9 import Zlib
from bench.techniques.codec.zstd import Zstd

WIDTHS = Choice((2, 4))
WHY_WIDTH = "bytes of a number: 2 parts the halves of fp16 scales, 4 those of fp32 vectors"


def shuffled(raw: bytes, width: int) -> bytes:
    """Every width-th byte from the first, then every width-th from the second, and so on; any length."""
    numbers = np.frombuffer(raw, np.uint8)
    return b"".join(numbers[first::width].tobytes() for first in range(width))


def unshuffled(mixed: bytes, width: int) -> bytes:
    numbers = np.empty(len(mixed), np.uint8)
    at = 0
    for first in range(width):
        n = len(range(first, len(mixed), width))
        numbers[first::width] = np.frombuffer(mixed, np.uint8, n, at)
        at += n
    return numbers.tobytes()


@dataclass(frozen=True, kw_only=True)
class ShuffledZstd:
    """zstd on shuffled bytes. Lossless; it moves bytes and time, never a score."""

    slot: ClassVar = "codec"
    name: ClassVar = "shuffled_zstd"
    source: ClassVar = "Parameter Golf #1218"

    level: int = knob(22, Span(1, 22), "effort: higher is smaller and slower")
    width: int = knob(2, WIDTHS, WHY_WIDTH)

    def compress(self, raw: bytes) -> bytes:
        return Zstd(level=self.level).compress(shuffled(raw, self.width))

    def decompress(self, packed: bytes, raw_bytes: int) -> bytes:
        return unshuffled(Zstd(level=self.level).decompress(packed, raw_bytes), self.width)


@dataclass(frozen=True, kw_only=True)
class ShuffledLzma:
    """LZMA2 on shuffled bytes. Lossless; it moves bytes and time, never a score."""

    slot: ClassVar = "codec"
    name: ClassVar = "shuffled_lzma"
    source: ClassVar = "Parameter Golf #1218"

    level: int = knob(9, Span(0, 9), "effort: higher is smaller and slower")
    width: int = knob(2, WIDTHS, WHY_WIDTH)

    def compress(self, raw: bytes) -> bytes:
        return Lzma(level=self.level).compress(shuffled(raw, self.width))

    def decompress(self, packed: bytes, raw_bytes: int) -> bytes:
        return unshuffled(Lzma(level=self.level).decompress(packed, raw_bytes), self.width)


@dataclass(frozen=True, kw_only=True)
class ShuffledZlib:
    """zlib on shuffled bytes. Lossless; it moves bytes and time, never a score."""

    slot: ClassVar = "codec"
    name: ClassVar = "shuffled_zlib"
    source: ClassVar = "Parameter Golf #1218"

    level: int = knob(9, Span(1, 9), "effort: higher is smaller and slower")
    width: int = knob(2, WIDTHS, WHY_WIDTH)

    def compress(self, raw: bytes) -> bytes:
        return Zlib(level=self.level).compress(shuffled(raw, self.width))

    def decompress(self, packed: bytes, raw_bytes: int) -> bytes:
        return unshuffled(Zlib(level=self.level).decompress(packed, raw_bytes), self.width)


@dataclass(frozen=True, kw_only=True)
class ShuffledBrotli:
    """Brotli on shuffled bytes. Lossless; it moves bytes and time, never a score."""

    slot: ClassVar = "codec"
    name: ClassVar = "shuffled_brotli"
    source: ClassVar = "Parameter Golf #1218"

    level: int = knob(11, Span(0, 11), "effort: higher is smaller and slower")
    width: int = knob(2, WIDTHS, WHY_WIDTH)

    def compress(self, raw: bytes) -> bytes:
        return Brotli(level=self.level).compress(shuffled(raw, self.width))

    def decompress(self, packed: bytes, raw_bytes: int) -> bytes:
        return unshuffled(Brotli(level=self.level).decompress(packed, raw_bytes), self.width)
