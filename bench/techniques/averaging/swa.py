"""SWA: the mean of snapshots over the last stretch of training (Izmailov et al. 2018, arXiv:1803.05407)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Params
from bench.ranks import Ranks
from bench.techniques.technique import Prior
from bench.training import Hook, Moment


@dataclass(frozen=True, kw_only=True)
class Swa:
    """The packed model is the equal mean, in fp32, of the weights at every few steps of the last share.

    Counted back from the last step, so that the last weights are always among them.
    """

    slot: ClassVar = "averaging"
    name: ClassVar = "swa"
    source: ClassVar = "arXiv:1803.05407"
    late: ClassVar = True
    prior: ClassVar = Prior(-1, "C", "-0.0006 BPB for starting at 0.4 of the peak rate and not at 0.5")

    share: float = knob(0.15, Span(0.02, 0.6), "share of the steps, the last ones, that the mean looks at")
    every: int = knob(5, Span(1, 25), "steps between snapshots")

    def hook(self, params: Params) -> Hook:
        return _TailMean(params.tensors, self.share, self.every)


class _TailMean(Hook):
    def __init__(self, tensors: list[nn.Parameter], share: float, every: int) -> None:
        self.tensors: list[Tensor] = [p.detach() for p in tensors]
        self.sums = [torch.zeros_like(p) for p in self.tensors]
        self.share = share
        self.every = every
        self.taken = 0

    def after_step(self, moment: Moment) -> None:
        to_come = moment.n_steps - moment.step - 1
        if to_come % self.every == 0 and (to_come == 0 or to_come < self.share * moment.n_steps):
            torch._foreach_add_(self.sums, self.tensors)
            self.taken += 1

    def at_end(self, model: nn.Module, ranks: Ranks) -> None:
        for p, total in zip(self.tensors, self.sums, strict=True):
            p.copy_(total / self.taken)
