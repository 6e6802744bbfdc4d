"""Backout: the head reads the stream less a share of its middle (Parameter Golf #339; modded-nanogpt).

Shapes: B batch, T time, D width.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Backout:
    """`x - share h` before the head, h the stream after half the blocks: what only served the way is taken back out.

    Done where the last block's feed-forward adds to the stream: with residuals that add it to x as it is, the same.
    `layer_scale` beside it then scales both, the share being learned anyway.
    """

    slot: ClassVar = "block_modifiers"
    name: ClassVar = "backout"
    source: ClassVar = "Parameter Golf #339"
    point: ClassVar = "added"
    prior: ClassVar = Prior(-1, "C", "-0.0071 BPB on the author's own base")

    start: float = knob(0.2, Span(0.0, 0.7), "the learned share at the start")

    def build(self, site: Site) -> nn.Module | None:
        return TakeBack(site.n_layer // 2, self.start) if acts_at(site) else None

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return 1 if acts_at(site) else 0


def acts_at(site: Site) -> bool:
    """Only once, at the end of the last block."""
    return site.layer == site.n_layer - 1 and site.part == "ffn"


class TakeBack(nn.Module):
    def __init__(self, middle: int, start: float) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.tensor([start]))
        self.middle = middle

    def forward(self, y_BTD: Tensor, context: Context) -> Tensor:
        return y_BTD - self.share * context.streams[self.middle]
