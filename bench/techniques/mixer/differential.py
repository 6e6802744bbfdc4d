"""Differential attention: the difference of two softmax maps (Ye et al. 2024, arXiv:2410.05258).

Shapes: B batch, T time, H maps, G = H/2 heads, K width of queries and keys.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.layers import rms
from bench.skeleton import Site
from bench.techniques.mixer.softmax import (
    ATTENTION_POINTS,
    Attention,
    attention_flops,
    attention_parameters,
    bytes_back,
)
from bench.techniques.technique import Prior

# Spread at which the paper draws the vectors behind lambda; here they start alike, so that lambda starts at its base.
LAMBDA_START = 0.1


@dataclass(frozen=True, kw_only=True)
class Differential:
    """What two maps agree on is noise and cancels: `(softmax(q1 k1) - lambda softmax(q2 k2)) v`, then a norm per head.

    As in the paper there are half as many heads, each with two maps and values twice as wide, so the projections have
    softmax's size. The norm has no learned gain, like every norm here. No output gates: those count `n_head` heads.
    """

    slot: ClassVar = "mixer"
    name: ClassVar = "differential"
    source: ClassVar = "arXiv:2410.05258"
    points: ClassVar = ATTENTION_POINTS - {"gates"}
    prior: ClassVar = Prior(1, "D", "worse in the ablations of Parameter Golf #345 and #640")

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module:
        assert site.n_head % 2 == 0, f"{site.n_head} maps can't be paired"
        return Attention(site, modifiers, Difference(site), value_heads=site.n_head // 2)

    def flops(self, site: Site) -> int:
        return attention_flops(site, site.n_head)

    def parameters(self, site: Site) -> int:
        return attention_parameters(site, site.n_head) + 4 * site.head_width


class Difference(nn.Module):
    """`lambda = exp(a1 . b1) - exp(a2 . b2) + base`, one number a layer; maps 2g and 2g + 1 belong to head g.

    Maps are explicit products: fused attention would have to compute each of them twice, for values twice as wide.
    """

    future: Tensor

    def __init__(self, site: Site) -> None:
        super().__init__()
        # 0.8 - 0.6 exp(-0.3 (l - 1)) for layers counted from one (section 2.1 of the paper)
        self.base = 0.8 - 0.6 * math.exp(-0.3 * site.layer)
        self.scale = 1 / math.sqrt(site.head_width)
        self.a1, self.b1, self.a2, self.b2 = (
            nn.Parameter(torch.full((site.head_width,), LAMBDA_START)) for _ in range(4)
        )
        minus_infinity = torch.full((site.seq_len, site.seq_len), -math.inf)
        future = torch.where(bytes_back(site.seq_len) < 0, minus_infinity, 0.0)
        self.register_buffer("future", future, False)

    def forward(self, q_BHTK: Tensor, k_BHTK: Tensor, v_BGTK: Tensor, within_BTT: Tensor | None = None) -> Tensor:
        B, H, T, _ = q_BHTK.shape
        scores = torch.baddbmm(
            self.future[:T, :T].to(q_BHTK.dtype), q_BHTK.flatten(0, 1), k_BHTK.flatten(0, 1).mT, alpha=self.scale
        )
        if within_BTT is not None:
            scores = scores.view(B, H, T, T).masked_fill(~within_BTT.unsqueeze(1), -math.inf).flatten(0, 1)
        first, second = scores.softmax(-1).view(B, H // 2, 2, T, T).unbind(2)
        share = (self.a1 * self.b1).sum().exp() - (self.a2 * self.b2).sum().exp() + self.base
        return rms((first - share * second) @ v_BGTK) * (1 - self.base)
