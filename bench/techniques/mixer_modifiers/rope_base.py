"""Another base of the rotation (Parameter Golf #141; Xiong et al. 2023, arXiv:2309.16039)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from bench.knobs import Span, knob
from bench.skeleton import Site
from bench.techniques.mixer.softmax import Rotation
from bench.techniques.technique import Clash, Prior

REPLACED = "both attach at the same point"


@dataclass(frozen=True, kw_only=True)
class RopeBase:
    """Channel pair j turns by base^(-2j/K) a byte: a small base spends more channels on distances within 96 bytes."""

    slot: ClassVar = "mixer_modifiers"
    name: ClassVar = "rope_base"
    source: ClassVar = "Parameter Golf #141"
    point: ClassVar = "rotation"
    prior: ClassVar = Prior(0, "C", "base 200,000 gave -0.003 BPB at ten times the context and more")
    clashes: ClassVar = (
        Clash("nope", "both replace the rotation", REPLACED, hard=True),
        Clash("partial_rope", "both replace the rotation", REPLACED, hard=True),
    )

    base: float = knob(1000.0, Span(50.0, 200_000.0, log=True), "ratio of the fastest to the slowest pair, about")

    def build(self, site: Site) -> nn.Module:
        return Rotation(site.head_width, site.head_width, site.seq_len, self.base)

    def flops(self, site: Site) -> int:
        return 0

    def parameters(self, site: Site) -> int:
        return 0
