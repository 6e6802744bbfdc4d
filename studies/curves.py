"""A finished run's curve, its pace where a clock ended it, and its sizes, as compressed blobs, exact to the bit."""

import json
import struct
from collections.abc import Iterable
from dataclasses import asdict

import zstandard

from bench.config import canonical
from bench.records import Pace, Point, Sizes

_PACE = struct.Struct("<dd")
_POINT = struct.Struct("<Iddd")
_NONE = float("nan")
MAX_CURVE_BYTES = 16_000_000
MAX_SIZES_BYTES = 1_000_000


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


def pack_pace(pace: Iterable[Pace]) -> bytes | None:
    """None for a run that no clock ended."""
    raw = b"".join(_PACE.pack(*step) for step in pace)
    return zstandard.ZstdCompressor(level=9).compress(raw) if raw else None


def unpack_pace(packed: bytes | None) -> tuple[Pace, ...]:
    if packed is None:
        return ()
    raw = zstandard.ZstdDecompressor().decompress(packed, max_output_size=MAX_CURVE_BYTES)
    return tuple(Pace(*step) for step in _PACE.iter_unpack(raw))


def pack_sizes(sizes: Sizes) -> bytes:
    """A model's layers are alike: the baseline of featherweight takes 255 bytes instead of 1,507 as JSON."""
    return zstandard.ZstdCompressor(level=9).compress(canonical(asdict(sizes)).encode())


def unpack_sizes(packed: bytes) -> Sizes:
    raw = zstandard.ZstdDecompressor().decompress(packed, max_output_size=MAX_SIZES_BYTES)
    return Sizes.from_json(json.loads(raw))
