"""The embedding in half precision beside coarser blocks (techniques.md 4.11; Parameter Golf #42)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.layers import Param, Role
from bench.stack import Precision, PrecisionModifier
from bench.techniques.precision.fp16 import Fp16Post
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class HalfEmbedding(PrecisionModifier):
    """Every token passes through the embedding, and a tied one gives every logit: it keeps 11 significant bits.

    At 1,024 tokens it costs half a megabyte at width 512; with a larger vocabulary int8 or int7 is the better buy.
    """

    slot: ClassVar = "precision_modifiers"
    name: ClassVar = "half_embedding"
    source: ClassVar = "Parameter Golf #42"
    point: ClassVar = "tensors"
    prior: ClassVar = Prior(-1, "A", "the gap from 0.007 to 0.0005 BPB with 1,024 tokens, for 0.5 MB")

    def chosen(self, param: Param, n_layer: int, precision: Precision) -> Precision:
        return Fp16Post() if param.role is Role.EMBEDDING else precision
