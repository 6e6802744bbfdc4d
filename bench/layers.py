"""The tensors that training moves, each with its role, so that no optimizer or initialiser ever matches names.

Shapes: B batch, T time, D width, V vocabulary.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Role(StrEnum):
    """What a tensor is for."""

    MATRIX = "matrix"  # inside a block
    OUTPUT = "output"  # a matrix whose product is added to the residual stream
    EMBEDDING = "embedding"
    HEAD = "head"
    VECTOR = "vector"  # gains, gates, biases: everything below two dimensions


Cast = Callable[[Tensor], Tensor]


def as_is(weight: Tensor) -> Tensor:
    return weight


class Linear(nn.Module):
    """A product without bias. `cast` is what a number format does to the weight on its way into the product."""

    def __init__(self, n_in: int, n_out: int, role: Role = Role.MATRIX) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_out, n_in))
        self.role = role
        self.cast: Cast = as_is

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.cast(self.weight))


class Embedding(nn.Module):
    """A row per token."""

    def __init__(self, vocab: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(vocab, width))
        self.role = Role.EMBEDDING
        self.cast: Cast = as_is

    def forward(self, tokens_BT: Tensor) -> Tensor:
        return F.embedding(tokens_BT, self.cast(self.weight))


# Single precision's machine epsilon, whatever the dtype, so that float64 references agree.
RMS_EPS = torch.finfo(torch.float32).eps


class _Rms(torch.autograd.Function):
    """By hand because autograd's own keeps and re-reads more: a training step is about a tenth faster with it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        scale: Tensor = torch.linalg.vecdot(x, x).unsqueeze(-1).mul_(1 / x.size(-1)).add_(RMS_EPS).rsqrt_()
        y = x * scale
        ctx.save_for_backward(y, scale)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        y, scale = ctx.saved_tensors
        along = torch.linalg.vecdot(grad, y).unsqueeze(-1).mul_(-1 / y.size(-1))
        grad_x: Tensor = torch.addcmul(grad, y, along).mul_(scale)
        return grad_x


def rms(x: Tensor) -> Tensor:
    """Each vector of the last axis scaled to unit root mean square; no learned gain."""
    return _Rms.apply(x)  # type: ignore[no-any-return, no-untyped-call]


@dataclass(frozen=True)
class Param:
    """One trained tensor under its name."""

    name: str
    tensor: nn.Parameter
    role: Role


class Params:
    """A model's trained tensors sorted by role; each stands in exactly one."""

    def __init__(self, model: nn.Module) -> None:
        self.all = tuple(_roles(model))
        counted = sum(param.tensor.numel() for param in self.all)
        expected = sum(p.numel() for p in model.parameters())
        assert counted == expected, f"{counted} numbers have a role, the model holds {expected}"

    def of(self, *roles: Role) -> list[nn.Parameter]:
        return [param.tensor for param in self.all if param.role in roles]

    @property
    def tensors(self) -> list[nn.Parameter]:
        return [param.tensor for param in self.all]

    @property
    def matrices(self) -> list[nn.Parameter]:
        """The matrices inside blocks: what Muon may orthogonalise."""
        return self.of(Role.MATRIX, Role.OUTPUT)

    @property
    def rest(self) -> list[nn.Parameter]:
        return self.of(Role.EMBEDDING, Role.HEAD, Role.VECTOR)

    @property
    def count(self) -> int:
        return sum(param.tensor.numel() for param in self.all)


def _roles(model: nn.Module) -> Iterator[Param]:
    for prefix, module in model.named_modules():
        for name, tensor in module.named_parameters(recurse=False):
            full = f"{prefix}.{name}" if prefix else name
            role = getattr(module, "role", None) if name == "weight" else None
            if role is None and tensor.dim() >= 2:
                raise TypeError(
                    f"{full} has shape {tuple(tensor.shape)} and no role: build it from Linear or Embedding"
                )
            yield Param(full, tensor, role or Role.VECTOR)
