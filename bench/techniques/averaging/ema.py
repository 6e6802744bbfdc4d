"""EMA: an exponential moving average of the weights (Polyak & Juditsky 1992; Parameter Golf #287)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Params
from bench.ranks import Ranks
from bench.techniques.technique import Need, Prior
from bench.training import Hook, Moment


@dataclass(frozen=True, kw_only=True)
class Ema:
    """The packed model is the average, not the last step; divided by its total weight, so the start does not pull."""

    slot: ClassVar = "averaging"
    name: ClassVar = "ema"
    source: ClassVar = "Parameter Golf #287"
    late: ClassVar = True
    needs: ClassVar = (Need("xsa", "without XSA it was 0.023 BPB worse", "Parameter Golf #201"),)
    prior: ClassVar = Prior(-1, "A", "-0.0006 to -0.003 BPB on XSA stacks")

    decay: float = knob(0.96, Span(0.8, 0.99), "share of the average kept per step: 0.96 looks back about 25 steps")

    def hook(self, params: Params) -> Hook:
        return _Average(params.tensors, self.decay)


class _Average(Hook):
    def __init__(self, tensors: list[nn.Parameter], decay: float) -> None:
        self.tensors: list[Tensor] = [p.detach() for p in tensors]
        self.sums = [torch.zeros_like(p) for p in self.tensors]
        self.decay = decay
        self.weight = 0.0

    def after_step(self, moment: Moment) -> None:
        torch._foreach_lerp_(self.sums, self.tensors, 1 - self.decay)
        self.weight = self.decay * self.weight + 1 - self.decay

    def at_end(self, model: nn.Module, ranks: Ranks) -> None:
        for p, total in zip(self.tensors, self.sums, strict=True):
            p.copy_(total / self.weight)
