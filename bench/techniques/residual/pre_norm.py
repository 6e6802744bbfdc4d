"""Pre-norm residual blocks: parts read a normed copy and add to the stream (Xiong et al. 2020, arXiv:2002.04745)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.layers import rms
from bench.skeleton import Context, Site


@dataclass(frozen=True, kw_only=True)
class PreNorm:
    """`x + mixer(rms(x))`, then `x + ffn(rms(x))`. Block modifiers change what each part reads."""

    slot: ClassVar = "residual"
    name: ClassVar = "pre_norm"
    source: ClassVar = "arXiv:2002.04745"

    def build(self, site: Site, mixer: nn.Module, ffn: nn.Module, modifiers: Sequence[nn.Module]) -> nn.Module:
        return PreNormBlock(mixer, ffn, modifiers)


class PreNormBlock(nn.Module):
    def __init__(self, mixer: nn.Module, ffn: nn.Module, modifiers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.mixer = mixer
        self.ffn = ffn
        self.modifiers = nn.ModuleList(modifiers)

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        x_BTD = x_BTD + self.mixer(self.read(x_BTD, context), context)
        y_BTD: Tensor = x_BTD + self.ffn(self.read(x_BTD, context), context)
        return y_BTD

    def read(self, x_BTD: Tensor, context: Context) -> Tensor:
        h_BTD = rms(x_BTD)
        for modifier in self.modifiers:
            h_BTD = modifier(h_BTD, context)
        return h_BTD
