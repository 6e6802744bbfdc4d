"""LAWA: the mean of the latest snapshots (Kaddour 2022, arXiv:2209.14981)."""

from collections import deque
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
class Lawa:
    """A snapshot every few steps from the first on; the packed model is the equal mean of the last few of them.

    A run too short for one snapshot keeps its last weights.
    """

    slot: ClassVar = "averaging"
    name: ClassVar = "lawa"
    source: ClassVar = "arXiv:2209.14981"
    late: ClassVar = True
    prior: ClassVar = Prior(0, "N", "an option left off in Parameter Golf; with EMA on top of it worse")

    snapshots: int = knob(6, Span(2, 12), "how many of the latest snapshots are averaged")
    every: int = knob(10, Span(1, 25), "steps between snapshots")

    def hook(self, params: Params) -> Hook:
        return _LatestMean(params.tensors, self.snapshots, self.every)


class _LatestMean(Hook):
    def __init__(self, tensors: list[nn.Parameter], snapshots: int, every: int) -> None:
        self.tensors: list[Tensor] = [p.detach() for p in tensors]
        self.latest: deque[list[Tensor]] = deque(maxlen=snapshots)
        self.every = every

    def after_step(self, moment: Moment) -> None:
        if (moment.step + 1) % self.every == 0:
            self.latest.append([p.clone() for p in self.tensors])

    def at_end(self, model: nn.Module, ranks: Ranks) -> None:
        if not self.latest:
            return
        for p, *snapshots in zip(self.tensors, *self.latest, strict=True):
            p.copy_(torch.stack(snapshots).mean(0))
