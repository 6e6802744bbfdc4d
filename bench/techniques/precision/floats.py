"""Floating-point numbers of two bytes."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Floats:
    """Each number rounded to the nearest of a two-byte type, ties to even, and held at the type's largest.

    Numbers too small for the type become its subnormals, then zero.
    """

    dtype: torch.dtype

    def short(self, weight: Tensor) -> Tensor:
        largest = torch.finfo(self.dtype).max
        return weight.clamp(-largest, largest).to(self.dtype)

    def rounded(self, weight: Tensor) -> Tensor:
        return self.short(weight).float()

    def encode(self, weight: Tensor) -> bytes:
        # numpy has no bfloat16, so the bits travel as integers
        return self.short(weight).view(torch.int16).numpy().astype("<i2").tobytes()

    def decode(self, packed: bytes, shape: tuple[int, ...]) -> Tensor:
        bits = torch.from_numpy(np.frombuffer(packed, "<i2").astype(np.int16).reshape(shape))
        return bits.view(self.dtype).float()

    def encoded_bytes(self, shape: tuple[int, ...]) -> int:
        return 2 * math.prod(shape)
