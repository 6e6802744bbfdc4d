"""Gates on attention's output at int8, a scale for each head (techniques.md 4.20; Parameter Golf #1736)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.layers import Cast, Param, Role, as_is
from bench.stack import Precision, PrecisionModifier
from bench.techniques.precision.byte_rows import ByteRows, largest
from bench.techniques.technique import Need, Prior

INT8 = ByteRows(8, largest)


@dataclass(frozen=True, kw_only=True)
class Int8Gates(PrecisionModifier):
    """Vectors pass through in single precision; a dense gate is the one among them whose numbers are many.

    A quarter of its bytes stay, 12 KB a block less at width 512 and eight heads. Trained in fp32, rounded once.
    """

    slot: ClassVar = "precision_modifiers"
    name: ClassVar = "int8_gates"
    source: ClassVar = "Parameter Golf #1736"
    point: ClassVar = "tensors"
    needs: ClassVar = (
        Need("head_gate", "other gates hold few numbers, and none nothing to store", "Parameter Golf #1736"),
    )
    prior: ClassVar = Prior(0, "B", "in Parameter Golf #1736, #1769, #1787 and #1855, for its bytes")

    def chosen(self, param: Param, n_layer: int, precision: Precision) -> Precision:
        return GateRows() if ".mixer.gates." in param.name and param.tensor.dim() == 2 else precision


class GateRows:
    """A row of codes a head, whatever the role."""

    points: frozenset[str] = frozenset()

    def cast(self, role: Role) -> Cast:
        return as_is

    def encode(self, weight: Tensor, role: Role) -> bytes:
        return INT8.encode(weight.detach())

    def decode(self, packed: bytes, shape: tuple[int, ...], role: Role) -> Tensor:
        return INT8.decode(packed, shape)

    def encoded_bytes(self, shape: tuple[int, ...], role: Role) -> int:
        return INT8.encoded_bytes(shape)
