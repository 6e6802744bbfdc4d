"""int8 after training: each row of a matrix in 255 levels with one scale (Jacob et al. 2017, arXiv:1712.05877)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.layers import ROUNDED, Cast, Role, as_is
from bench.techniques.precision.fp32 import Fp32
from bench.techniques.technique import Prior

LEVELS = 127
# Below this, neighbouring halves lie too far apart: a row's largest weight could miss its own 127 levels.
SMALLEST_SCALE = 2.0**-17


@dataclass(frozen=True, kw_only=True)
class Int8Post:
    """Trained in fp32, rounded once. Vectors and filters pass through in fp32: they are few and sensitive."""

    slot: ClassVar = "precision"
    name: ClassVar = "int8_post"
    source: ClassVar = "arXiv:1712.05877"
    points: ClassVar[frozenset[str]] = frozenset()
    prior: ClassVar = Prior(1, "A", "gap 0.007 BPB in Parameter Golf's baseline")

    def cast(self, role: Role) -> Cast:
        return as_is

    def encode(self, weight: Tensor, role: Role) -> bytes:
        if role not in ROUNDED:
            return Fp32().encode(weight, role)
        codes, scales = int8_rows(weight.detach())
        return scales.numpy().astype("<f2").tobytes() + codes.to(torch.int8).numpy().tobytes()

    def decode(self, packed: bytes, shape: tuple[int, ...], role: Role) -> Tensor:
        if role not in ROUNDED:
            return Fp32().decode(packed, shape, role)
        rows = shape[0]
        scales = torch.from_numpy(np.frombuffer(packed, "<f2", count=rows).astype(np.float32))
        codes = torch.from_numpy(np.frombuffer(packed, np.int8, offset=2 * rows).astype(np.float32).reshape(shape))
        return codes * scales.unsqueeze(1)

    def encoded_bytes(self, shape: tuple[int, ...], role: Role) -> int:
        if role not in ROUNDED:
            return Fp32().encoded_bytes(shape, role)
        return shape[0] * (2 + shape[1])


def int8_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Codes in [-127, 127] as floats, [rows, cols], and one scale a row.

    The scale is rounded to half precision before it is used, so what is stored is what was fitted.
    """
    scales = (weight.abs().amax(1) / LEVELS).half().float().clamp_min(SMALLEST_SCALE)
    return (weight / scales.unsqueeze(1)).round_().clamp_(-LEVELS, LEVELS), scales
