"""int6, after training or straight through: each row in 63 levels, one scale (Jacob et al. 2017, arXiv:1712.05877)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.techniques.precision.by_role import ByRole
from bench.techniques.precision.rows import Rows
from bench.techniques.technique import Prior

INT6 = ByRole(blocks=Rows(6), sensitive=Rows(6))


@dataclass(frozen=True, kw_only=True)
class Int6Post:
    """Trained in fp32, rounded once, 6 bits a code without gaps. Vectors and filters pass through in fp32."""

    slot: ClassVar = "precision"
    name: ClassVar = "int6_post"
    source: ClassVar = "arXiv:1712.05877"
    points: ClassVar = frozenset({"tensors"})
    prior: ClassVar = Prior(1, "A", "gap 0.010 to 0.016 BPB in Parameter Golf without compensation")

    cast = INT6.untouched
    encode = INT6.encode
    decode = INT6.decode
    encoded_bytes = INT6.encoded_bytes


@dataclass(frozen=True, kw_only=True)
class Int6Ste:
    """The forward pass sees int6 rows all along, emulated: rounded weights, fp32 arithmetic.

    What is packed is what was trained. Vectors and filters pass through in fp32.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "int6_ste"
    source: ClassVar = "arXiv:1308.3432"
    points: ClassVar = frozenset({"forward"})
    prior: ClassVar = Prior(1, "B", "Parameter Golf R63: no gap left, straight through from the first step")

    cast = INT6.straight_through
    encode = INT6.encode
    decode = INT6.decode
    encoded_bytes = INT6.encoded_bytes
