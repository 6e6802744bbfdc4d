"""int5, after training or straight through: each row in 31 levels, one scale (Jacob et al. 2017, arXiv:1712.05877)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.techniques.precision.by_role import ByRole
from bench.techniques.precision.rows import Rows
from bench.techniques.technique import Prior

INT5 = ByRole(blocks=Rows(5), sensitive=Rows(5))


@dataclass(frozen=True, kw_only=True)
class Int5Post:
    """Trained in fp32, rounded once, 5 bits a code without gaps. Vectors and filters pass through in fp32."""

    slot: ClassVar = "precision"
    name: ClassVar = "int5_post"
    source: ClassVar = "arXiv:1712.05877"
    points: ClassVar = frozenset({"tensors"})
    prior: ClassVar = Prior(1, "B", "gap 0.029 BPB for the feed-forward weights in Parameter Golf #236")

    cast = INT5.untouched
    encode = INT5.encode
    decode = INT5.decode
    encoded_bytes = INT5.encoded_bytes


@dataclass(frozen=True, kw_only=True)
class Int5Ste:
    """The forward pass sees int5 rows all along, emulated: rounded weights, fp32 arithmetic.

    What is packed is what was trained. Vectors and filters pass through in fp32.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "int5_ste"
    source: ClassVar = "arXiv:1308.3432"
    points: ClassVar = frozenset({"forward"})
    prior: ClassVar = Prior(1, "C", "Parameter Golf R180 pays for more parameters with int5; alone it was not measured")

    cast = INT5.straight_through
    encode = INT5.encode
    decode = INT5.decode
    encoded_bytes = INT5.encoded_bytes
