"""Zstandard (Collet 2016, RFC 8878)."""

from dataclasses import dataclass
from typing import ClassVar

import zstandard

from bench.errors import ArtifactError
from bench.knobs import Span, knob


@dataclass(frozen=True, kw_only=True)
class Zstd:
    """Lossless; the level moves bytes and time, never a score."""

    slot: ClassVar = "codec"
    name: ClassVar = "zstd"
    source: ClassVar = "RFC 8878"

    level: int = knob(9, Span(1, 22), "effort: higher is smaller and slower")

    def compress(self, raw: bytes) -> bytes:
        return zstandard.ZstdCompressor(level=self.level, threads=0).compress(raw)

    def decompress(self, packed: bytes, raw_bytes: int) -> bytes:
        """Never yields more than the stated size, whatever the frame claims."""
        try:
            # the frame's own claim is checked before a byte is allocated for it
            if zstandard.frame_content_size(packed) != raw_bytes:
                raise ArtifactError("the compressed part claims another size than its header", "the file is damaged")
            return zstandard.ZstdDecompressor().decompress(packed, max_output_size=raw_bytes, allow_extra_data=False)
        except zstandard.ZstdError as broken:
            raise ArtifactError(f"the compressed part can't be read: {broken}", "the file is damaged") from broken
