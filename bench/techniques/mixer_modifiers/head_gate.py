"""Gated attention: each head's output times a sigmoid of the input (Parameter Golf #413, #1736; arXiv:2505.06708).

Shapes: B batch, T time, D width, H heads, K head width, C channels that a gate reads.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.skeleton import Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class HeadGate:
    """`y_h <- sigmoid(w_h . x) y_h` from the block's whole normed input: a head may be silent for a byte.

    The gates start half open (the source draws them at a spread of 0.005, which is as good as zero).
    """

    slot: ClassVar = "mixer_modifiers"
    name: ClassVar = "head_gate"
    source: ClassVar = "Parameter Golf #1736"
    point: ClassVar = "gates"
    prior: ClassVar = Prior(-1, "B", "-0.0032 BPB at 1000 steps, nine layers")

    def build(self, site: Site) -> nn.Module:
        return HeadGates(site.n_head, site.width)

    def flops(self, site: Site) -> int:
        return 2 * site.n_head * site.width

    def parameters(self, site: Site) -> int:
        return site.n_head * site.width


class HeadGates(nn.Module):
    """`widest sigmoid(scale W x)` of the first channels of x.

    Vectors to an optimizer: as a matrix, Muon would have these few gates change by orthogonal rows of one length.
    """

    point = "gates"
    vectors = ("rows",)

    def __init__(self, n_head: int, channels: int, scale: float = 1.0, widest: float = 1.0) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.zeros(n_head, channels))
        self.channels, self.scale, self.widest = channels, scale, widest

    def forward(self, y_BHTK: Tensor, x_BTD: Tensor) -> Tensor:
        share_BTH = self.widest * torch.sigmoid(self.scale * F.linear(x_BTD[..., : self.channels], self.rows))
        return y_BHTK * share_BTH.mT.unsqueeze(-1)
