"""PolyReLU feed-forward (Zhuo et al. 2024, PolyCom, arXiv:2411.03884).

Shapes: B batch, T time, D width.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from bench.knobs import Span, knob
from bench.layers import Linear, Role
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior

DEGREE = 3  # the paper's best


@dataclass(frozen=True, kw_only=True)
class PolyRelu:
    """`down(a_1 r + a_2 r^2 + a_3 r^3)` with `r = max(up(x), 0)`: each layer learns how steep it is.

    The paper's a_0 is left out: what a constant gives, a bias after the product would, and nothing else here has one.
    """

    slot: ClassVar = "ffn"
    name: ClassVar = "polyrelu"
    source: ClassVar = "arXiv:2411.03884"
    prior: ClassVar = Prior(0, "D", "no result at this size")

    mult: int = knob(4, Span(2, 6), "hidden width as a multiple of the model's")

    def build(self, site: Site) -> nn.Module:
        return PolyReluFfn(site.width, self.mult * site.width)

    def flops(self, site: Site) -> int:
        return 4 * self.mult * site.width**2

    def parameters(self, site: Site) -> int:
        return 2 * self.mult * site.width**2 + DEGREE


class _Polynomial(torch.autograd.Function):
    """By hand: autograd keeps every power, and its way back through them is several passes longer."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, powers: Tensor) -> Tensor:
        r = h.clamp_min(0)
        ctx.save_for_backward(r, powers)
        a1, a2, a3 = powers.tolist()
        y: Tensor = (r * a3).add_(a2).mul_(r).add_(a1).mul_(r)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        r, powers = ctx.saved_tensors
        a1, a2, a3 = powers.tolist()
        slope = (r * (3 * a3)).add_(2 * a2).mul_(r).add_(a1)
        grad_h = slope.mul_(grad).mul_(r > 0)
        flat, grads = r.flatten(), [grad.flatten()]
        sums = [torch.dot(grads[-1], flat)]
        for _ in range(DEGREE - 1):
            grads.append(grads[-1] * flat)
            sums.append(torch.dot(grads[-1], flat))
        return grad_h, torch.stack(sums)


class PolyReluFfn(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.up = Linear(width, hidden)
        self.down = Linear(hidden, width, Role.OUTPUT)
        self.powers = nn.Parameter(torch.full((DEGREE,), 1 / DEGREE))

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        h = _Polynomial.apply(self.up(x_BTD), self.powers)  # type: ignore[no-untyped-call]
        y_BTD: Tensor = self.down(h)
        return y_BTD
