"""Partial RoPE: some of a head's channels carry position (Parameter Golf #315; Black et al. 2022, arXiv:2204.06745)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from bench.knobs import Choice, knob
from bench.skeleton import Site
from bench.techniques.mixer.softmax import Rotation
from bench.techniques.technique import Clash, Prior


@dataclass(frozen=True, kw_only=True)
class PartialRope:
    """The channels left alone compare content wherever it stands."""

    slot: ClassVar = "mixer_modifiers"
    name: ClassVar = "partial_rope"
    source: ClassVar = "Parameter Golf #315"
    point: ClassVar = "rotation"
    prior: ClassVar = Prior(-1, "B", "with LN scale -0.0023 BPB, 11 layers, width 512")
    clashes: ClassVar = (Clash("nope", "both replace the rotation", "both attach at the same point", hard=True),)

    turned: int = knob(16, Choice((8, 16, 24)), "channels of each head's 32 that are rotated")

    def build(self, site: Site) -> nn.Module:
        return Rotation(site.head_width, self.turned, site.seq_len)

    def flops(self, site: Site) -> int:
        return 0

    def parameters(self, site: Site) -> int:
        return 0
