"""Which number format each tensor of a model is rounded to, and rounding on the way into a product."""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from bench.layers import ROUNDED, Cast, Role, as_is
from bench.techniques.precision.fp32 import Fp32

# One byte has one row of each at once: coarse steps there touch everything that follows.
SENSITIVE = frozenset({Role.EMBEDDING, Role.TABLE, Role.HEAD})


class Format(Protocol):
    """Weights [rows, cols] in fewer bits. `decode(encode(w))` is `rounded(w)`, and rounding twice changes nothing."""

    def rounded(self, weight: Tensor) -> Tensor:
        """In fp32, in memory of its own; the weight stays."""
        ...

    def encode(self, weight: Tensor) -> bytes: ...

    def decode(self, packed: bytes, shape: tuple[int, ...]) -> Tensor: ...

    def encoded_bytes(self, shape: tuple[int, ...]) -> int: ...


@dataclass(frozen=True)
class ByRole:
    """One format inside the blocks, one for embedding, tables and head; what bench.layers never rounds stays fp32."""

    blocks: Format
    sensitive: Format

    def of(self, role: Role) -> Format | None:
        if role not in ROUNDED:
            return None
        return self.sensitive if role in SENSITIVE else self.blocks

    def untouched(self, role: Role) -> Cast:
        """The cast of what is rounded only when packed."""
        return as_is

    def straight_through(self, role: Role) -> Cast:
        chosen = self.of(role)
        return as_is if chosen is None else StraightThrough(chosen)

    def encode(self, weight: Tensor, role: Role) -> bytes:
        chosen = self.of(role)
        return Fp32().encode(weight, role) if chosen is None else chosen.encode(weight.detach())

    def decode(self, packed: bytes, shape: tuple[int, ...], role: Role) -> Tensor:
        chosen = self.of(role)
        return Fp32().decode(packed, shape, role) if chosen is None else chosen.decode(packed, shape)

    def encoded_bytes(self, shape: tuple[int, ...], role: Role) -> int:
        chosen = self.of(role)
        return Fp32().encoded_bytes(shape, role) if chosen is None else chosen.encoded_bytes(shape)


@dataclass(frozen=True)
class StraightThrough:
    """The weight as its format would give it back; its gradient is the rounded weight's (arXiv:1308.3432)."""

    format: Format

    def __call__(self, weight: Tensor) -> Tensor:
        return _Rounded.apply(weight, self.format)  # type: ignore[no-any-return, no-untyped-call]


class _Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, number_format: Format) -> Tensor:
        return number_format.rounded(weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return grad, None
