"""Gates on attention's output that start open and may amplify (Parameter Golf #1667)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from bench.skeleton import Site
from bench.techniques.mixer_modifiers.head_gate import HeadGates
from bench.techniques.mixer_modifiers.sparse_head_gate import CHANNELS
from bench.techniques.technique import Clash, Prior

ONE_GATE = "one gate a head"


@dataclass(frozen=True, kw_only=True)
class OpenHeadGate:
    """`y_h <- 2 sigmoid(w_h . x[:12]) y_h`: a head is at first what it is without, then up to twice as loud."""

    slot: ClassVar = "mixer_modifiers"
    name: ClassVar = "open_head_gate"
    source: ClassVar = "Parameter Golf #1667"
    point: ClassVar = "gates"
    prior: ClassVar = Prior(-1, "B", "-0.0005 BPB together with a smear that reads the token")
    clashes: ClassVar = (
        Clash("head_gate", ONE_GATE, "Parameter Golf #1736 had the dense one alone", hard=True),
        Clash("sparse_head_gate", ONE_GATE, "Parameter Golf #1787 had the sparse one alone", hard=True),
    )

    def build(self, site: Site) -> nn.Module:
        return HeadGates(site.n_head, CHANNELS, widest=2.0)

    def flops(self, site: Site) -> int:
        return 2 * site.n_head * CHANNELS

    def parameters(self, site: Site) -> int:
        return site.n_head * CHANNELS
