"""Strided sparse attention, two patterns for two kinds of heads (Child et al. 2019, arXiv:1904.10509, section 4.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from bench.knobs import Span, knob
from bench.skeleton import Site
from bench.techniques.mixer.softmax import (
    ATTENTION_POINTS,
    Attention,
    Masked,
    attention_flops,
    attention_parameters,
    bytes_back,
)


@dataclass(frozen=True, kw_only=True)
class Sparse:
    """Heads 0, 2, ... look 0 to `stride` bytes back; heads 1, 3, ... look 0, `stride`, 2 `stride`, ... bytes back.

    Every byte reaches every earlier one in two layers. FLOPs are those of full attention: see `Masked`.
    """

    slot: ClassVar = "mixer"
    name: ClassVar = "sparse"
    source: ClassVar = "arXiv:1904.10509"
    points: ClassVar = ATTENTION_POINTS

    stride: int = knob(10, Span(4, 24), "reach of local heads, spacing of the others; the paper takes about sqrt(T)")

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module:
        back_TT = bytes_back(site.seq_len)
        local_TT, strided_TT = back_TT <= self.stride, back_TT % self.stride == 0
        by_head_HTT = torch.stack([strided_TT if head % 2 else local_TT for head in range(site.n_head)])
        return Attention(site, modifiers, Masked((by_head_HTT & (back_TT >= 0)).unsqueeze(0)))

    def flops(self, site: Site) -> int:
        return attention_flops(site, site.n_head)

    def parameters(self, site: Site) -> int:
        return attention_parameters(site, site.n_head)
