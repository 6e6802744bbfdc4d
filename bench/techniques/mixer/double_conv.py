"""A gated double convolution: the template of Mizan's community division, in our reading.

Mizan's own code is not public: what is published is the name, DoubleConv, and a loss. Gated short convolutions as
a mixer: Poli et al. 2023, arXiv:2302.10866.

Shapes: B batch, T time, D width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Filter, Linear, Role
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class DoubleConv:
    """Two causal filters of each channel, one after the other: the near bytes, then the bytes further back; gated.

    Reads no byte by its content, only by its distance, and has no use for more than the bytes it reaches
    (32 at the defaults). Cheap, and early in training, when spelling is all there is to learn, hard to beat.
    """

    slot: ClassVar = "mixer"
    name: ClassVar = "double_conv"
    source: ClassVar = "Mizan Featherweight, community division (our reading)"
    points: ClassVar[frozenset[str]] = frozenset()
    prior: ClassVar = Prior(-1, "C", "softmax with another optimizer, one seed, 500 steps")

    near_taps: int = knob(4, Span(2, 8), "bytes that the first filter looks at, its own among them")
    near_spacing: int = knob(1, Span(1, 4), "bytes from one of its taps to the next")
    far_taps: int = knob(8, Span(2, 12), "places that the second filter looks at")
    far_spacing: int = knob(4, Span(1, 12), "bytes from one of its taps to the next")

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module:
        return DoubleConvMixer(site.width, self)

    def flops(self, site: Site) -> int:
        """Forward FLOPs per token: three projections; a filter's few products are element by element."""
        return 6 * site.width**2

    def parameters(self, site: Site) -> int:
        return 3 * site.width**2 + (self.near_taps + self.far_taps) * site.width


class DoubleConvMixer(nn.Module):
    def __init__(self, width: int, knobs: DoubleConv) -> None:
        super().__init__()
        self.value = Linear(width, width)
        self.gate = Linear(width, width)
        self.near = Filter(width, knobs.near_taps, knobs.near_spacing)
        self.far = Filter(width, knobs.far_taps, knobs.far_spacing)
        self.output = Linear(width, width, Role.OUTPUT)

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        mixed_BTD = self.far(F.silu(self.near(self.value(x_BTD))))
        y_BTD: Tensor = self.output(mixed_BTD * F.silu(self.gate(x_BTD)))
        return y_BTD
