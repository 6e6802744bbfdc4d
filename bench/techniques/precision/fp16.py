"""fp16, after training or straight through: 11 significant bits (Micikevicius et al. 2017, arXiv:1710.03740)."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from bench.techniques.precision.by_role import ByRole
from bench.techniques.precision.floats import Floats
from bench.techniques.technique import Prior

FP16 = ByRole(blocks=Floats(torch.float16), sensitive=Floats(torch.float16))


@dataclass(frozen=True, kw_only=True)
class Fp16Post:
    """Trained in fp32, rounded once, two bytes a weight. Vectors and filters pass through in fp32.

    Weights beyond 65504 are held there, so that no artifact holds an infinity; below 6e-5 they lose digits, and
    below 3e-8 they become zero.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "fp16_post"
    source: ClassVar = "arXiv:1710.03740"
    points: ClassVar[frozenset[str]] = frozenset()
    prior: ClassVar = Prior(1, "A", "gap 0.0005 BPB with the embedding at fp16, in Parameter Golf R42")

    cast = FP16.untouched
    encode = FP16.encode
    decode = FP16.decode
    encoded_bytes = FP16.encoded_bytes


@dataclass(frozen=True, kw_only=True)
class Fp16Ste:
    """The forward pass sees fp16 weights all along, emulated: rounded weights, fp32 arithmetic, fp32 master copies.

    What is packed is what was trained. Vectors and filters pass through in fp32.

    Weights beyond 65504 are held there, so that no artifact holds an infinity; below 6e-5 they lose digits, and
    below 3e-8 they become zero.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "fp16_ste"
    source: ClassVar = "arXiv:1710.03740"
    points: ClassVar = frozenset({"forward"})
    prior: ClassVar = Prior(0, "D", "no result found; emulated without loss scaling, since only weights are rounded")

    cast = FP16.straight_through
    encode = FP16.encode
    decode = FP16.decode
    encoded_bytes = FP16.encoded_bytes
