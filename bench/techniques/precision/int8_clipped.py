"""int8 as Parameter Golf's baseline packs it: rows clipped at a quantile, small tensors in half precision.

Shapes: R rows, C columns.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.layers import Cast, Role, as_is
from bench.techniques.precision.fp32 import Fp32
from bench.techniques.precision.rows import LARGEST_SCALE, packed_scales, unpacked_scales
from bench.techniques.technique import Prior

LEVELS = 127
CLIP_QUANTILE = 0.9999984
# A tensor up to here passes through in half precision; vectors, which steer everything, in single.
SMALL = 65_536


@dataclass(frozen=True, kw_only=True)
class Int8Clipped:
    """Each row of a large matrix in 255 levels; the step is never finer than 1/127, so small rows compress better."""

    slot: ClassVar = "precision"
    name: ClassVar = "int8_clipped"
    source: ClassVar = "Parameter Golf's baseline"
    points: ClassVar = frozenset({"tensors"})
    prior: ClassVar = Prior(1, "A", "gap 0.007 BPB in Parameter Golf's baseline")

    def cast(self, role: Role) -> Cast:
        return as_is

    def encode(self, weight: Tensor, role: Role) -> bytes:
        weight = weight.detach()
        if role is Role.VECTOR:
            return Fp32().encode(weight, role)
        if weight.numel() <= SMALL:
            return weight.clamp(-LARGEST_SCALE, LARGEST_SCALE).half().numpy().astype("<f2").tobytes()
        codes_RC, scales_R = fitted(weight)
        return packed_scales(scales_R) + codes_RC.numpy().tobytes()

    def decode(self, packed: bytes, shape: tuple[int, ...], role: Role) -> Tensor:
        if role is Role.VECTOR:
            return Fp32().decode(packed, shape, role)
        if math.prod(shape) <= SMALL:
            return torch.from_numpy(np.frombuffer(packed, "<f2").astype(np.float32).reshape(shape))
        scales_R = unpacked_scales(packed[: 2 * shape[0]])
        codes = np.frombuffer(packed, np.int8, offset=2 * shape[0]).astype(np.float32)
        return torch.from_numpy(codes.reshape(shape)) * scales_R.unsqueeze(1)

    def encoded_bytes(self, shape: tuple[int, ...], role: Role) -> int:
        if role is Role.VECTOR:
            return Fp32().encoded_bytes(shape, role)
        n = math.prod(shape)
        return 2 * n if n <= SMALL else 2 * shape[0] + n


def fitted(weight: Tensor) -> tuple[Tensor, Tensor]:
    """int8 codes [R, C] and one scale a row, in half precision as it is stored.

    Codes are fitted to the scale before it is rounded, as the contest's baseline does.
    """
    clips_R = torch.quantile(weight.abs(), CLIP_QUANTILE, dim=1)
    scales_R = (clips_R / LEVELS).clamp(1 / LEVELS, LARGEST_SCALE)
    clipped_RC = weight.clamp(-clips_R.unsqueeze(1), clips_R.unsqueeze(1))
    codes_RC = (clipped_RC / scales_R.unsqueeze(1)).round_().clamp_(-LEVELS, LEVELS)
    return codes_RC.to(torch.int8), scales_R.half().float()
