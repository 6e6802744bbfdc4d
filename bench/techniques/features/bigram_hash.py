"""BigramHash: a learned vector for each pair of bytes, through a hashed table (Parameter Golf #162).

Shapes: B batch, T time, E table width, D width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Embedding, Linear, Role
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior

# By how many bytes back; the odd factors that Parameter Golf #162 and #327 hash with.
FACTORS = (36_313, 27_191, 51_497)


@dataclass(frozen=True, kw_only=True)
class BigramHash:
    """A byte and the one before it pick a row of a table; its projection is added to the normed embedding.

    The first byte of a story has a row of its own, so no story leaks into the next. The table starts at zero and the
    projection at random: both zero would take a step before either gets a gradient. All 65,536 pairs would not
    fit the cap on parameters, hence the hash.
    """

    slot: ClassVar = "features"
    name: ClassVar = "bigram_hash"
    source: ClassVar = "Parameter Golf #162"
    prior: ClassVar = Prior(-1, "B", "part of 1.1458 BPB; 4,096 to 10,240 rows -0.0020")

    buckets: int = knob(2048, Span(512, 4096, log=True), "rows of the table")
    table_width: int = knob(32, Span(8, 64, log=True), "numbers in a row, before the projection")

    def build(self, site: Site) -> nn.Module:
        return HashedBytes(self.buckets, self.table_width, site.width, FACTORS[:2])

    def flops(self, site: Site) -> int:
        return 2 * self.table_width * site.width  # the lookup is free

    def parameters(self, site: Site) -> int:
        return self.table_width * (self.buckets + site.width)


class HashedBytes(nn.Module):
    """One factor for each byte looked at, the present one first."""

    def __init__(self, buckets: int, table_width: int, width: int, factors: Sequence[int]) -> None:
        super().__init__()
        self.table = Embedding(buckets, table_width, Role.TABLE)
        self.project = Linear(table_width, width)
        self.factors = factors

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        buckets, _ = self.table.weight.shape
        rows_BT = hashed(context.tokens_BT, self.factors) % (buckets - 1)
        rows_BT = rows_BT.masked_fill(context.starts_BT, buckets - 1)
        y_BTD: Tensor = x_BTD + self.project(self.table(rows_BT))
        return y_BTD


def hashed(tokens_BT: Tensor, factors: Sequence[int]) -> Tensor:
    """XOR of each byte times its factor; before a window the end of a document is read, whose byte is 0.

    The byte before a story is that 0 anyway, so a story's second byte sees the same with or without another before it.
    """
    rows_BT = tokens_BT * factors[0]
    for back in range(1, len(factors)):
        rows_BT = rows_BT ^ F.pad(tokens_BT, (back, 0))[:, : tokens_BT.size(1)] * factors[back]
    return rows_BT
