"""Exclusive self attention: a head's output loses its part along the byte's own value (Parameter Golf #265, #287).

Shapes: B batch, T time, H heads, K head width.
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

    def forward(self, y_BHTK: Tensor, v_BHTK: Tensor) -> Tensor:
        own_BHTK = F.normalize(v_BHTK, dim=-1)
        return y_BHTK - (y_BHTK * own_BHTK).sum(-1, keepdim=True) * own_BHTK
