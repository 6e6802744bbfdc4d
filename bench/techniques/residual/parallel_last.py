"""Parallel residuals in the last blocks alone (techniques.md 2.13; Parameter Golf #1412)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from bench.knobs import Span, knob
from bench.skeleton import Site
from bench.techniques.residual.parallel import BothAtOnce
from bench.techniques.residual.pre_norm import OneAfterTheOther
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class ParallelLast:
    """Blocks as `parallel` has them at the end, as `pre_norm` has them before: of eleven, the records' last four."""

    slot: ClassVar = "residual"
    name: ClassVar = "parallel_last"
    source: ClassVar = "Parameter Golf #1412"
    prior: ClassVar = Prior(-1, "B", "mostly a smaller quant gap, beside slower loops 1.0856 to 1.0835 BPB")

    layers: int = knob(4, Span(1, 8), "how many of the last blocks are parallel")

    def build(self, site: Site) -> nn.Module:
        return BothAtOnce() if site.layer >= site.n_layer - self.layers else OneAfterTheOther()

    def flops(self, site: Site) -> int:
        return 0

    def parameters(self, site: Site) -> int:
        return 0
