"""Rows clipped where their squared error is least (GPTQ-lite, Parameter Golf #414; techniques.md 4.7).

Shapes: R rows, C columns.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.knobs import Span, knob
from bench.techniques.precision.by_role import ByRole
from bench.techniques.precision.byte_rows import AfterTraining, ByteRows, codes, stored
from bench.techniques.precision.int_rows import WHY_BITS, WHY_EMBEDDING_BITS
from bench.techniques.technique import Prior

# Quantiles of a row's sizes; the last is its largest, so a search never does worse than none.
QUANTILES = (0.999, 0.9995, 0.9999, 0.99999, 1.0)
# A quantile of a short row lies between its two largest: these cut deeper, as 4 bits and fewer want it.
RATIOS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, kw_only=True)
class ClipSearch(AfterTraining):
    """Of a few clips each row keeps the one that leaves the least squared error; it needs no data.

    The record tried quantiles alone and chose one for a whole matrix; here each row chooses for itself, among shares
    of its largest weight too.
    """

    slot: ClassVar = "precision"
    name: ClassVar = "clip_search"
    source: ClassVar = "Parameter Golf #414"
    prior: ClassVar = Prior(1, "B", "-0.0006 BPB against int6 with the largest weight on the last step")

    bits: int = knob(6, Span(3, 8), WHY_BITS)
    embedding_bits: int = knob(8, Span(3, 8), WHY_EMBEDDING_BITS)

    def formats(self) -> ByRole:
        return ByRole(blocks=ByteRows(self.bits, searched), sensitive=ByteRows(self.embedding_bits, searched))


def searched(weight: Tensor, levels: int) -> Tensor:
    """The clip of least squared error of each row, [R], among quantiles of its sizes and shares of the largest."""
    sizes_RC = weight.abs()
    quantiles = torch.tensor(QUANTILES, dtype=weight.dtype)
    shares = torch.tensor(RATIOS, dtype=weight.dtype)
    largest_R = sizes_RC.amax(1)
    clips_KR = torch.cat([largest_R * shares.unsqueeze(1), torch.quantile(sizes_RC, quantiles, dim=1)])
    errors_KR = torch.stack([_squared_error(weight, clip_R, levels) for clip_R in clips_KR])
    return clips_KR.gather(0, errors_KR.argmin(0, keepdim=True))[0]


def _squared_error(weight: Tensor, clip_R: Tensor, levels: int) -> Tensor:
    scales_R = stored(clip_R, levels)
    left = weight.double() - codes(weight, scales_R, levels).double() * scales_R.double().unsqueeze(1)
    return left.square().sum(1)
