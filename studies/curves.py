"""A finished run's curve as one compressed blob, exact to the bit."""

import struct
from collections.abc import Iterable

import zstandard

from bench.records import Point

_POINT = struct.Struct("<Iddd")
_NONE = float("nan")
MAX_CURVE_BYTES = 16_000_000


def pack_curve(points: Iterable[Point]) -> bytes:
    raw = b"".join(
        _POINT.pack(p.step, p.seconds, p.train_loss, _NONE if p.probe_loss is None else p.probe_loss) for p in points
    )
    return zstandard.ZstdCompressor(level=9).compress(raw)


def unpack_curve(packed: bytes) -> list[Point]:
    raw = zstandard.ZstdDecompressor().decompress(packed, max_output_size=MAX_CURVE_BYTES)
    return [
        # NaN is the one value that differs from itself: no probe at this point
        Point(step, seconds, train_loss, None if probe_loss != probe_loss else probe_loss)
        for step, seconds, train_loss, probe_loss in _POINT.iter_unpack(raw)
    ]
