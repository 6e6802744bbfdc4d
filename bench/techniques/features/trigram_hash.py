"""TrigramHash: a learned vector for each run of three bytes, through a hashed table (Parameter Golf #327)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from bench.knobs import Span, knob
from bench.skeleton import Site
from bench.techniques.features.bigram_hash import FACTORS, HashedBytes
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class TrigramHash:
    """As `bigram_hash`, with the byte before the last in the hash too and a table of its own.

    With both at their defaults a model keeps the cap on parameters.
    """

    slot: ClassVar = "features"
    name: ClassVar = "trigram_hash"
    source: ClassVar = "Parameter Golf #327"
    prior: ClassVar = Prior(-1, "C", "part of 1.1450 BPB with two other changes")

    buckets: int = knob(2048, Span(512, 4096, log=True), "rows of the table")
    table_width: int = knob(32, Span(8, 64, log=True), "numbers in a row, before the projection")

    def build(self, site: Site) -> nn.Module:
        return HashedBytes(self.buckets, self.table_width, site.width, FACTORS)

    def flops(self, site: Site) -> int:
        return 2 * self.table_width * site.width

    def parameters(self, site: Site) -> int:
        return self.table_width * (self.buckets + site.width)
