"""Brotli (Alakuijala et al. 2016, RFC 7932)."""

from dataclasses import dataclass
from typing import ClassVar

import brotli

from bench.errors import ArtifactError
from bench.knobs import Span, knob


@dataclass(frozen=True, kw_only=True)
class Brotli:
    """Lossless; contexts of the bytes before, a window of at most 16 MiB. Its last level is many times slower."""

    slot: ClassVar = "codec"
    name: ClassVar = "brotli"
    source: ClassVar = "RFC 7932; Parameter Golf #1218"

    level: int = knob(11, Span(0, 11), "effort: higher is smaller and slower")

    def compress(self, raw: bytes) -> bytes:
        packed: bytes = brotli.compress(raw, quality=self.level)
        return packed

    def decompress(self, packed: bytes, raw_bytes: int) -> bytes:
        """Yields little more than the stated size, whatever the stream holds."""
        opened = brotli.Decompressor()
        try:
            raw: bytes = opened.process(packed, output_buffer_limit=raw_bytes + 1)
        except brotli.error as broken:
            raise ArtifactError(f"the compressed part can't be read: {broken}", "the file is damaged") from broken
        if len(raw) != raw_bytes or not opened.is_finished():
            raise ArtifactError("the compressed part holds another size than its header says", "the file is damaged")
        return raw
