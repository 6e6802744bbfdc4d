"""Mixed bits by depth: the middle blocks at fewer than the outer ones (techniques.md 4.15; Parameter Golf #39)."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from bench.knobs import Span, knob
from bench.layers import Param
from bench.stack import Precision, PrecisionModifier
from bench.techniques.precision.byte_rows import AfterTraining
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class LayerBits(PrecisionModifier):
    """Matrices of the blocks between the outer ones get bits of their own, and whatever else the format does stays.

    Worth it only where the bytes it frees buy something. Beside `ffn_bits` it has the last word in the middle.
    """

    slot: ClassVar = "precision_modifiers"
    name: ClassVar = "layer_bits"
    source: ClassVar = "Parameter Golf #39"
    point: ClassVar = "bits"
    prior: ClassVar = Prior(1, "C", "a gap of 0.0018 BPB in #39, which bought a tenth layer with it")

    bits: int = knob(6, Span(3, 8), "of a code, in the matrices of the middle blocks")
    outer: int = knob(3, Span(1, 5), "blocks at either end that keep the format's bits")

    def chosen(self, param: Param, n_layer: int, precision: Precision) -> Precision:
        layer, _, _ = param.place
        # what another modifier keeps in half precision has no bits to change
        if self.outer <= layer < n_layer - self.outer and isinstance(precision, AfterTraining):
            return cast(Precision, replace(cast(Any, precision), bits=self.bits))
        return precision
