"""int8 after training: each row of a matrix in 255 levels with one scale (Jacob et al. 2017, arXiv:1712.05877)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.techniques.precision.by_role import ByRole
from bench.techniques.precision.rows import Rows
from bench.techniques.technique import Prior

INT8 = ByRole(blocks=Rows(8), sensitive=Rows(8))


@dataclass(frozen=True, kw_only=True)
class Int8Post:
    """Trained in fp32, rounded once. Vectors and filters pass through in fp32: they are few and sensitive."""

    slot: ClassVar = "precision"
    name: ClassVar = "int8_post"
    source: ClassVar = "arXiv:1712.05877"
    points: ClassVar = frozenset({"tensors"})
    prior: ClassVar = Prior(1, "A", "gap 0.007 BPB in Parameter Golf's baseline")

    cast = INT8.untouched
    encode = INT8.encode
    decode = INT8.decode
    encoded_bytes = INT8.encoded_bytes
