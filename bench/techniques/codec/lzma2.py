"""LZMA2 without a container, as liblzma's raw filter writes it: what its reader needs is known from elsewhere."""

import lzma
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.errors import ArtifactError
from bench.knobs import Span, knob

SMALLEST_DICTIONARY = 4096  # liblzma takes none below


@dataclass(frozen=True, kw_only=True)
class Lzma:
    """Lossless; a longer memory and a finer model than zlib's.

    Parameter Golf found it worse than zlib on int8 codes, and better on ternary ones.
    """

    slot: ClassVar = "codec"
    name: ClassVar = "lzma"
    source: ClassVar = "Parameter Golf R640; liblzma"

    level: int = knob(9, Span(0, 9), "effort: higher is smaller and slower")

    def compress(self, raw: bytes) -> bytes:
        return lzma.compress(raw, lzma.FORMAT_RAW, filters=self._filters(len(raw)))

    def decompress(self, packed: bytes, raw_bytes: int) -> bytes:
        """Never yields more than the stated size, whatever the stream holds."""
        # before a dictionary of that size is allocated
        if stated_bytes(packed) != raw_bytes:
            raise ArtifactError("the compressed part claims another size than its header", "the file is damaged")
        opened = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=self._filters(raw_bytes))
        try:
            raw = opened.decompress(packed, raw_bytes + 1)
        except lzma.LZMAError as broken:
            raise ArtifactError(f"the compressed part can't be read: {broken}", "the file is damaged") from broken
        if len(raw) != raw_bytes or not opened.eof or opened.unused_data:
            raise ArtifactError("the compressed part holds another size than its header says", "the file is damaged")
        return raw

    def _filters(self, raw_bytes: int) -> list[dict[str, Any]]:
        """The dictionary is as long as the text, so a reader's memory follows a size that was checked before."""
        preset = self.level | lzma.PRESET_EXTREME
        return [{"id": lzma.FILTER_LZMA2, "preset": preset, "dict_size": max(raw_bytes, SMALLEST_DICTIONARY)}]


def stated_bytes(packed: bytes) -> int | None:
    """What the headers of a stream's chunks add up to; None where it does not end as a stream does.

    A chunk: control byte, size - 1 in two bytes, high end first. From 0x80 on it is compressed, the control's low
    five bits come before the size, and the compressed size - 1 follows, from 0xc0 on with a byte of properties.
    """
    at = total = 0
    while at < len(packed) and packed[at]:
        control, head = packed[at], packed[at + 1 : at + 5]
        if len(head) < 4 or 2 < control < 0x80:
            return None
        size = int.from_bytes(head[:2], "big") + 1
        if control < 0x80:
            at += 3 + size
        else:
            size += (control & 0x1F) << 16
            at += 5 + (control >= 0xC0) + int.from_bytes(head[2:], "big") + 1
        total += size
    return total if at == len(packed) - 1 else None
