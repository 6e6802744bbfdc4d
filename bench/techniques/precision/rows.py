"""Whole-number codes with one scale a row, and codes of a few bits as bytes.

Shapes: R rows, C columns, N codes, b bits of a code.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

LARGEST_SCALE = 65504.0  # half precision's largest number


@dataclass(frozen=True)
class Rows:
    """Each row in 2^bits - 1 even steps around zero, the largest weight on the last one; its scale in half precision.

    Stored: scales, then codes in two's complement of exactly that many bits, most significant first, without gaps.
    """

    bits: int

    @property
    def levels(self) -> int:
        """Codes on each side of zero."""
        return int(2 ** (self.bits - 1)) - 1

    @property
    def smallest_scale(self) -> float:
        """Below it, neighbouring halves (2^-24) lie too far apart: a row's largest weight could miss its last step."""
        return (self.levels + 1) * 2.0**-24

    def fitted(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Codes in [-levels, levels] as floats, [R, C], and one scale a row.

        The scale is rounded to half precision before it is used, so what is stored is what was fitted.
        """
        scales_R = (weight.abs().amax(1) / self.levels).half().float().clamp_(self.smallest_scale, LARGEST_SCALE)
        return (weight / scales_R.unsqueeze(1)).round_().clamp_(-self.levels, self.levels), scales_R

    def rounded(self, weight: Tensor) -> Tensor:
        codes_RC, scales_R = self.fitted(weight)
        return codes_RC.mul_(scales_R.unsqueeze(1))

    def encode(self, weight: Tensor) -> bytes:
        codes_RC, scales_R = self.fitted(weight)
        return packed_scales(scales_R) + packed_codes(codes_RC.to(torch.int8).numpy().ravel(), self.bits)

    def decode(self, packed: bytes, shape: tuple[int, ...]) -> Tensor:
        R = shape[0]
        codes_N = unpacked_codes(packed[2 * R :], math.prod(shape), self.bits)
        scales_R = unpacked_scales(packed[: 2 * R])
        return torch.from_numpy(codes_N.astype(np.float32).reshape(shape)) * scales_R.unsqueeze(1)

    def encoded_bytes(self, shape: tuple[int, ...]) -> int:
        return 2 * shape[0] + math.ceil(self.bits * math.prod(shape) / 8)


def packed_scales(scales: Tensor) -> bytes:
    """Two bytes each; they are half-precision numbers already."""
    return scales.numpy().astype("<f2").tobytes()


def unpacked_scales(packed: bytes) -> Tensor:
    return torch.from_numpy(np.frombuffer(packed, "<f2").astype(np.float32))


def packed_codes(codes_N: npt.NDArray[np.int8], bits: int) -> bytes:
    """The lowest bits of each code, one after the other; the last byte is filled up with zeros."""
    bits_Nb = np.unpackbits(codes_N.view(np.uint8)[:, None], axis=1)[:, 8 - bits :]
    return np.packbits(bits_Nb).tobytes()


def unpacked_codes(packed: bytes, n: int, bits: int) -> npt.NDArray[np.int8]:
    bits_Nb = np.unpackbits(np.frombuffer(packed, np.uint8), count=n * bits).reshape(n, bits)
    # a sign's bit stands in every place above it
    bits_N8 = np.concatenate([np.repeat(bits_Nb[:, :1], 8 - bits, axis=1), bits_Nb], axis=1)
    return np.packbits(bits_N8, axis=1).view(np.int8).ravel()
