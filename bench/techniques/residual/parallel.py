"""Parallel residual: mixer and feed-forward read the same stream (Wang & Komatsuzaki 2021, GPT-J-6B).

Shapes: B batch, T time, D width.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.skeleton import Context, Part, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Parallel:
    """`x + mixer(rms(x)) + ffn(rms(x))`: the feed-forward does not wait for the mixer."""

    slot: ClassVar = "residual"
    name: ClassVar = "parallel"
    source: ClassVar = "GPT-J-6B"
    prior: ClassVar = Prior(0, "B", "in the last layers of Parameter Golf's April records, mostly a smaller quant gap")

    def build(self, site: Site) -> nn.Module:
        return BothAtOnce()

    def flops(self, site: Site) -> int:
        return 0

    def parameters(self, site: Site) -> int:
        return 0


class BothAtOnce(nn.Module):
    def forward(self, x_BTD: Tensor, mixed: Part, fed: Part, context: Context) -> Tensor:
        return x_BTD + mixed(x_BTD) + fed(x_BTD)
