"""x0 mixing: every block may look at the embedding again (`resid_mix` of Parameter Golf's baseline; modded-nanogpt).

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
class X0Mix:
    """A block is given `a x + b x0`, x0 the normed embedding, with a and b a learned number per channel."""

    slot: ClassVar = "block_modifiers"
    name: ClassVar = "x0_mix"
    source: ClassVar = "modded-nanogpt"
    point: ClassVar = "stream"
    # coupled lanes go on without it: their mixer alone reads the mix (Parameter Golf #1529)
    spares_lanes: ClassVar = True
    prior: ClassVar = Prior(-1, "B", "part of Parameter Golf's baseline and of every record built on it")

    start: float = knob(0.0, Span(0.0, 0.5), "b at the start; a starts at what is left to 1")

    def build(self, site: Site) -> nn.Module:
        return Mix(site.width, self.start)

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return 2 * site.width


class Mix(nn.Module):
    def __init__(self, width: int, start: float) -> None:
        super().__init__()
        self.stream = nn.Parameter(torch.full((width,), 1 - start))
        self.embedding = nn.Parameter(torch.full((width,), start))

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        return torch.addcmul(x_BTD * self.stream, context.x0_BTD, self.embedding)
