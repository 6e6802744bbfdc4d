"""Binary, after training or straight through: signs in groups of 128 (Rastegari et al. 2016, arXiv:1603.05279)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.techniques.precision.by_role import ByRole
from bench.techniques.precision.groups import grouped, mean_sizes, n_groups, storable, ungrouped
from bench.techniques.precision.rows import Rows, packed_scales, unpacked_scales
from bench.techniques.technique import Prior


@dataclass(frozen=True)
class Binary:
    """Each weight's sign, times the mean |w| of its group of 128 along the input: the least squared error for signs.

    Zero has a sign bit too, so a weight of +0 counts as positive; a group of zeros has scale zero and stays.
    Stored: scales in half precision, then one bit a weight, set where it is negative.
    """

    def fitted(self, weight: Tensor) -> Tensor:
        """Scales [R, G]; exact for a group already rounded, since 128 times a half fits single precision."""
        return storable(mean_sizes(grouped(weight), weight.size(1)))

    def rounded(self, weight: Tensor) -> Tensor:
        return ungrouped(torch.copysign(self.fitted(weight).unsqueeze(2), grouped(weight)), weight.size(1))

    def encode(self, weight: Tensor) -> bytes:
        return packed_scales(self.fitted(weight)) + np.packbits(weight.signbit().numpy()).tobytes()

    def decode(self, packed: bytes, shape: tuple[int, ...]) -> Tensor:
        R, C = shape
        split = 2 * R * n_groups(C)
        bits = np.unpackbits(np.frombuffer(packed, np.uint8, offset=split), count=R * C)
        signs = torch.from_numpy(1 - 2 * bits.astype(np.float32).reshape(shape))
        scales_RG = unpacked_scales(packed[:split]).view(R, n_groups(C))
        return ungrouped(grouped(signs) * scales_RG.unsqueeze(2), C)

    def encoded_bytes(self, shape: tuple[int, ...]) -> int:
        R, C = shape
        return 2 * R * n_groups(C) + math.ceil(R * C / 8)


# Embedding and head as in int4, whose steps are finer still.
BINARY = ByRole(blocks=Binary(), sensitive=Rows(8))


@dataclass(frozen=True, kw_only=True)
class BinaryPost:
    """Trained in fp32, rounded once; about 1.1 bits a weight.

    Embedding, tables and head stay at int8, vectors and filters in fp32.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "binary_post"
    source: ClassVar = "arXiv:1603.05279"
    points: ClassVar[frozenset[str]] = frozenset()
    prior: ClassVar = Prior(1, "D", "no result found for rounding to signs after training")

    cast = BINARY.untouched
    encode = BINARY.encode
    decode = BINARY.decode
    encoded_bytes = BINARY.encoded_bytes


@dataclass(frozen=True, kw_only=True)
class BinarySte:
    """The forward pass sees binary weights all along, emulated: rounded weights, fp32 arithmetic.

    What is packed is what was trained, about 1.1 bits a weight.
    Embedding, tables and head stay at int8, vectors and filters in fp32.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "binary_ste"
    source: ClassVar = "arXiv:1603.05279"
    points: ClassVar = frozenset({"forward"})
    prior: ClassVar = Prior(1, "B", "Parameter Golf N641: 1.1239 BPB after 2.15 hours, 1.1824 after ten minutes")

    cast = BINARY.straight_through
    encode = BINARY.encode
    decode = BINARY.decode
    encoded_bytes = BINARY.encoded_bytes
