"""SmearGate: each channel blends in the byte before (Parameter Golf #65, #162; from modded-nanogpt).

Shapes: B batch, T time, D width.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.skeleton import Context, Site
from bench.techniques.technique import Need, Prior


@dataclass(frozen=True, kw_only=True)
class SmearGate:
    """`(1 - s) x_t + s x_(t-1)` with `s` a learned number per channel, after the embedding's norm.

    The first byte of a story blends with nothing, so no story leaks into the next.
    """

    slot: ClassVar = "features"
    name: ClassVar = "smear_gate"
    source: ClassVar = "Parameter Golf #65"
    needs: ClassVar = (
        Need("orthogonal", "without orthogonal initialisation it was 0.003 BPB worse", "Parameter Golf #212"),
    )
    prior: ClassVar = Prior(-1, "B", "part of 1.1630 to 1.1556 BPB")

    start: float = knob(0.0, Span(-3.0, 0.0), "the gate before its sigmoid at the start: 0 is half and half")

    def build(self, site: Site) -> nn.Module:
        return Smear(site.width, self.start)

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return site.width


class Smear(nn.Module):
    def __init__(self, width: int, start: float) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.full((width,), start))

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        before_BTD = F.pad(x_BTD, (0, 0, 1, 0))[:, :-1]
        share_BTD = torch.sigmoid(self.gate) * (~context.starts_BT).unsqueeze(-1)
        return torch.lerp(x_BTD, before_BTD, share_BTD.to(x_BTD.dtype))
