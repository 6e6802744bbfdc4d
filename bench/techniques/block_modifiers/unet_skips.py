"""U-Net skips: the first half's outputs enter the second half again, last in first out (modded-nanogpt).

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
class UnetSkips:
    """A block of the second half is given `x + w skip`, with w a learned number per channel.

    With four blocks the third is given the second's output once more, and the fourth the first's. The third's skip is
    its own input: its stream is scaled by `1 + w`, as in the baseline this comes from.
    """

    slot: ClassVar = "block_modifiers"
    name: ClassVar = "unet_skips"
    source: ClassVar = "modded-nanogpt"
    point: ClassVar = "stream"
    prior: ClassVar = Prior(-1, "B", "removing them hurt; started at zero +0.0104 BPB")

    start: float = knob(1.0, Span(0.0, 1.0), "weight of every skip at the start")

    def build(self, site: Site) -> nn.Module | None:
        partner = encoder_of(site)
        return None if partner is None else Skip(site.width, partner, self.start)

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return 0 if encoder_of(site) is None else site.width


def encoder_of(site: Site) -> int | None:
    """The block of the first half whose output enters this one; None where none does."""
    half = site.n_layer // 2
    partner = 2 * half - 1 - site.layer
    return partner if site.layer >= half and partner >= 0 else None


class Skip(nn.Module):
    def __init__(self, width: int, partner: int, start: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((width,), start))
        self.partner = partner

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        # what a block gave is what the next was given
        return torch.addcmul(x_BTD, context.streams[self.partner + 1], self.weight)
