"""Embedding, blocks, head and the points where techniques attach; it knows no technique.

Shapes: B batch, T time, D width, V vocabulary, E width of the embedding: D, unless the head has it narrower.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.layers import Embedding, Moments, rms
from bench.tracks import Boundary

# Stories end in this byte, so the byte after one starts a document.
DOCUMENT_END = 0
STORY_END = Boundary(DOCUMENT_END)


@dataclass(frozen=True)
class Site:
    """Where a module is built."""

    width: int
    n_head: int
    layer: int
    n_layer: int
    seq_len: int
    vocab: int
    part: str = ""  # "mixer" or "ffn" for what is built once for each of a block's two parts
    boundary: Boundary = STORY_END

    @property
    def head_width(self) -> int:
        return self.width // self.n_head


@dataclass
class Context:
    """What every module of one forward pass may look at."""

    tokens_BT: Tensor
    progress: float  # fraction of training done, 1 when evaluating
    boundary: Boundary = STORY_END
    embedded_BTD: Tensor = field(init=False)  # the embedding of each token, before its norm
    x0_BTD: Tensor = field(init=False)  # the normalised embedding, before any feature
    values: dict[int, Tensor] = field(default_factory=dict)  # a mixer's values by layer, for those that reuse them
    streams: dict[int, Tensor] = field(default_factory=dict)  # at i + 1 what block i gave last, at 0 what came before
    embedding_VE: Tensor = field(init=False)  # the embedding as its number format gives it, for a head that shares it
    given_BTD: Tensor = field(init=False)  # what the block under way was given, before anything changed it
    lane_BTD: Tensor | None = None  # the second stream, between blocks that keep two
    # what is worked out at most once a pass; functools.cached_property takes a lock, which cuts a compiled pass in two
    _starts_BT: Tensor | None = field(default=None, init=False)
    _within_BTT: Tensor | None = field(default=None, init=False)

    @property
    def starts_BT(self) -> Tensor:
        """True where a document begins; the first position of a window counts as one."""
        if self._starts_BT is None:
            at = self.tokens_BT == self.boundary.token
            self._starts_BT = torch.ones_like(at)
            self._starts_BT[:, 1:] = at[:, 1:] if self.boundary.begins else at[:, :-1]
        return self._starts_BT

    @property
    def within_BTT(self) -> Tensor:
        """True where the second position stands in the first one's document, and not after it."""
        if self._within_BTT is None:
            document_BT = self.starts_BT.cumsum(1)
            self._within_BTT = (document_BT.unsqueeze(2) == document_BT.unsqueeze(1)).tril()
        return self._within_BTT


# Norm, mixer or feed-forward, and whatever modifies them: from the stream to what is added to it.
Part = Callable[[Tensor], Tensor]

# Where block modifiers attach: the block's input, what each part reads, what each part adds to the stream.
BLOCK_POINTS = ("stream", "read", "added")


class Block(nn.Module):
    """A mixer and a feed-forward, each reading a normed copy of the stream; `residual` says how they are joined."""

    def __init__(
        self,
        residual: nn.Module,
        mixer: nn.Module,
        ffn: nn.Module,
        attached: Mapping[str, Sequence[nn.Module]],
    ) -> None:
        """`attached` holds modifiers by point and part: stream, read_mixer, read_ffn, added_mixer, added_ffn.

        At stream_mixer stand those that change the stream for the mixer alone.
        """
        super().__init__()
        self.residual = residual
        self.mixer = mixer
        self.ffn = ffn
        # registered for their parameters, and kept under plain names for the way through
        self.modifiers = nn.ModuleDict({name: nn.ModuleList(modules) for name, modules in attached.items() if modules})
        self.attached = attached

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        context.given_BTD = x_BTD
        x_BTD = self._changed("stream", x_BTD, context)
        y_BTD: Tensor = self.residual(x_BTD, lambda h: self.mixed(h, context), lambda h: self.fed(h, context), context)
        return y_BTD

    def mixed(self, x_BTD: Tensor, context: Context) -> Tensor:
        x_BTD = self._changed("stream_mixer", x_BTD, context)
        y_BTD = self.mixer(self._changed("read_mixer", rms(x_BTD), context), context)
        return self._changed("added_mixer", y_BTD, context)

    def fed(self, x_BTD: Tensor, context: Context) -> Tensor:
        y_BTD = self.ffn(self._changed("read_ffn", rms(x_BTD), context), context)
        return self._changed("added_ffn", y_BTD, context)

    def _changed(self, where: str, x_BTD: Tensor, context: Context) -> Tensor:
        for modifier in self.attached.get(where, ()):
            x_BTD = modifier(x_BTD, context)
        return x_BTD


@dataclass(frozen=True)
class Parts:
    """The builders of a model, one per slot that shapes it; each gets a Site and returns a module."""

    features: tuple[Callable[[Site], nn.Module], ...]
    block: Callable[[Site], nn.Module]
    head: Callable[[Site], nn.Module]
    embedding_width: int
    logits: tuple[Callable[[Site], nn.Module], ...] = ()


class Model(nn.Module):
    """Tokens in, one logit per token of the vocabulary out. Causal as long as its parts are."""

    def __init__(self, parts: Parts, site: Site) -> None:
        super().__init__()
        self.embedding = Embedding(site.vocab, parts.embedding_width)
        self.features = nn.ModuleList(build(site) for build in parts.features)
        self.boundary = site.boundary
        self.blocks = nn.ModuleList(parts.block(replace(site, layer=layer)) for layer in range(site.n_layer))
        self.order = tuple(range(site.n_layer))  # in which the blocks are passed through; one may come again
        self.head = parts.head(site)
        self.logits = nn.ModuleList(build(site) for build in parts.logits)
        self.moments: Moments = {}  # for a number format that looks at what weights are multiplied with

    def forward(self, tokens_BT: Tensor, progress: float = 1.0) -> Tensor:
        context = Context(tokens_BT, progress, self.boundary)
        context.embedding_VE = self.embedding.rows()
        rows_BTE = F.embedding(tokens_BT, context.embedding_VE)
        # a head that has the embedding narrower knows the way to the stream as well
        widened = getattr(self.head, "widened", None)
        context.embedded_BTD = rows_BTE if widened is None else widened(rows_BTE)
        x_BTD = context.x0_BTD = rms(context.embedded_BTD)
        for feature in self.features:
            x_BTD = feature(x_BTD, context)
        context.streams[0] = x_BTD
        for layer in self.order:
            x_BTD = context.streams[layer + 1] = self.blocks[layer](x_BTD, context)
        logits_BTV: Tensor = self.head(x_BTD, context)
        for change in self.logits:
            logits_BTV = change(logits_BTV, context)
        return logits_BTV
