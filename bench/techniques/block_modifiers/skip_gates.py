"""Gated U-Net skips: a learned share decides between stream and skip (techniques.md 2.10; Parameter Golf #1218).

Shapes: B batch, T time, D width.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.skeleton import Context, Site
from bench.techniques.block_modifiers.unet_skips import encoder_of
from bench.techniques.technique import Clash, Prior


@dataclass(frozen=True, kw_only=True)
class SkipGates:
    """A block of the second half is given `s x + (1 - s) w skip`, `s = sigmoid(g)`, with w and g learned per channel.

    The skips are those of `unet_skips`, whose plain sum this takes the place of: the stream does not grow by it.
    """

    slot: ClassVar = "block_modifiers"
    name: ClassVar = "skip_gates"
    source: ClassVar = "Parameter Golf #1218"
    point: ClassVar = "stream"
    prior: ClassVar = Prior(-1, "B", "in every record from 1.0979 BPB on, never measured alone")
    clashes: ClassVar = (
        Clash("unet_skips", "each skip would enter twice", "Parameter Golf #1218 replaced the plain sum", hard=True),
    )

    start: float = knob(0.0, Span(-3.0, 3.0), "g at the start: 0 is half and half, above it more of the stream")

    def build(self, site: Site) -> nn.Module | None:
        partner = encoder_of(site)
        return None if partner is None else GatedSkip(site.width, partner, self.start)

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return 0 if encoder_of(site) is None else 2 * site.width


class GatedSkip(nn.Module):
    def __init__(self, width: int, partner: int, start: float) -> None:
        super().__init__()
        self.skip = nn.Parameter(torch.ones(width))
        self.gate = nn.Parameter(torch.full((width,), start))
        self.partner = partner

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        # what a block gave is what the next was given
        skip_BTD = self.skip * context.streams[self.partner + 1]
        return torch.lerp(skip_BTD, x_BTD, torch.sigmoid(self.gate).to(x_BTD.dtype))
