"""LQER: a product of low rank makes up for what rounding cost (techniques.md 4.10; Zhang et al. arXiv:2402.02446).

Shapes: R rows, C columns, K rank, G groups, S numbers of a group.
"""

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.errors import ArtifactError
from bench.knobs import Span, knob
from bench.layers import ROUNDED, Param
from bench.stack import PrecisionModifier
from bench.techniques.precision.groups import storable
from bench.techniques.precision.rows import packed_codes, packed_scales, unpacked_codes, unpacked_scales
from bench.techniques.technique import Clash, Prior

DAMAGED = "the file is damaged"
WHY_MATRICES = "those that rounding changed most; all others go without"


@dataclass(frozen=True)
class Factor:
    """A factor of a product in few bits: codes from -2^(bits-1) to 2^(bits-1) - 1, one scale a group of a row.

    The largest number of a group lies half a step beyond the last code, as its record has it.
    """

    bits: int
    group: int

    def encode(self, rows: Tensor) -> bytes:
        low, high = -(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1
        filled = F.pad(rows, (0, -rows.size(1) % self.group)).view(rows.size(0), -1, self.group)
        scales_RG = storable(filled.abs().amax(2) / (high + 0.5)).clamp_min(2.0**-24)
        codes_RGS = (filled / scales_RG.unsqueeze(2)).round().clamp(low, high)
        codes = codes_RGS.flatten(1)[:, : rows.size(1)].to(torch.int8)
        return packed_scales(scales_RG.float()) + packed_codes(codes.numpy().ravel(), self.bits)

    def decode(self, packed: bytes, shape: tuple[int, int]) -> Tensor:
        """In float64."""
        R, C = shape
        G = math.ceil(C / self.group)
        scales_RG = unpacked_scales(packed[: 2 * R * G]).view(R, G).double()
        codes = torch.from_numpy(unpacked_codes(packed[2 * R * G :], R * C, self.bits).reshape(R, C)).double()
        return codes * scales_RG.repeat_interleave(self.group, 1)[:, :C]

    def encoded_bytes(self, shape: tuple[int, int]) -> int:
        R, C = shape
        return 2 * R * math.ceil(C / self.group) + math.ceil(self.bits * R * C / 8)


class _Correction(PrecisionModifier):
    """Section: the numbers of the corrected tensors among all, in order, two bytes each; then their factors."""

    point: ClassVar = "tensors"
    matrices: int
    rank: int

    def factors(self, shape: tuple[int, int]) -> tuple[tuple[Factor, tuple[int, int]], tuple[Factor, tuple[int, int]]]:
        """How the two factors of a matrix [R, C] are stored, each with the shape it is stored in."""
        raise NotImplementedError

    def correction(self, params: Sequence[Param], shipped: list[Tensor]) -> bytes:
        errors = {n: params[n].tensor.detach().double() - shipped[n].double() for n in _rounded(params)}
        largest = sorted(errors, key=lambda n: (-errors[n].norm().item(), n))[: self.matrices]
        section = b""
        for n in sorted(largest):
            left_RK, right_KC = low_rank(errors[n], self.rank)
            (left, left_shape), (right, _) = self.factors((left_RK.size(0), right_KC.size(1)))
            section += left.encode(left_RK.T.reshape(left_shape)) + right.encode(right_KC)
        return struct.pack(f"<{len(largest)}H", *sorted(largest)) + section

    def corrected(self, rest: bytes, params: Sequence[Param], shipped: list[Tensor]) -> tuple[list[Tensor], bytes]:
        possible = list(_rounded(params))
        count = min(self.matrices, len(possible))
        if len(rest) < 2 * count:
            raise ArtifactError("the artifact ends before the correction of its weights", DAMAGED)
        chosen = struct.unpack_from(f"<{count}H", rest)
        if list(chosen) != sorted(set(chosen) & set(possible)):
            raise ArtifactError(f"the artifact corrects tensors {chosen}, which is no list of matrices", DAMAGED)
        tensors, at = list(shipped), 2 * count
        for n in chosen:
            R, C = shipped[n].shape
            found = []
            for factor, shape in self.factors((R, C)):
                end = at + factor.encoded_bytes(shape)
                if end > len(rest):
                    raise ArtifactError("the artifact ends before the correction of its weights", DAMAGED)
                found.append(factor.decode(rest[at:end], shape))
                at = end
            left, right_KC = found
            tensors[n] = (shipped[n].double() + left.reshape(-1, R).T @ right_KC).float()
        return tensors, rest[at:]


@dataclass(frozen=True, kw_only=True)
class Lqer(_Correction):
    """The few matrices that rounding changed most get their error back, as far as a low rank holds it.

    Both factors at 4 bits in groups of 64.
    """

    slot: ClassVar = "precision_modifiers"
    name: ClassVar = "lqer"
    source: ClassVar = "arXiv:2402.02446"
    prior: ClassVar = Prior(-1, "B", "rank 4 on three matrices in #1797, which claims 0.009 of the quantisation's cost")

    matrices: int = knob(3, Span(1, 16), WHY_MATRICES)
    rank: int = knob(4, Span(1, 16), "of the product added to each")

    def factors(self, shape: tuple[int, int]) -> tuple[tuple[Factor, tuple[int, int]], tuple[Factor, tuple[int, int]]]:
        R, C = shape
        rank = min(self.rank, R, C)
        return (Factor(4, 64), (rank, R)), (Factor(4, 64), (rank, C))


@dataclass(frozen=True, kw_only=True)
class LqerAsymmetric(_Correction):
    """As lqer, the left factor, which holds the sizes, at 2 bits with one scale, the right one at 4 in groups of 64."""

    slot: ClassVar = "precision_modifiers"
    name: ClassVar = "lqer_asymmetric"
    source: ClassVar = "Parameter Golf #1851"
    clashes: ClassVar = (
        Clash("lqer", "the second would correct what the first left", "both store the same product", hard=True),
    )
    prior: ClassVar = Prior(-1, "B", "rank 4 on three matrices, part of 1.0611 BPB; rank 6 on four: -0.0009 more")

    matrices: int = knob(3, Span(1, 16), WHY_MATRICES)
    rank: int = knob(4, Span(1, 16), "of the product added to each")

    def factors(self, shape: tuple[int, int]) -> tuple[tuple[Factor, tuple[int, int]], tuple[Factor, tuple[int, int]]]:
        R, C = shape
        rank = min(self.rank, R, C)
        return (Factor(2, rank * R), (1, rank * R)), (Factor(4, 64), (rank, C))


def _rounded(params: Sequence[Param]) -> Iterable[int]:
    """The numbers of the tensors that a number format may round."""
    return (n for n, param in enumerate(params) if param.role in ROUNDED)


def low_rank(error: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Left [R, K] with the sizes and right [K, C] of unit rows: the nearest product of that rank at most.

    A singular vector's sign is free: the largest number of each right one is positive, so that the file is the same
    wherever the sum came out another way.
    """
    left_RK, sizes_K, right_KC = torch.linalg.svd(error, full_matrices=False)
    largest_K = right_KC[:rank].abs().argmax(1, keepdim=True)
    signs_K = right_KC[:rank].gather(1, largest_K)[:, 0].sign()
    return left_RK[:, :rank] * (sizes_K[:rank] * signs_K), right_KC[:rank] * signs_K.unsqueeze(1)
