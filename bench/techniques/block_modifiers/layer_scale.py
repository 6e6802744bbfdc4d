"""LayerScale: a learned number per channel on what each part adds (Touvron et al. 2021, arXiv:2103.17239).

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
class LayerScale:
    """`x + scale part(x)`: `attn_scale` and `mlp_scale` of Parameter Golf's baseline.

    The paper starts the scales near zero to train deep stacks; with output projections at zero they may start at one.
    """

    slot: ClassVar = "block_modifiers"
    name: ClassVar = "layer_scale"
    source: ClassVar = "arXiv:2103.17239"
    point: ClassVar = "added"
    prior: ClassVar = Prior(0, "B", "part of Parameter Golf's baseline, never isolated")

    start: float = knob(1.0, Span(0.1, 3.0, log=True), "every scale at the start")

    def build(self, site: Site) -> nn.Module:
        return ChannelScale(site.width, self.start)

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return site.width


class ChannelScale(nn.Module):
    def __init__(self, width: int, start: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((width,), start))

    def forward(self, y_BTD: Tensor, context: Context) -> Tensor:
        return y_BTD * self.scale
