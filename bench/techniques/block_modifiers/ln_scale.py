"""LN scale: deeper blocks read a smaller stream (Parameter Golf #315; Sun et al. 2025, arXiv:2502.05795)."""

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.skeleton import Context, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class LnScale:
    """The normalised input of both parts of block i is multiplied by 1/sqrt(i + 1)."""

    slot: ClassVar = "block_modifiers"
    name: ClassVar = "ln_scale"
    source: ClassVar = "Parameter Golf #315"
    point: ClassVar = "read"
    prior: ClassVar = Prior(-1, "B", "with partial RoPE -0.0023 BPB, 11 layers")

    def build(self, site: Site) -> nn.Module:
        return Scale(1 / math.sqrt(site.layer + 1))

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return 0


class Scale(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, h_BTD: Tensor, context: Context) -> Tensor:
        return h_BTD * self.factor
