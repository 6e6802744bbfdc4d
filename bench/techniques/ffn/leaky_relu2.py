"""Squared leaky ReLU feed-forward (Parameter Golf #549).

Shapes: B batch, T time, D width.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from bench.knobs import Span, knob
from bench.layers import Linear, Role
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class LeakyRelu2:
    """`down(leaky(up(x))^2)`: never negative, and no hidden number stops learning below zero."""

    slot: ClassVar = "ffn"
    name: ClassVar = "leaky_relu2"
    source: ClassVar = "Parameter Golf #549"
    prior: ClassVar = Prior(-1, "A", "-0.0021 to -0.003 BPB against relu2, kept by every later record")

    mult: int = knob(4, Span(2, 6), "hidden width as a multiple of the model's")
    slope: float = knob(0.5, Span(0.1, 0.9), "slope below zero, before squaring")

    def build(self, site: Site) -> nn.Module:
        return LeakyRelu2Ffn(site.width, self.mult * site.width, self.slope)

    def flops(self, site: Site) -> int:
        return 4 * self.mult * site.width**2

    def parameters(self, site: Site) -> int:
        return 2 * self.mult * site.width**2


class _SquaredLeakyRelu(torch.autograd.Function):
    """By hand so that one tensor is kept: the sign of what leaked is the sign of what came in."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, slope: float) -> Tensor:
        leaked = F.leaky_relu(h, slope)
        ctx.save_for_backward(leaked)
        ctx.slope = slope
        return leaked * leaked

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (leaked,) = ctx.saved_tensors
        return F.leaky_relu(leaked, ctx.slope).mul_(grad).mul_(2), None


class LeakyRelu2Ffn(nn.Module):
    def __init__(self, width: int, hidden: int, slope: float) -> None:
        super().__init__()
        self.up = Linear(width, hidden)
        self.down = Linear(hidden, width, Role.OUTPUT)
        self.slope = slope

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        h = _SquaredLeakyRelu.apply(self.up(x_BTD), self.slope)  # type: ignore[no-untyped-call]
        y_BTD: Tensor = self.down(h)
        return y_BTD
