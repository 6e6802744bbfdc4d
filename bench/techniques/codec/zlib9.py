"""DEFLATE with zlib's frame (RFC 1950): what Parameter Golf's baseline packs with."""

import zlib
from dataclasses import dataclass
from typing import ClassVar

from bench.errors import ArtifactError
from bench.knobs import Span, knob


@dataclass(frozen=True, kw_only=True)
class Zlib:
    """Lossless; larger and slower than zstd, and the size that the contest's first records are counted in."""

    slot: ClassVar = "codec"
    name: ClassVar = "zlib"
    source: ClassVar = "RFC 1950"

    level: int = knob(9, Span(1, 9), "effort: higher is smaller and slower")

    def compress(self, raw: bytes) -> bytes:
        return zlib.compress(raw, self.level)

    def decompress(self, packed: bytes, raw_bytes: int) -> bytes:
        """Never yields more than the stated size, whatever the frame holds."""
        opened = zlib.decompressobj()
        try:
            raw = opened.decompress(packed, raw_bytes + 1)
        except zlib.error as broken:
            raise ArtifactError(f"the compressed part can't be read: {broken}", "the file is damaged") from broken
        if len(raw) != raw_bytes or not opened.eof or opened.unused_data:
            raise ArtifactError("the compressed part holds another size than its header says", "the file is damaged")
        return raw
