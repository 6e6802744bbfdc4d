"""WaveletGPT: running means of several lengths in half of the channels (Verma 2024, arXiv:2409.12924).

Shapes: B batch, T time, D width.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Wavelet:
    """Between two blocks each channel of the upper half becomes the mean of its last 2, 4, 8, ... values.

    The lower half stays as it is, and lengths grow with the channel. No parameters. A mean takes in
    bytes of its own story only, over as many as there are: no story leaks into the next.
    """

    slot: ClassVar = "block_modifiers"
    name: ClassVar = "wavelet"
    source: ClassVar = "arXiv:2409.12924"
    point: ClassVar = "stream"
    prior: ClassVar = Prior(0, "D", "the paper's models reach a loss in about half the steps, at longer contexts")

    scales: int = knob(4, Span(1, 6), "the longest mean is over 2 to this power")

    def build(self, site: Site) -> nn.Module | None:
        # the paper's place is what each block hands to the next one
        return RunningMeans(site.width, self.scales) if site.layer else None

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return 0


class RunningMeans(nn.Module):
    def __init__(self, width: int, scales: int) -> None:
        super().__init__()
        first = width // 2
        # the j-th equal part of the upper half has means of 2^j; the first of those parts starts right at the half
        self.starts = [first + (width - first) * j // scales for j in range(scales)]

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        age_BT1 = ages(context.starts_BT).unsqueeze(-1)
        parts = [x_BTD[..., : self.starts[0]]]
        sums_BTD = x_BTD[..., self.starts[0] :]
        for j, start in enumerate(self.starts):
            half = 2**j
            earlier_BTD = F.pad(sums_BTD, (0, 0, half, 0))[:, : sums_BTD.size(1)]
            # sums over the last 2^j become sums over the last 2^(j+1), within the story
            sums_BTD = sums_BTD + earlier_BTD * (age_BT1 >= half)
            n_here = (self.starts[j + 1] if j + 1 < len(self.starts) else x_BTD.size(-1)) - start
            counts_BT1 = (age_BT1 + 1).clamp_max(2 * half)
            parts.append(sums_BTD[..., :n_here] / counts_BT1)
            # longer means are for the channels after these alone
            sums_BTD = sums_BTD[..., n_here:]
        return torch.cat(parts, -1)


def ages(starts_BT: Tensor) -> Tensor:
    """How many bytes of its own story stand before each one in the window."""
    at_T = torch.arange(starts_BT.size(1), device=starts_BT.device)
    return at_T - torch.where(starts_BT, at_T, 0).cummax(1).values
