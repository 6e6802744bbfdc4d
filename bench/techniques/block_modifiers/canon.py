"""Canon layers: a short causal convolution of each channel beside what a part reads (Allen-Zhu 2025, arXiv:2512.17351).

Shapes: B batch, T time, D width.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Filter, Role
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Canon:
    """`h_t + sum_j taps_j h_(t-j)` before mixer and feed-forward, taps learned and zero at the start.

    Positions A and C of the paper. Its taps cross from one story into the next, as attention does here.
    """

    slot: ClassVar = "block_modifiers"
    name: ClassVar = "canon"
    source: ClassVar = "arXiv:2512.17351"
    point: ClassVar = "read"
    prior: ClassVar = Prior(-1, "C", "in the last 5 layers 1.1296 BPB; belt holders of Featherweight convolve")

    taps: int = knob(4, Span(2, 8), "bytes each channel looks at, the present one included")

    def build(self, site: Site) -> nn.Module:
        return ShortFilter(site.width, self.taps)

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return self.taps * site.width


class ShortFilter(nn.Module):
    def __init__(self, width: int, taps: int) -> None:
        super().__init__()
        # taps of role VECTOR keep the zeros they are built with: at the start nothing is added
        self.filter = Filter(width, taps, role=Role.VECTOR)

    def forward(self, h_BTD: Tensor, context: Context) -> Tensor:
        y_BTD: Tensor = h_BTD + self.filter(h_BTD)
        return y_BTD
