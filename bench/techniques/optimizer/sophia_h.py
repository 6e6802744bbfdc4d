"""Sophia-H: Sophia with Hutchinson's estimate of the Hessian's diagonal (Liu et al. 2023, arXiv:2305.14342)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Params
from bench.techniques.optimizer.sophia import SophiaOptimizer
from bench.techniques.technique import Prior
from bench.training import Moment, Optimizer, mean_nats

# How far every weight is moved to see the gradient change. In fp32 the baseline's H u is then off by 0.1 % of its
# length (float64 as the measure, at the start and after 30 steps); rounding takes over below 1e-5, the third
# derivative above 1e-3.
DISTANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class SophiaH:
    """Curvature of the loss itself, from the labels at hand: `u * (H u)` for random signs u, right on average.

    Where it comes out negative the step is the momentum's sign. H u is a difference of two gradients, which count
    in the FLOPs; a forward pass that rounds its weights makes that difference rough.
    """

    slot: ClassVar = "optimizer"
    name: ClassVar = "sophia_h"
    source: ClassVar = "arXiv:2305.14342"
    points: ClassVar = frozenset({"decay"})
    prior: ClassVar = Prior(0, "C", "behind Gauss-Newton-Bartlett in its paper")

    lr: float = knob(6e-3, Span(2e-4, 2e-2, log=True), "change of a weight per step at most")
    beta1: float = knob(0.9, Span(0.85, 0.98), "decay of the smoothed gradient")
    beta2: float = knob(0.99, Span(0.9, 0.999), "decay of the smoothed curvature")
    # 10 learned most in 200 steps of 8 sequences: 1.90, against 2.52 at 0.03, where every weight is clipped
    gamma: float = knob(10.0, Span(0.003, 100.0, log=True), "scale of the curvature: larger clips fewer weights")
    every: int = knob(20, Span(10, 40), "steps between curvature estimates, two passes each")
    weight_decay: float = knob(0.05, Span(1e-3, 1.0, log=True), "decoupled, scaled by lr")

    def build(self, params: Params, modifiers: Sequence[Any] = ()) -> Optimizer:
        return SophiaOptimizer(params.tensors, asdict(self), hutchinson, modifiers)

    def extra_passes(self) -> float:
        """Forward and backward passes beyond one per step."""
        return 2 / self.every


def hutchinson(moment: Moment, tensors: Sequence[nn.Parameter]) -> list[Tensor]:
    signs = [torch.empty_like(p).bernoulli_(0.5, generator=moment.noise).mul_(2).sub_(1) for p in tensors]
    return [u.mul_(hu) for u, hu in zip(signs, hessian_times(signs, moment, tensors), strict=True)]


def hessian_times(probes: Sequence[Tensor], moment: Moment, tensors: Sequence[nn.Parameter]) -> list[Tensor]:
    """The loss's Hessian times a vector given in pieces, one a tensor: by difference, from both sides.

    Not by a second derivative: the parts written by hand have none. The tensors come back bit by bit.
    """
    starts = [p.detach().clone() for p in tensors]

    def gradients(distance: float) -> tuple[Tensor, ...]:
        with torch.no_grad():
            for p, start, probe in zip(tensors, starts, probes, strict=True):
                p.copy_(start).add_(probe, alpha=distance)
        return torch.autograd.grad(mean_nats(moment.model(moment.x_BT, moment.progress), moment.y_BT), tensors)

    ahead, behind = gradients(DISTANCE), gradients(-DISTANCE)
    with torch.no_grad():
        for p, start in zip(tensors, starts, strict=True):
            p.copy_(start)
    return [(a - b).div_(2 * DISTANCE) for a, b in zip(ahead, behind, strict=True)]
