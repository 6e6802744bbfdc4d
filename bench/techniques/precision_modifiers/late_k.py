"""Late-K passthrough: the last key projections stay in half precision (techniques.md 4.12; Parameter Golf #99)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.knobs import Span, knob
from bench.layers import Param
from bench.stack import Precision, PrecisionModifier
from bench.techniques.precision.fp16 import Fp16Post
from bench.techniques.technique import Clash, Prior

NO_KEYS = "it has no key projection to keep"


@dataclass(frozen=True, kw_only=True)
class LateK(PrecisionModifier):
    """What a late layer attends to hangs on small differences of its keys, and its key matrix is small."""

    slot: ClassVar = "precision_modifiers"
    name: ClassVar = "late_k"
    source: ClassVar = "Parameter Golf #99"
    point: ClassVar = "tensors"
    clashes: ClassVar = (
        Clash("gptq", "no record kept it once errors were compensated", "Parameter Golf #1019"),
        *(Clash(mixer, NO_KEYS, "its definition", hard=True) for mixer in ("hyena", "s4d", "mamba", "double_conv")),
    )
    prior: ClassVar = Prior(-1, "C", "part of 1.1605 BPB, one seed; gone after GPTQ")

    layers: int = knob(2, Span(1, 4), "last blocks whose keys are kept")

    def chosen(self, param: Param, n_layer: int, precision: Precision) -> Precision:
        layer, part, module = param.place
        late = layer >= n_layer - self.layers
        return Fp16Post() if late and part == "mixer" and module == "key" else precision
