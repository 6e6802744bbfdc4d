"""Late SAM: sharpness-aware steps at the end of training only (Zhou et al. 2024, arXiv:2410.10373).

SAM itself: Foret et al. 2020, arXiv:2010.01412.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from bench.knobs import Span, knob
from bench.layers import Params
from bench.techniques.technique import Prior
from bench.training import Hook, Moment, mean_nats


@dataclass(frozen=True, kw_only=True)
class LateSam:
    """In the last share of the steps the gradient is taken a little up the slope, where the loss is worst nearby.

    The second pass counts in the FLOPs. It asks for the next byte only: what other add-ons do to the first gradient
    or add to the first loss says where to look, and is no part of the step.
    """

    slot: ClassVar = "addons"
    name: ClassVar = "late_sam"
    source: ClassVar = "arXiv:2410.10373"
    late: ClassVar = True
    prior: ClassVar = Prior(-1, "C", "on 3% of the steps, part of 1.1480 BPB")

    share: float = knob(0.1, Span(0.02, 0.2), "of the steps, the last ones; each costs twice")
    radius: float = knob(0.05, Span(0.005, 0.5, log=True), "length of the way up, over all weights together")

    def hook(self, params: Params) -> Hook:
        return _UphillGradient(params.tensors, self.share, self.radius)

    def extra_passes(self) -> float:
        """Forward and backward passes beyond one per step."""
        return self.share


class _UphillGradient(Hook):
    def __init__(self, tensors: list[nn.Parameter], share: float, radius: float) -> None:
        self.tensors = tensors
        self.share = share
        self.radius = radius

    def after_gradients(self, moment: Moment) -> None:
        if moment.n_steps - moment.step > self.share * moment.n_steps:
            return
        with torch.no_grad():
            moved = [p for p in self.tensors if p.grad is not None]
            norm = torch.stack([p.grad.norm() for p in moved if p.grad is not None]).norm()
            # kept, because adding and taking away again would not give back the same bits
            before = [p.clone() for p in moved]
            for p in moved:
                assert p.grad is not None
                p.add_(p.grad * (self.radius / norm.clamp_min(1e-12)))
                p.grad = None
        mean_nats(moment.model(moment.x_BT, moment.progress), moment.y_BT).backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for p, start in zip(moved, before, strict=True):
                p.copy_(start)
