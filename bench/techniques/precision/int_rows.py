"""Rows of any few bits after training, the step set by each row's largest weight (techniques.md 4.1 to 4.3)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.knobs import Span, knob
from bench.techniques.precision.by_role import ByRole
from bench.techniques.precision.byte_rows import AfterTraining, ByteRows, largest
from bench.techniques.technique import Prior

WHY_BITS = "of a code, inside the blocks; 7 is int7, 6 int6"
WHY_EMBEDDING_BITS = "of a code, in embedding, tables and head"


@dataclass(frozen=True, kw_only=True)
class IntRows(AfterTraining):
    """Trained in fp32, rounded once, a byte a code. Vectors and filters pass through in fp32.

    An embedding is worth more bits than a block: at int6 throughout a record lost 0.048 BPB, with it at int8 0.0015.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "int_rows"
    source: ClassVar = "Parameter Golf R65a, R1626"
    prior: ClassVar = Prior(1, "A", "int6: a gap of 0.010 to 0.016 BPB in Parameter Golf; int7 for the embedding: none")

    bits: int = knob(6, Span(3, 8), WHY_BITS)
    embedding_bits: int = knob(8, Span(3, 8), WHY_EMBEDDING_BITS)

    def formats(self) -> ByRole:
        return ByRole(blocks=ByteRows(self.bits, largest), sensitive=ByteRows(self.embedding_bits, largest))
