"""Ternary, after training or straight through: -1, 0, 1 in groups of 128 (Ma et al. 2024, arXiv:2402.17764)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bench.techniques.precision.by_role import ByRole
from bench.techniques.precision.groups import grouped, mean_sizes, n_groups, storable, ungrouped
from bench.techniques.precision.rows import Rows, packed_scales, unpacked_scales
from bench.techniques.technique import Clash, Prior

TRITS = 5  # 3^5 = 243 values of a byte's 256
PLACES = 3 ** np.arange(TRITS, dtype=np.uint8)


@dataclass(frozen=True)
class Ternary:
    """Each group of 128 along the input in {-1, 0, 1} times one scale.

    Codes are b1.58's: round(w / mean|w|), so zero up to half the mean. Its scale, the mean itself, shrinks a group each
    time it is rounded, since the zeros count; here it is the mean over the weights whose code is not zero: the least
    squared error for these codes, and a rounded group gives back the very scale. (Parameter Golf's export undoes the
    shrinkage by sum|w| over the codes that are not zero, a scale 8 % larger on Gaussian weights.)
    Stored: scales in half precision, then five codes to a byte in base 3.
    """

    def fitted(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Codes as floats, [R, G, S], and scales [R, G]."""
        w_RGS = grouped(weight)
        # a group of zeros has no mean to divide by
        means_RG = mean_sizes(w_RGS, weight.size(1)).clamp_min_(torch.finfo(torch.float32).tiny)
        codes_RGS = (w_RGS / means_RG.unsqueeze(2)).round_().clamp_(-1, 1)
        used_RG = torch.linalg.vecdot(codes_RGS, codes_RGS).clamp_min_(1)
        # exact for a group already rounded: a half times a count of at most 128 fits single precision
        return codes_RGS, storable(torch.linalg.vecdot(w_RGS, codes_RGS).div_(used_RG))

    def rounded(self, weight: Tensor) -> Tensor:
        codes_RGS, scales_RG = self.fitted(weight)
        return ungrouped(codes_RGS.mul_(scales_RG.unsqueeze(2)), weight.size(1))

    def encode(self, weight: Tensor) -> bytes:
        codes_RGS, scales_RG = self.fitted(weight)
        # what is too small for a scale is zero, and zero has one code only
        codes_RGS *= (scales_RG > 0).unsqueeze(2)
        codes = ungrouped(codes_RGS, weight.size(1)).to(torch.int8).numpy().ravel()
        return packed_scales(scales_RG) + packed_trits(codes)

    def decode(self, packed: bytes, shape: tuple[int, ...]) -> Tensor:
        R, C = shape
        split = 2 * R * n_groups(C)
        codes = unpacked_trits(packed[split:], R * C).astype(np.float32).reshape(shape)
        scales_RG = unpacked_scales(packed[:split]).view(R, n_groups(C))
        return ungrouped(grouped(torch.from_numpy(codes)) * scales_RG.unsqueeze(2), C)

    def encoded_bytes(self, shape: tuple[int, ...]) -> int:
        R, C = shape
        return 2 * R * n_groups(C) + math.ceil(R * C / TRITS)


def packed_trits(codes: npt.NDArray[np.int8]) -> bytes:
    """Codes in {-1, 0, 1}, five to a byte, the first the lowest; the last byte is filled up with -1, digit 0."""
    digits = np.zeros(math.ceil(codes.size / TRITS) * TRITS, np.uint8)
    digits[: codes.size] = codes + 1
    return (digits.reshape(-1, TRITS) @ PLACES).tobytes()


def unpacked_trits(packed: bytes, n: int) -> npt.NDArray[np.int8]:
    digits = np.frombuffer(packed, np.uint8)[:, None] // PLACES % 3
    return digits.ravel()[:n].astype(np.int8) - np.int8(1)


# Embedding and head as in int4, whose steps are finer still.
TERNARY = ByRole(blocks=Ternary(), sensitive=Rows(8))


@dataclass(frozen=True, kw_only=True)
class TernaryPost:
    """Trained in fp32, rounded once; about 1.7 bits a weight.

    Embedding, tables and head stay at int8, vectors and filters in fp32.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "ternary_post"
    source: ClassVar = "arXiv:2402.17764"
    points: ClassVar[frozenset[str]] = frozenset()
    prior: ClassVar = Prior(1, "D", "no result found for rounding to three values after training")

    cast = TERNARY.untouched
    encode = TERNARY.encode
    decode = TERNARY.decode
    encoded_bytes = TERNARY.encoded_bytes


@dataclass(frozen=True, kw_only=True)
class TernarySte:
    """The forward pass sees ternary weights all along, emulated: rounded weights, fp32 arithmetic.

    What is packed is what was trained, about 1.7 bits a weight.
    Embedding, tables and head stay at int8, vectors and filters in fp32.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "ternary_ste"
    source: ClassVar = "arXiv:2402.17764"
    points: ClassVar = frozenset({"forward"})
    clashes: ClassVar = (
        Clash("ema", "averaged weights round to other codes: a round trip cost 0.13 BPB", "Parameter Golf R640"),
    )
    prior: ClassVar = Prior(1, "B", "Parameter Golf R640: 73.7 M parameters reach 1.1570 BPB; wants width")

    cast = TERNARY.straight_through
    encode = TERNARY.encode
    decode = TERNARY.decode
    encoded_bytes = TERNARY.encoded_bytes
