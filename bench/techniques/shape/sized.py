"""Depth and width as knobs: golf caps bytes, so how to spend them is part of the contest (techniques.md 2)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.knobs import Choice, Span, knob


@dataclass(frozen=True, kw_only=True)
class Sized:
    """`n_layer` blocks, `n_head head_width` wide."""

    slot: ClassVar = "shape"
    name: ClassVar = "sized"
    source: ClassVar = "Parameter Golf's baseline"

    n_layer: int = knob(9, Span(1, 16), "blocks")
    n_head: int = knob(8, Choice((4, 8, 16)), "heads of queries")
    head_width: int = knob(64, Choice((16, 32, 64, 128)), "channels of a head")

    @property
    def width(self) -> int:
        return self.n_head * self.head_width
