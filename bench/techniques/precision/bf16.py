"""bf16, after training or straight through: 8 significant bits (Kalamkar et al. 2019, arXiv:1905.12322)."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from bench.techniques.precision.by_role import ByRole
from bench.techniques.precision.floats import Floats
from bench.techniques.technique import Prior

BF16 = ByRole(blocks=Floats(torch.bfloat16), sensitive=Floats(torch.bfloat16))


@dataclass(frozen=True, kw_only=True)
class Bf16Post:
    """Trained in fp32, rounded once, two bytes a weight. Vectors and filters pass through in fp32."""

    slot: ClassVar = "precision"
    name: ClassVar = "bf16_post"
    source: ClassVar = "arXiv:1905.12322"
    points: ClassVar[frozenset[str]] = frozenset()
    prior: ClassVar = Prior(1, "D", "no result found: Parameter Golf multiplies in bf16 throughout")

    cast = BF16.untouched
    encode = BF16.encode
    decode = BF16.decode
    encoded_bytes = BF16.encoded_bytes


@dataclass(frozen=True, kw_only=True)
class Bf16Ste:
    """The forward pass sees bf16 weights all along, emulated: rounded weights, fp32 arithmetic, fp32 master copies.

    What is packed is what was trained. Vectors and filters pass through in fp32.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "bf16_ste"
    source: ClassVar = "arXiv:1905.12322"
    points: ClassVar = frozenset({"forward"})
    prior: ClassVar = Prior(
        0, "B", "every Parameter Golf record multiplies in bf16 and keeps fp32 weights; never isolated"
    )

    cast = BF16.straight_through
    encode = BF16.encode
    decode = BF16.decode
    encoded_bytes = BF16.encoded_bytes
