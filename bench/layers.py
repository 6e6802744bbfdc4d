"""The tensors that training moves, each with its role, so that no optimizer or initialiser ever matches names.

Shapes: B batch, T time, D width, V vocabulary, J taps.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class Role(StrEnum):
    """What a tensor is for."""

    MATRIX = "matrix"  # inside a block
    OUTPUT = "output"  # a matrix whose product is added to the residual stream
    EMBEDDING = "embedding"
    TABLE = "table"  # looked up beside the embedding, zero at the start
    HEAD = "head"
    FILTER = "filter"  # a few taps per channel
    VECTOR = "vector"  # gains, gates, decays: numbers that act one by one and keep the values they are built with


# What a number format may round; filters and vectors are few and sensitive, and pass through in fp32.
ROUNDED = frozenset({Role.MATRIX, Role.OUTPUT, Role.EMBEDDING, Role.TABLE, Role.HEAD})


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
    """A row per token, or per bucket of a TABLE."""

    def __init__(self, vocab: int, width: int, role: Role = Role.EMBEDDING) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(vocab, width))
        self.role = role
        self.cast: Cast = as_is

    def rows(self) -> Tensor:
        """[vocab, width], as the number format gives them."""
        return self.cast(self.weight)

    def forward(self, tokens_BT: Tensor) -> Tensor:
        return F.embedding(tokens_BT, self.rows())


class Filter(nn.Module):
    """A causal convolution of each channel with taps of its own: `y_t = sum_j taps[:, j] x_(t - j spacing)`."""

    def __init__(self, width: int, taps: int, spacing: int = 1, role: Role = Role.FILTER) -> None:
        super().__init__()
        assert role in (Role.FILTER, Role.VECTOR), f"taps are no {role}"
        self.weight = nn.Parameter(torch.zeros(width, taps))
        self.role = role
        self.spacing = spacing

    def forward(self, x_BTD: Tensor) -> Tensor:
        return _Shifted.apply(x_BTD, self.weight, self.spacing)  # type: ignore[no-any-return, no-untyped-call]


class _Shifted(torch.autograd.Function):
    """Shifted products, each added in place: torch's convolution and autograd's own sum of products take longer."""

    @staticmethod
    def forward(ctx: Any, x_BTD: Tensor, taps_DJ: Tensor, spacing: int) -> Tensor:
        ctx.save_for_backward(x_BTD, taps_DJ)
        ctx.spacing = spacing
        y_BTD = x_BTD * taps_DJ[:, 0]
        for back, tap_D, _ in _reaching(x_BTD, taps_DJ, spacing):
            y_BTD[:, back:].addcmul_(x_BTD[:, :-back], tap_D)
        return y_BTD

    @staticmethod
    def backward(ctx: Any, grad_BTD: Tensor) -> tuple[Tensor, Tensor, None]:
        x_BTD, taps_DJ = ctx.saved_tensors
        grad_x_BTD, grad_taps_DJ = grad_BTD * taps_DJ[:, 0], torch.zeros_like(taps_DJ)
        grad_taps_DJ[:, 0] = (grad_BTD * x_BTD).sum((0, 1))
        for back, tap_D, tap in _reaching(x_BTD, taps_DJ, ctx.spacing):
            grad_x_BTD[:, :-back].addcmul_(grad_BTD[:, back:], tap_D)
            grad_taps_DJ[:, tap] = (grad_BTD[:, back:] * x_BTD[:, :-back]).sum((0, 1))
        return grad_x_BTD, grad_taps_DJ, None


def _reaching(x_BTD: Tensor, taps_DJ: Tensor, spacing: int) -> Iterator[tuple[int, Tensor, int]]:
    """How far back each tap after the first looks, its weights, its number; those beyond the window are left out."""
    for tap in range(1, taps_DJ.size(1)):
        if (back := tap * spacing) < x_BTD.size(1):
            yield back, taps_DJ[:, tap].contiguous(), tap


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

    # what is kept has no history of its own: a second derivative would be wrong without a word
    @staticmethod
    @once_differentiable
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

    @property
    def place(self) -> tuple[int, str, str]:
        """Its block, the part of it (`mixer` or `ffn`) and its module there, as the skeleton names them."""
        match self.name.split("."):
            case ["blocks", layer, part, *within, "weight"]:
                return int(layer), part, ".".join(within)
        return -1, "", ""


# Of what a weight is multiplied with, the sum of its products with itself, [n_in, n_in], by the weight's name.
Moments = Mapping[str, Tensor]


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
        return self.of(Role.EMBEDDING, Role.TABLE, Role.HEAD, Role.FILTER, Role.VECTOR)

    @property
    def count(self) -> int:
        return sum(param.tensor.numel() for param in self.all)


def _roles(model: nn.Module) -> Iterator[Param]:
    """A `weight` has its module's role; another parameter is a vector, of two dimensions only if its module says so."""
    for prefix, module in model.named_modules():
        for name, tensor in module.named_parameters(recurse=False):
            full = f"{prefix}.{name}" if prefix else name
            role = getattr(module, "role", None) if name == "weight" else None
            if role is None and tensor.dim() >= 2 and name not in getattr(module, "vectors", ()):
                raise TypeError(
                    f"{full} has shape {tuple(tensor.shape)} and no role: "
                    f"build it from Linear, Embedding or Filter, or name it in the module's `vectors`"
                )
            yield Param(full, tensor, role or Role.VECTOR)
