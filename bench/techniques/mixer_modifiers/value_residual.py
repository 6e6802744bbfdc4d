"""Value residual: every layer mixes in the values of the first (Zhou et al. 2024, arXiv:2410.17897).

Shapes: B batch, T time, G value heads, K head width.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class ValueResidual:
    """`v_i <- l0 v_0 + l1 v_i`, two learned numbers a layer; layer 0 stores its values and leaves them as they are."""

    slot: ClassVar = "mixer_modifiers"
    name: ClassVar = "value_residual"
    source: ClassVar = "arXiv:2410.17897"
    point: ClassVar = "values"
    prior: ClassVar = Prior(-1, "C", "-0.015 BPB at 1000 steps, nine layers; gone from later records")

    start: float = knob(0.5, Span(0.0, 0.8), "l0 at the start; l1 is the rest up to one")

    def build(self, site: Site) -> nn.Module:
        return BlendedValues(self.start) if site.layer else StoredValues()

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return 2 if site.layer else 0


class StoredValues(nn.Module):
    point = "values"

    def forward(self, v_BGTK: Tensor, context: Context) -> Tensor:
        context.values[0] = v_BGTK
        return v_BGTK


class BlendedValues(nn.Module):
    point = "values"

    def __init__(self, start: float) -> None:
        super().__init__()
        self.shares = nn.Parameter(torch.tensor([start, 1 - start]))

    def forward(self, v_BGTK: Tensor, context: Context) -> Tensor:
        first, own = self.shares
        blended_BGTK: Tensor = first * context.values[0] + own * v_BGTK
        return blended_BGTK
