"""Grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245; one group is Shazeer's MQA, arXiv:1911.02150)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from bench.knobs import Choice, knob
from bench.skeleton import Site
from bench.techniques.mixer.softmax import (
    ATTENTION_POINTS,
    Attention,
    attention_flops,
    attention_parameters,
    causal,
)
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Gqa:
    """Full attention whose query heads share keys and values in groups: fewer parameters, nothing else saved."""

    slot: ClassVar = "mixer"
    name: ClassVar = "gqa"
    source: ClassVar = "arXiv:2305.13245"
    points: ClassVar = ATTENTION_POINTS - {"wide_values"}
    prior: ClassVar = Prior(0, "C", "Mizan's page: equals softmax with 5 % fewer parameters, without seeds")

    kv_heads: int = knob(2, Choice((1, 2, 4)), "heads of keys and values; 1 is MQA, as many as of queries is softmax")

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module:
        return Attention(site, modifiers, causal, self.kv_heads)

    def flops(self, site: Site) -> int:
        return attention_flops(site, self.kv_heads)

    def parameters(self, site: Site) -> int:
        return attention_parameters(site, self.kv_heads)
