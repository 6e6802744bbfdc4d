"""int8 straight-through: the forward pass sees the rounded weights all along (Bengio et al. 2013, arXiv:1308.3432)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.techniques.precision.int8_post import INT8
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Int8Ste:
    """Gradients pass the rounding as if it were not there; what is packed is what was trained. fp32 arithmetic."""

    slot: ClassVar = "precision"
    name: ClassVar = "int8_ste"
    source: ClassVar = "arXiv:1308.3432"
    points: ClassVar = frozenset({"forward"})
    prior: ClassVar = Prior(1, "B", "Mizan's page: ties fp32 at 41 % of the size")

    cast = INT8.straight_through
    encode = INT8.encode
    decode = INT8.decode
    encoded_bytes = INT8.encoded_bytes
