"""Sliding-window attention: the last few bytes only (Beltagy et al. 2020, Longformer, arXiv:2004.05150)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

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
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class SlidingWindow:
    """A byte looks at itself and the `window - 1` bytes before it; further back reach the layers above.

    FLOPs are those of full attention, because the whole window is computed and masked: see `Masked`.
    """

    slot: ClassVar = "mixer"
    name: ClassVar = "sliding_window"
    source: ClassVar = "arXiv:2004.05150"
    points: ClassVar = ATTENTION_POINTS
    prior: ClassVar = Prior(-1, "C", "Mizan's page: better than softmax at 96 bytes, without seeds or window")

    window: int = knob(32, Span(8, 64), "bytes that a query sees, itself among them")

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module:
        back_TT = bytes_back(site.seq_len)
        return Attention(site, modifiers, Masked((back_TT >= 0) & (back_TT < self.window)))

    def flops(self, site: Site) -> int:
        return attention_flops(site, site.n_head)

    def parameters(self, site: Site) -> int:
        return attention_parameters(site, site.n_head)
