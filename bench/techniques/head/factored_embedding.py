"""A narrow embedding between two maps, shared with the head (ALBERT, arXiv:1909.11942; Parameter Golf #640).

Shapes: B batch, T time, D width, V vocabulary, E width of the embedding.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Linear, rms
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class FactoredEmbedding:
    """A token's row is widened to the stream, and the normed stream narrowed to rows: two maps, one tied table.

    With a large vocabulary it stores `V E + 2 E D` numbers where a tied embedding stores `V D`, and its logits cost
    less by as much; what rows may say of tokens has rank E.
    """

    slot: ClassVar = "head"
    name: ClassVar = "factored_embedding"
    source: ClassVar = "Parameter Golf #640"
    prior: ClassVar = Prior(0, "B", "in a record of 74 million ternary weights, for 4 MB that it spent on width")

    rank: int = knob(64, Span(8, 512, log=True), "numbers of a token's row; #640 took 254 at width 768")

    @property
    def embedding_width(self) -> int:
        return self.rank

    def build(self, site: Site) -> nn.Module:
        return FactoredHead(site.width, self.rank)

    def flops(self, site: Site) -> int:
        return 2 * self.rank * (2 * site.width + site.vocab)

    def parameters(self, site: Site) -> int:
        """Of the two maps; the table is the embedding."""
        return 2 * self.rank * site.width


class FactoredHead(nn.Module):
    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.widen = Linear(rank, width)
        self.narrow = Linear(width, rank)

    def widened(self, rows_BTE: Tensor) -> Tensor:
        x_BTD: Tensor = self.widen(rows_BTE)
        return x_BTD

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        return F.linear(self.narrow(rms(x_BTD)), context.embedding_VE)
