"""Isolated lanes: mixers and feed-forwards each have a stream of their own in the end (Parameter Golf #1334, #1477).

Shapes: B batch, T time, D width.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.skeleton import Context, Part, Site
from bench.techniques.residual.pre_norm import OneAfterTheOther
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class IsolatedLanes:
    """In the last blocks `a = a + mixer(rms(a))` and `f = f + ffn(rms(f))`, then `m a + (1 - m) f` with m learned.

    Both lanes begin as the stream in the first such block, once skips and x0 are mixed in; in later ones those change
    lane a alone. The number m belongs to the last block and starts at a half. Where a loop leads back to an earlier
    block, that block works on lane a, and lane f waits.
    """

    slot: ClassVar = "residual"
    name: ClassVar = "isolated_lanes"
    source: ClassVar = "Parameter Golf #1334"
    prior: ClassVar = Prior(-1, "B", "beside training at test time 1.0828 to 1.0822 BPB (#1413, #1477)")

    layers: int = knob(4, Span(1, 8), "how many of the last blocks have two lanes")

    def build(self, site: Site) -> nn.Module:
        if site.layer < site.n_layer - self.layers:
            return OneAfterTheOther()
        return LastOfTwoLanes() if site.layer == site.n_layer - 1 else TwoLanes()

    def flops(self, site: Site) -> int:
        return 0

    def parameters(self, site: Site) -> int:
        return 1 if site.layer == site.n_layer - 1 else 0


class TwoLanes(nn.Module):
    def forward(self, x_BTD: Tensor, mixed: Part, fed: Part, context: Context) -> Tensor:
        f_BTD = x_BTD if context.lane_BTD is None else context.lane_BTD
        context.lane_BTD = f_BTD + fed(f_BTD)
        return x_BTD + mixed(x_BTD)


class LastOfTwoLanes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lanes = TwoLanes()
        self.share = nn.Parameter(torch.tensor([0.5]))

    def forward(self, x_BTD: Tensor, mixed: Part, fed: Part, context: Context) -> Tensor:
        a_BTD: Tensor = self.lanes(x_BTD, mixed, fed, context)
        # a loop may lead on from here: two lanes would begin anew
        f_BTD, context.lane_BTD = context.lane_BTD, None
        assert f_BTD is not None, "a block of two lanes leaves the second one"
        return torch.lerp(f_BTD, a_BTD, self.share)
