"""An output matrix of its own, not shared with the embedding (the alternative: Press & Wolf 2017, arXiv:1608.05859)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.layers import Linear, Role, rms
from bench.skeleton import Context, Site


@dataclass(frozen=True, kw_only=True)
class Untied:
    """Logits are one product of the normalised stream."""

    slot: ClassVar = "head"
    name: ClassVar = "untied"
    source: ClassVar = "arXiv:1608.05859"

    def build(self, site: Site) -> nn.Module:
        return UntiedHead(site)

    def flops(self, site: Site) -> int:
        return 2 * site.width * site.vocab

    def parameters(self, site: Site) -> int:
        return site.width * site.vocab


class UntiedHead(nn.Module):
    def __init__(self, site: Site) -> None:
        super().__init__()
        self.product = Linear(site.width, site.vocab, Role.HEAD)

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        logits_BTV: Tensor = self.product(rms(x_BTD))
        return logits_BTV
