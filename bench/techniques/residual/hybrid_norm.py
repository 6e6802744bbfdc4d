"""HybridNorm: a stream normalised before the feed-forward, in place (Zhuo et al. 2025, arXiv:2503.04598).

Shapes: B batch, T time, D width.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.layers import rms
from bench.skeleton import Context, Part, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class HybridNorm:
    """`y = x + mixer(x)`, then `n + ffn(n)` with `n = rms(y)`: the feed-forward's residual is the normed stream.

    The paper's mixer reads the raw stream and norms its queries, keys and values. Here it reads a normed copy in every
    block, as in the first block of its HybridNorm*, and values are as the mixer has them: the norms are the skeleton's.
    """

    slot: ClassVar = "residual"
    name: ClassVar = "hybrid_norm"
    source: ClassVar = "arXiv:2503.04598"
    prior: ClassVar = Prior(0, "D", "no result at this size")

    def build(self, site: Site) -> nn.Module:
        return NormedBetween()

    def flops(self, site: Site) -> int:
        return 0

    def parameters(self, site: Site) -> int:
        return 0


class NormedBetween(nn.Module):
    def forward(self, x_BTD: Tensor, mixed: Part, fed: Part, context: Context) -> Tensor:
        n_BTD = rms(x_BTD + mixed(x_BTD))
        return n_BTD + fed(n_BTD)
