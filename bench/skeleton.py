"""Embedding, blocks, head and the points where techniques attach; it knows no technique.

Shapes: B batch, T time, D width, V vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from bench.layers import Embedding, rms

# The one shape of the Featherweight skeleton.
WIDTH, N_LAYER, N_HEAD = 128, 4, 4

# Stories end in this byte, so the byte after one starts a document.
DOCUMENT_END = 0


@dataclass(frozen=True)
class Site:
    """Where a module is built."""

    width: int
    n_head: int
    layer: int
    n_layer: int
    seq_len: int
    vocab: int

    @property
    def head_width(self) -> int:
        return self.width // self.n_head


@dataclass
class Context:
    """What every module of one forward pass may look at."""

    tokens_BT: Tensor
    progress: float  # fraction of training done, 1 when evaluating
    x0_BTD: Tensor = field(init=False)  # the normalised embedding, before any feature
    values: dict[int, Tensor] = field(default_factory=dict)  # a mixer's values by layer, for those that reuse them

    @cached_property
    def starts_BT(self) -> Tensor:
        """True where a document begins; the first position of a window counts as one."""
        starts = torch.ones_like(self.tokens_BT, dtype=torch.bool)
        starts[:, 1:] = self.tokens_BT[:, :-1] == DOCUMENT_END
        return starts


@dataclass(frozen=True)
class Parts:
    """The builders of a model, one per slot that shapes it; each gets a Site and returns a module."""

    features: tuple[Callable[[Site], nn.Module], ...]
    block: Callable[[Site], nn.Module]
    head: Callable[[Site], nn.Module]


class Model(nn.Module):
    """Bytes in, one logit per byte of the vocabulary out. Causal as long as its parts are."""

    def __init__(self, parts: Parts, site: Site) -> None:
        super().__init__()
        self.embedding = Embedding(site.vocab, site.width)
        self.features = nn.ModuleList(build(site) for build in parts.features)
        self.blocks = nn.ModuleList(
            parts.block(Site(site.width, site.n_head, layer, site.n_layer, site.seq_len, site.vocab))
            for layer in range(site.n_layer)
        )
        self.head = parts.head(site)

    def forward(self, tokens_BT: Tensor, progress: float = 1.0) -> Tensor:
        context = Context(tokens_BT, progress)
        x_BTD = context.x0_BTD = rms(self.embedding(tokens_BT))
        for feature in self.features:
            x_BTD = feature(x_BTD, context)
        for block in self.blocks:
            x_BTD = block(x_BTD, context)
        logits_BTV: Tensor = self.head(x_BTD, context)
        return logits_BTV
