"""SwiGLU feed-forward (Shazeer 2020, arXiv:2002.05202).

Shapes: B batch, T time, D width.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Linear, Role
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Swiglu:
    """`down(silu(gate(x)) * up(x))`: three matrices, each two thirds as wide, so as many parameters as two."""

    slot: ClassVar = "ffn"
    name: ClassVar = "swiglu"
    source: ClassVar = "arXiv:2002.05202"
    prior: ClassVar = Prior(0, "N", "-0.004 BPB per step on small hardware, slower and worse at a fixed time")

    mult: int = knob(4, Span(2, 6), "hidden width of the two-matrix form with as many parameters, in model widths")

    def build(self, site: Site) -> nn.Module:
        return SwigluFfn(site.width, self._hidden(site))

    def flops(self, site: Site) -> int:
        return 6 * site.width * self._hidden(site)

    def parameters(self, site: Site) -> int:
        return 3 * site.width * self._hidden(site)

    def _hidden(self, site: Site) -> int:
        # a multiple of 8 keeps the products on whole vector registers
        return 8 * round(self.mult * site.width / 12)


class SwigluFfn(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate = Linear(width, hidden)
        self.up = Linear(width, hidden)
        self.down = Linear(hidden, width, Role.OUTPUT)

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        y_BTD: Tensor = self.down(F.silu(self.gate(x_BTD)) * self.up(x_BTD))
        return y_BTD
