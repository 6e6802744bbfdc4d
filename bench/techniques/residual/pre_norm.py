"""Pre-norm residual blocks: parts read a normed copy and add to the stream (Xiong et al. 2020, arXiv:2002.04745)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.skeleton import Context, Part, Site


@dataclass(frozen=True, kw_only=True)
class PreNorm:
    """`x + mixer(rms(x))`, then `x + ffn(rms(x))`."""

    slot: ClassVar = "residual"
    name: ClassVar = "pre_norm"
    source: ClassVar = "arXiv:2002.04745"

    def build(self, site: Site) -> nn.Module:
        return OneAfterTheOther()

    def flops(self, site: Site) -> int:
        return 0

    def parameters(self, site: Site) -> int:
        return 0


class OneAfterTheOther(nn.Module):
    def forward(self, x_BTD: Tensor, mixed: Part, fed: Part, context: Context) -> Tensor:
        x_BTD = x_BTD + mixed(x_BTD)
        return x_BTD + fed(x_BTD)
