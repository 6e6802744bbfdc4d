"""Logit softcap: logits are squeezed into an open interval (Gemma 2, arXiv:2408.00118; Parameter Golf's baseline).

Shapes: B batch, T time, V vocabulary.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Softcap:
    """`cap tanh(z / cap)`: no single logit can run away, and gradients fade near the cap."""

    slot: ClassVar = "logits"
    name: ClassVar = "softcap"
    source: ClassVar = "arXiv:2408.00118"
    prior: ClassVar = Prior(-1, "C", "in every Parameter Golf record, never isolated")

    cap: float = knob(15.0, Span(5.0, 50.0, log=True), "largest size of a logit")

    def build(self, site: Site) -> nn.Module:
        return Cap(self.cap)

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return 0


class Cap(nn.Module):
    def __init__(self, cap: float) -> None:
        super().__init__()
        self.cap = cap

    def forward(self, logits_BTV: Tensor, context: Context) -> Tensor:
        return self.cap * torch.tanh(logits_BTV / self.cap)
