"""Single precision, as trained."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.layers import Cast, Role, as_is


@dataclass(frozen=True, kw_only=True)
class Fp32:
    """Four bytes a number, little endian; packing loses nothing."""

    slot: ClassVar = "precision"
    name: ClassVar = "fp32"
    source: ClassVar = "IEEE 754"
    points: ClassVar[frozenset[str]] = frozenset()

    def cast(self, role: Role) -> Cast:
        return as_is

    def encode(self, weight: Tensor, role: Role) -> bytes:
        return weight.detach().numpy().astype("<f4").tobytes()

    def decode(self, packed: bytes, shape: tuple[int, ...], role: Role) -> Tensor:
        return torch.from_numpy(np.frombuffer(packed, "<f4").astype(np.float32).reshape(shape))

    def encoded_bytes(self, shape: tuple[int, ...], role: Role) -> int:
        return 4 * math.prod(shape)
