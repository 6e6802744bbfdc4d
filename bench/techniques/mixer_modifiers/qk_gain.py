"""QK gain: a learned gain per head on the normed queries (Parameter Golf #1218, #1413).

Shapes: B batch, T time, H heads, K head width.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.skeleton import Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class QkGain:
    """Normed queries and keys bound a score by sqrt(K); a gain lets a head be sharper than that, from the start.

    It multiplies every score of its head, so it is also the per-head temperature: one degree of freedom, not two.
    """

    slot: ClassVar = "mixer_modifiers"
    name: ClassVar = "qk_gain"
    source: ClassVar = "Parameter Golf #1413"
    point: ClassVar = "queries"
    prior: ClassVar = Prior(-1, "B", "-0.001 to -0.002 BPB, three seeds, in a bundle")

    start: float = knob(2.0, Span(1.0, 6.0, log=True), "every head's gain at the start")

    def build(self, site: Site) -> nn.Module:
        return QueryGain(site.n_head, self.start)

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return site.n_head


class QueryGain(nn.Module):
    point = "queries"

    def __init__(self, n_head: int, start: float) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.full((n_head,), start))

    def forward(self, q_BHTK: Tensor) -> Tensor:
        return q_BHTK * self.gain.view(-1, 1, 1)
