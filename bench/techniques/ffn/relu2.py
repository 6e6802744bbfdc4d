"""Squared ReLU feed-forward (So et al. 2021, Primer, arXiv:2109.08668)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from bench.knobs import Span, knob
from bench.layers import Linear, Role
from bench.skeleton import Context, Site


@dataclass(frozen=True, kw_only=True)
class Relu2:
    """`down(max(up(x), 0)^2)`: sparse, and steeper than ReLU where it is active."""

    slot: ClassVar = "ffn"
    name: ClassVar = "relu2"
    source: ClassVar = "arXiv:2109.08668"

    mult: int = knob(4, Span(2, 6), "hidden width as a multiple of the model's")

    def build(self, site: Site) -> nn.Module:
        return Relu2Ffn(site.width, self.mult * site.width)

    def flops(self, site: Site) -> int:
        return 4 * self.mult * site.width**2

    def parameters(self, site: Site) -> int:
        return 2 * self.mult * site.width**2


class _SquaredRelu(torch.autograd.Function):
    """By hand so that only the rectified tensor is kept and the way back is two passes over it."""

    @staticmethod
    def forward(ctx: Any, h: Tensor) -> Tensor:
        rectified = h.clamp_min(0)
        ctx.save_for_backward(rectified)
        return rectified * rectified

    # what is kept has no history of its own: a second derivative would be wrong without a word
    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (rectified,) = ctx.saved_tensors
        return torch.mul(rectified, grad).mul_(2)


class Relu2Ffn(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.up = Linear(width, hidden)
        self.down = Linear(hidden, width, Role.OUTPUT)

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        y_BTD: Tensor = self.down(_SquaredRelu.apply(self.up(x_BTD)))  # type: ignore[no-untyped-call]
        return y_BTD
