"""Mixed bits by part of a block: the feed-forward at fewer than the mixer (techniques.md 4.2; Parameter Golf #180)."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from bench.knobs import Span, knob
from bench.layers import Param
from bench.stack import Precision, PrecisionModifier
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class FfnBits(PrecisionModifier):
    """The feed-forward's matrices get bits of their own, and whatever else the format does stays: int5 beside int6.

    Worth it only where the bytes it frees buy something.
    """

    slot: ClassVar = "precision_modifiers"
    name: ClassVar = "ffn_bits"
    source: ClassVar = "Parameter Golf #180"
    point: ClassVar = "bits"
    prior: ClassVar = Prior(1, "B", "a gap of 0.029 BPB on eleven layers in #236; #180 bought a tenth layer with it")

    bits: int = knob(5, Span(3, 8), "of a code, in the feed-forward's matrices")

    def chosen(self, param: Param, n_layer: int, precision: Precision) -> Precision:
        _, part, _ = param.place
        return cast(Precision, replace(cast(Any, precision), bits=self.bits)) if part == "ffn" else precision
