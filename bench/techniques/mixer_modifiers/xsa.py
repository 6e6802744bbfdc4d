"""Exclusive self attention: a head's output loses its part along the byte's own value (Parameter Golf #265, #287).

Shapes: B batch, T time, H heads, G value heads, R = H/G heads that share values, K head width.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.skeleton import Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Xsa:
    """What a byte says of itself already stands in the residual stream; attention is kept for the others."""

    slot: ClassVar = "mixer_modifiers"
    name: ClassVar = "xsa"
    source: ClassVar = "Parameter Golf #265"
    point: ClassVar = "heads"
    prior: ClassVar = Prior(-1, "A", "-0.002 BPB on the last 3 of 11 layers")

    layers: int = knob(4, Span(1, 4), "how many of the last layers have it")

    def build(self, site: Site) -> nn.Module | None:
        return Exclusion() if site.layer >= site.n_layer - self.layers else None

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return 0


class Exclusion(nn.Module):
    point = "heads"

    def forward(self, y_BHTK: Tensor, v_BGTK: Tensor) -> Tensor:
        # a head of values meets all heads that share it, without copies
        own_BG1TK = F.normalize(v_BGTK, dim=-1).unsqueeze(2)
        B, _, T, K = y_BHTK.shape
        y_BGRTK = y_BHTK.view(B, v_BGTK.size(1), -1, T, K)
        others_BGRTK: Tensor = y_BGRTK - (y_BGRTK * own_BG1TK).sum(-1, keepdim=True) * own_BG1TK
        return others_BGRTK.flatten(1, 2)
