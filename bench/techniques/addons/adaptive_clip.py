"""Adaptive clipping: each group of tensors against the norms it had before (AGGC 2026, arXiv:2601.11864)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Params, Role
from bench.techniques.technique import Prior
from bench.training import Hook, Moment


@dataclass(frozen=True, kw_only=True)
class AdaptiveClip:
    """Gradients of one role are scaled down together when their norm passes `ratio` times its moving average.

    A burst in one group leaves the others alone. The average takes in the norm as it was, so that a lasting change
    is followed. The paper's lower bound, against vanishing gradients, and its timetable of bounds are left out.
    """

    slot: ClassVar = "addons"
    name: ClassVar = "adaptive_clip"
    source: ClassVar = "arXiv:2601.11864"
    prior: ClassVar = Prior(0, "D", "no result at this size")

    ratio: float = knob(1.5, Span(1.05, 4.0, log=True), "largest norm, in units of its average so far")
    decay: float = knob(0.95, Span(0.8, 0.99), "share of the average kept per step")

    def hook(self, params: Params) -> Hook:
        groups = [tensors for role in Role if (tensors := params.of(role))]
        return _ClipEach(groups, self.ratio, self.decay)


class _ClipEach(Hook):
    def __init__(self, groups: list[list[nn.Parameter]], ratio: float, decay: float) -> None:
        self.groups = groups
        self.ratio = ratio
        self.decay = decay
        self.sums = [0.0] * len(groups)
        # the share of each average that has been filled: dividing by it takes the zeros of the start out
        self.weights = [0.0] * len(groups)

    @torch.no_grad()
    def after_gradients(self, moment: Moment) -> None:
        for at, tensors in enumerate(self.groups):
            grads = [p.grad for p in tensors if p.grad is not None]
            norm = _joint_norm(grads)
            if self.sums[at] and norm > (limit := self.ratio * self.sums[at] / self.weights[at]):
                torch._foreach_mul_(grads, limit / norm)
            # a gradient of zero, as behind an output that is still zero, is no norm to go by
            if norm:
                self.sums[at] = self.decay * self.sums[at] + (1 - self.decay) * norm
                self.weights[at] = self.decay * self.weights[at] + 1 - self.decay


def _joint_norm(grads: list[Tensor]) -> float:
    return torch.stack(torch._foreach_norm(grads)).norm().item() if grads else 0.0
