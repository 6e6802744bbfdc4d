"""int4, after training or straight through: each row in 15 levels, one scale (Jacob et al. 2017, arXiv:1712.05877)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.techniques.precision.by_role import ByRole
from bench.techniques.precision.rows import Rows
from bench.techniques.technique import Prior

# Embedding and head at 4 bits too would cost 0.003 to 0.008 nats/byte more, measured on two baselines after training,
# and save 4 % of the bits; at 5 or 6 bits nothing of note.
INT4 = ByRole(blocks=Rows(4), sensitive=Rows(8))


@dataclass(frozen=True, kw_only=True)
class Int4Post:
    """Trained in fp32, rounded once, 4 bits a code without gaps.

    Embedding, tables and head stay at int8, vectors and filters in fp32.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "int4_post"
    source: ClassVar = "arXiv:1712.05877"
    points: ClassVar = frozenset({"tensors"})
    prior: ClassVar = Prior(1, "N", "gap 0.06 BPB for all weights in Parameter Golf #281")

    cast = INT4.untouched
    encode = INT4.encode
    decode = INT4.decode
    encoded_bytes = INT4.encoded_bytes


@dataclass(frozen=True, kw_only=True)
class Int4Ste:
    """The forward pass sees int4 rows all along, emulated: rounded weights, fp32 arithmetic.

    What is packed is what was trained. Embedding, tables and head stay at int8, vectors and filters in fp32.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "int4_ste"
    source: ClassVar = "arXiv:1308.3432"
    points: ClassVar = frozenset({"forward"})
    prior: ClassVar = Prior(1, "D", "no result found; the gap after training is 0.06 BPB in Parameter Golf #281")

    cast = INT4.straight_through
    encode = INT4.encode
    decode = INT4.decode
    encoded_bytes = INT4.encoded_bytes
