"""Hyena of order 2: two long filters between gates (Poli et al. 2023, arXiv:2302.10866).

Shapes: B batch, T time, D width, C channels of both filters (2D), E features of a position, F hidden features.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Choice, Span, knob
from bench.layers import Filter, Linear, Role
from bench.skeleton import Context, Site
from bench.techniques.mixer.long_convolution import long_convolution, long_convolution_flops

ORDER, TAPS = 2, 3
# Pairs of sine and cosine that tell a filter where it is; the fastest has this many periods in a window.
BANDS = 8
# What the sines' angles start multiplied by (the authors' default), or the filters would start too smooth.
FREQUENCY = 10.0
# A window's fall that counts as its end, and the slowest one's length in windows of context (the paper's figure).
END, SLOWEST = 0.01, 1.5


@dataclass(frozen=True, kw_only=True)
class Hyena:
    """No scores at all: the past is summed by filters that depend on distance alone, and gates let the content speak.

    A small network of sines writes the filters, so their length costs no parameters; windows of many lengths fade them.
    """

    slot: ClassVar = "mixer"
    name: ClassVar = "hyena"
    source: ClassVar = "arXiv:2302.10866"
    points: ClassVar = frozenset[str]()

    hidden: int = knob(16, Choice((8, 16, 32)), "sines that the filters are mixed from")
    shortest: float = knob(4.0, Span(1.0, 40.0, log=True), "bytes until the fastest window has fallen to a hundredth")

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module:
        return HyenaMixer(site.width, self.hidden, self.shortest, site.seq_len)

    def flops(self, site: Site) -> int:
        """Four projections and two convolutions over the whole window."""
        return 8 * site.width**2 + long_convolution_flops(ORDER * site.width, site.seq_len)

    def unseen_flops(self, site: Site) -> int:
        """Writing the filters, which is done once for all rows of a batch and counted as if there were one row."""
        n_feature, channels = 1 + 2 * BANDS, ORDER * site.width
        return 2 * self.hidden * (n_feature + 1 + channels) + channels

    def parameters(self, site: Site) -> int:
        n_feature = 1 + 2 * BANDS
        linear = 4 * site.width**2 + self.hidden * (n_feature + ORDER * site.width)
        return linear + (ORDER + 1) * TAPS * site.width + self.hidden + ORDER * site.width


class HyenaMixer(nn.Module):
    def __init__(self, width: int, hidden: int, shortest: float, seq_len: int) -> None:
        super().__init__()
        self.input = Linear(width, (ORDER + 1) * width)
        self.short = Filter((ORDER + 1) * width, TAPS)
        self.filters = WrittenFilters(ORDER * width, hidden, shortest, seq_len)
        # what a filter does at distance nought, beside its tap there: it starts by passing its input on
        self.skip_C = nn.Parameter(torch.ones(ORDER * width))
        self.output = Linear(width, width, Role.OUTPUT)

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        T = x_BTD.size(1)
        read_CTB = self.short(self.input(x_BTD)).permute(2, 1, 0).contiguous()
        y_DTB, *gates = read_CTB.chunk(ORDER + 1)
        filters = self.filters(T).chunk(ORDER)
        for gate_DTB, h_DT, skip_D in zip(gates, filters, self.skip_C.chunk(ORDER), strict=True):
            y_DTB = gate_DTB * torch.addcmul(long_convolution(h_DT, y_DTB), skip_D[:, None, None], y_DTB)
        y_BTD: Tensor = self.output(y_DTB.permute(2, 1, 0))
        return y_BTD


class WrittenFilters(nn.Module):
    """Taps from positions: features, a layer of sines, a mix of them per channel, and a window per channel."""

    features_TE: Tensor
    window_TC: Tensor

    def __init__(self, channels: int, hidden: int, shortest: float, seq_len: int) -> None:
        super().__init__()
        time_T = torch.arange(seq_len, dtype=torch.float64) / seq_len
        angle_TE = 2 * math.pi * torch.outer(time_T, torch.arange(1, BANDS + 1, dtype=torch.float64))
        features_TE = torch.cat((time_T[:, None], angle_TE.cos(), angle_TE.sin()), 1)
        longest = SLOWEST * seq_len
        length_C = torch.logspace(math.log10(shortest), math.log10(longest), channels, dtype=torch.float64)
        # both filters get windows of all lengths
        length_C = torch.cat([length_C[order::ORDER] for order in range(ORDER)])
        window_TC = END ** (torch.arange(seq_len, dtype=torch.float64)[:, None] / length_C)
        self.register_buffer("features_TE", features_TE.float(), False)
        # of unit energy, so that no channel starts louder than another
        self.register_buffer("window_TC", (window_TC / window_TC.norm(dim=0)).float(), False)
        self.inward = Linear(features_TE.size(1), hidden)
        self.frequency_F = nn.Parameter(torch.full((hidden,), FREQUENCY))
        self.outward = Linear(hidden, channels)

    def forward(self, T: int) -> Tensor:
        """The first T taps of every channel, [C, T].

        Sums of products instead of matrix products: done once a batch, they have no whole cost per token that torch's
        counter could confirm.
        """
        dtype = self.frequency_F.dtype
        features_TE, window_TC = self.features_TE[:T].to(dtype), self.window_TC[:T].to(dtype)
        angle_TF = (features_TE[:, None] * self.inward.cast(self.inward.weight)).sum(-1)
        sines_TF = (angle_TF * self.frequency_F).sin()
        h_TC = (sines_TF[:, None] * self.outward.cast(self.outward.weight)).sum(-1)
        return (h_TC * window_TC).mT
