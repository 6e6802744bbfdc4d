"""Sparse gated attention: gates that read the first few channels only (Parameter Golf #1787, #1855)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from bench.knobs import Choice, knob
from bench.skeleton import Site
from bench.techniques.mixer_modifiers.head_gate import HeadGates
from bench.techniques.technique import Clash, Prior

# #1667, #1787 and #1855 alike
CHANNELS = 12


@dataclass(frozen=True, kw_only=True)
class SparseHeadGate:
    """`y_h <- sigmoid(scale w_h . x[:12]) y_h`: the dense gate's effect for a tenth of its numbers."""

    slot: ClassVar = "mixer_modifiers"
    name: ClassVar = "sparse_head_gate"
    source: ClassVar = "Parameter Golf #1787"
    point: ClassVar = "gates"
    prior: ClassVar = Prior(-1, "B", "about -0.001 BPB, and no worse than the dense gate")
    clashes: ClassVar = (Clash("head_gate", "one gate a head", "Parameter Golf #1787 replaced it", hard=True),)

    scale: float = knob(1.0, Choice((0.5, 1.0)), "how steeply the gates open; #1855 took 0.5")

    def build(self, site: Site) -> nn.Module:
        return HeadGates(site.n_head, CHANNELS, self.scale)

    def flops(self, site: Site) -> int:
        return 2 * site.n_head * CHANNELS

    def parameters(self, site: Site) -> int:
        return site.n_head * CHANNELS
