"""int8 straight-through: the forward pass sees the rounded weights all along (Bengio et al. 2013, arXiv:1308.3432)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.layers import ROUNDED, Cast, Role, as_is
from bench.techniques.precision.int8_post import Int8Post, int8_rows
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Int8Ste:
    """Gradients pass the rounding as if it were not there; what is packed is what was trained. fp32 arithmetic."""

    slot: ClassVar = "precision"
    name: ClassVar = "int8_ste"
    source: ClassVar = "arXiv:1308.3432"
    points: ClassVar = frozenset({"forward"})
    prior: ClassVar = Prior(1, "B", "Mizan's page: ties fp32 at 41 % of the size")

    def cast(self, role: Role) -> Cast:
        return straight_through if role in ROUNDED else as_is

    def encode(self, weight: Tensor, role: Role) -> bytes:
        return Int8Post().encode(weight, role)

    def decode(self, packed: bytes, shape: tuple[int, ...], role: Role) -> Tensor:
        return Int8Post().decode(packed, shape, role)

    def encoded_bytes(self, shape: tuple[int, ...], role: Role) -> int:
        return Int8Post().encoded_bytes(shape, role)


class _Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor) -> Tensor:
        codes, scales = int8_rows(weight)
        return codes.mul_(scales.unsqueeze(1))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


def straight_through(weight: Tensor) -> Tensor:
    """The weight as int8 rows would give it back; its gradient is the rounded weight's."""
    return _Rounded.apply(weight)  # type: ignore[no-any-return, no-untyped-call]
