"""Whole-number codes with one scale a row, a byte each: what a codec makes small by itself.

Codes of fewer bits lie near zero, so their bytes compress to about what their spread is worth; packed without gaps
they would look like noise to it.

Shapes: R rows, C columns.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.layers import Cast, Role
from bench.techniques.precision.by_role import ByRole
from bench.techniques.precision.rows import LARGEST_SCALE, packed_scales, unpacked_scales

# The largest size in each row, [R], that a grid of so many levels on each side of zero still reaches.
Clip = Callable[[Tensor, int], Tensor]


def largest(weight: Tensor, levels: int) -> Tensor:
    return weight.abs().amax(1)


@dataclass(frozen=True)
class ByteRows:
    """Each row in 2^bits - 1 even steps around zero; the scale in half precision, then a byte for each code."""

    bits: int
    clip: Clip

    @property
    def levels(self) -> int:
        """Codes on each side of zero."""
        return int(2 ** (self.bits - 1)) - 1

    def scales(self, weight: Tensor) -> Tensor:
        """The step of each row, [R], as it is stored."""
        return stored(self.clip(weight, self.levels), self.levels)

    def rounded(self, weight: Tensor) -> Tensor:
        scales_R = self.scales(weight)
        return codes(weight, scales_R, self.levels) * scales_R.unsqueeze(1)

    def encode(self, weight: Tensor) -> bytes:
        scales_R = self.scales(weight)
        return self.joined(codes(weight, scales_R, self.levels), scales_R)

    def joined(self, codes_RC: Tensor, scales_R: Tensor) -> bytes:
        """What `decode` reads, of codes found in whatever way."""
        return packed_scales(scales_R) + codes_RC.to(torch.int8).numpy().tobytes()

    def decode(self, packed: bytes, shape: tuple[int, ...]) -> Tensor:
        R = shape[0]
        codes_RC = np.frombuffer(packed, np.int8, offset=2 * R).astype(np.float32).reshape(shape)
        return torch.from_numpy(codes_RC) * unpacked_scales(packed[: 2 * R]).unsqueeze(1)

    def encoded_bytes(self, shape: tuple[int, ...]) -> int:
        return 2 * shape[0] + math.prod(shape)


def stored(clip_R: Tensor, levels: int) -> Tensor:
    """Steps that reach a clip, rounded to half precision; never so small that halves lie too far apart, see `rows`."""
    return (clip_R / levels).half().float().clamp_((levels + 1) * 2.0**-24, LARGEST_SCALE)


def codes(weight: Tensor, scales_R: Tensor, levels: int) -> Tensor:
    """Nearest codes, [R, C] in [-levels, levels], as floats."""
    return (weight / scales_R.unsqueeze(1)).round_().clamp_(-levels, levels)


class AfterTraining:
    """A number format of rows that is rounded to once, when packed; a technique says which rows.

    Its grid is fixed before any code is, so another way than rounding may choose those.
    """

    points: ClassVar = frozenset({"tensors", "bits", "grid"})
    # True where the grid comes from statistics that rounding changes: packing what was unpacked rounds a second time
    refits: ClassVar = False

    def formats(self) -> ByRole:
        """Rows for blocks, and for embedding, tables and head."""
        raise NotImplementedError

    def cast(self, role: Role) -> Cast:
        return self.formats().untouched(role)

    def encode(self, weight: Tensor, role: Role) -> bytes:
        return self.formats().encode(weight, role)

    def decode(self, packed: bytes, shape: tuple[int, ...], role: Role) -> Tensor:
        return self.formats().decode(packed, shape, role)

    def encoded_bytes(self, shape: tuple[int, ...], role: Role) -> int:
        return self.formats().encoded_bytes(shape, role)
