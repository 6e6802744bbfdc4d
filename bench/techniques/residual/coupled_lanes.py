"""Coupled lanes: two streams, each part reads its own and writes to both (Parameter Golf #1204; as #1529 has them).

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
class CoupledLanes:
    """In the last blocks the mixer reads lane a, the feed-forward lane f: `a = k a + w A + v M`, `f = l f + u A + z M`.

    A and M are what both parts add, found before either lane changes; the six letters are learned numbers of the block.
    Both lanes begin as the stream that the first such block is given, and the last block hands on their mean. Skips
    change lane a alone, and x0 is mixed into what the mixer reads: no lane takes it up. Where a loop leads back to an
    earlier block, that block works on lane a, and lane f waits.
    """

    slot: ClassVar = "residual"
    name: ClassVar = "coupled_lanes"
    source: ClassVar = "Parameter Golf #1204"
    prior: ClassVar = Prior(-1, "C", "-0.0022 BPB in #1204, one seed; -0.0020 in #1529, against #1523")

    layers: int = knob(3, Span(1, 8), "how many of the last blocks have two lanes; #1204 had four")
    kept: float = knob(1.1, Span(0.9, 1.3), "k and l at the start; the numbers before A and M start at 1")

    def two_lanes(self, site: Site) -> bool:
        return site.layer >= site.n_layer - self.layers

    def build(self, site: Site) -> nn.Module:
        return Lanes(self.kept, ends=site.layer == site.n_layer - 1) if self.two_lanes(site) else OneAfterTheOther()

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return 6 if self.two_lanes(site) else 0


class Lanes(nn.Module):
    """`kept` by lane, `written` by part and lane; the mixer and its lane come first."""

    vectors = ("written",)

    def __init__(self, kept: float, ends: bool) -> None:
        super().__init__()
        self.kept = nn.Parameter(torch.full((2,), kept))
        self.written = nn.Parameter(torch.ones(2, 2))
        self.ends = ends

    def forward(self, x_BTD: Tensor, mixed: Part, fed: Part, context: Context) -> Tensor:
        f_BTD = context.given_BTD if context.lane_BTD is None else context.lane_BTD
        by_mixer_BTD, by_ffn_BTD = mixed(x_BTD), fed(f_BTD)
        a_BTD, f_BTD = (
            self.kept[lane] * lane_BTD + self.written[0, lane] * by_mixer_BTD + self.written[1, lane] * by_ffn_BTD
            for lane, lane_BTD in enumerate((x_BTD, f_BTD))
        )
        # a loop may lead on from here: two lanes would begin anew
        context.lane_BTD = None if self.ends else f_BTD
        return (a_BTD + f_BTD) / 2 if self.ends else a_BTD
