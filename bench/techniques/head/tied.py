"""The embedding once more as output matrix (Press & Wolf 2017, arXiv:1608.05859)."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from bench.layers import rms
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Tied:
    """A logit is the product of the normed stream with the token's own embedding: a matrix less to store."""

    slot: ClassVar = "head"
    name: ClassVar = "tied"
    source: ClassVar = "arXiv:1608.05859"
    prior: ClassVar = Prior(0, "B", "in every record of Parameter Golf, for its bytes")

    def build(self, site: Site) -> nn.Module:
        return TiedHead()

    def flops(self, site: Site) -> int:
        return 2 * site.width * site.vocab

    def parameters(self, site: Site) -> int:
        return 0


class TiedHead(nn.Module):
    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        return F.linear(rms(x_BTD), context.embedding_VE)
