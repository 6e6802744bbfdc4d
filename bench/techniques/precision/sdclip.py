"""SDClip: rows clipped at so many standard deviations (Parameter Golf #1394; techniques.md 4.8).

Shapes: R rows, C columns.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.knobs import Span, knob
from bench.techniques.precision.by_role import ByRole
from bench.techniques.precision.byte_rows import AfterTraining, ByteRows
from bench.techniques.precision.int_rows import WHY_BITS, WHY_EMBEDDING_BITS
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class SdClip(AfterTraining):
    """A row's step is k standard deviations shared out among its levels.

    A row looks Gaussian, so a wide clip leaves its outer codes unused: k sets how small the codec gets it, about
    bits - log2 k a weight, and with it the error. Turn k until the file fits.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "sdclip"
    source: ClassVar = "Parameter Golf #1394"
    refits: ClassVar = True
    prior: ClassVar = Prior(1, "B", "part of -0.004 BPB in #1394, against rows scaled by their largest weight")

    bits: int = knob(6, Span(3, 8), WHY_BITS)
    k: float = knob(12.85, Span(2.0, 25.0, log=True), "standard deviations at the last step, inside the blocks")
    embedding_bits: int = knob(8, Span(3, 8), WHY_EMBEDDING_BITS)
    embedding_k: float = knob(20.0, Span(2.0, 40.0, log=True), "the same in embedding, tables and head")

    def formats(self) -> ByRole:
        blocks, sensitive = (
            ByteRows(self.bits, Deviations(self.k)),
            ByteRows(self.embedding_bits, Deviations(self.embedding_k)),
        )
        return ByRole(blocks=blocks, sensitive=sensitive)


@dataclass(frozen=True)
class Deviations:
    """A clip at k standard deviations of the row, its mean taken away and no degree of freedom with it."""

    k: float

    def __call__(self, weight: Tensor, levels: int) -> Tensor:
        # squares of what a diverging run holds would overflow
        return (self.k * weight.double().std(1, correction=0)).to(weight.dtype)
