"""SmearGate by a gate that reads the token (Parameter Golf #1667, #1851; from modded-nanogpt).

Shapes: B batch, T time, D width.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.layers import rms
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior

# #1667, #1851 and #1855 alike
CHANNELS = 12


@dataclass(frozen=True, kw_only=True)
class InputSmear:
    """`e_t + scale sigmoid(w . e_t[:12]) e_(t-1)` of the embeddings before their norm. At first it changes nothing.

    The first token of a document takes nothing from the one before: #1667 let it, and #1851 calls that a leak.
    """

    slot: ClassVar = "features"
    name: ClassVar = "input_smear"
    source: ClassVar = "Parameter Golf #1667, #1851"
    prior: ClassVar = Prior(-1, "B", "-0.0005 BPB with gates on attention's output in #1667; part of -0.002 in #1851")

    def build(self, site: Site) -> nn.Module:
        return ReadingSmear(site)

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return CHANNELS + 1


class ReadingSmear(nn.Module):
    """What it changes of the normed embedding is added to the stream, so that other features stay as they are."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.reads = nn.Parameter(torch.zeros(CHANNELS))
        self.scale = nn.Parameter(torch.zeros(1))

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        own_BTD = context.embedded_BTD
        before_BTD = F.pad(own_BTD, (0, 0, 1, 0))[:, :-1]
        gate_BT = self.scale * torch.sigmoid(torch.linalg.vecdot(own_BTD[..., :CHANNELS], self.reads))
        share_BT1 = (gate_BT * ~context.starts_BT).unsqueeze(-1).to(own_BTD.dtype)
        return x_BTD + (rms(own_BTD + share_BT1 * before_BTD) - context.x0_BTD)
