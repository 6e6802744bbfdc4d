"""Low-rank updates of each document at test time, scored before they learn (techniques.md 7.3, 7.4; Parameter Golf
#77, #1530, #1610; the updates: Hu et al. 2021, arXiv:2106.09685).

Shapes: S documents, T time, I and O numbers that go into and come out of a product, R rank, V vocabulary.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.errors import ConfigError
from bench.knobs import Span, knob
from bench.layers import Linear, rms
from bench.ranks import ALONE, Ranks, device_of
from bench.skeleton import Block, Model
from bench.techniques.evaluator.score_first_sgd import cool, learn, lent, whole_sequences
from bench.techniques.evaluator.windows import mean_nats_of
from bench.techniques.technique import Prior

# What one pass keeps for its gradients is bounded by documents, whose adapters are their own, and by their tokens.
DOCUMENTS_A_BATCH = 64
TOKENS_A_BATCH = 32_768
ADAM_EPS = 1e-10
# A phase, as from #1626 on: tokens of a step, its rate at first, momentum, and longest gradient.
PHASE_CHUNK, PHASE_LR, PHASE_MOMENTUM, PHASE_CLIP = 32_768, 0.001, 0.9, 1.0

Document = tuple[int, int]  # where it starts, and how many predictions it has: the next one's start is its last


@dataclass(frozen=True, kw_only=True)
class PerDocumentLora:
    """Every document by itself, in chunks: each is scored, and then low-rank adapters of this document take a step.

    Adapters stand beside every linear layer each time a pass comes by, and round each feed-forward and the head. They
    start anew for each document, the inner matrix too, where #1787 kept it: no document's score then hangs on another,
    nor on how ranks share them. With phases, the longest documents are scored first, and at each pause all weights
    take an epoch of SGD on those. Allowed as causal, scored before any update and in a single pass (Issue #1017, C1,
    C3, C4): a document's last chunk teaches nothing. A chunk costs a window forward and, but for the last, back: three
    times seq_len / chunk of a plain evaluation, and the adapters.
    """

    slot: ClassVar = "evaluator"
    name: ClassVar = "test_time_lora"
    source: ClassVar = "Parameter Golf #1530"
    adapts: ClassVar = True
    prior: ClassVar = Prior(-1, "A", "about -0.008 nats beside attention within documents, -0.003 BPB in #77")

    rank: int = knob(96, Span(1, 256, log=True), "of each adapter")
    alpha: float = knob(96.0, Span(1.0, 512.0, log=True), "what an adapter gives is multiplied by alpha / rank")
    chunk: int = knob(48, Span(8, 1024, log=True), "tokens scored before a step on them; at most seq_len counts")
    lr: float = knob(1e-4, Span(1e-5, 0.1, log=True), "of AdamW on the adapters, one step a chunk")
    beta1: float = knob(0.0, Span(0.0, 0.95), "decay of the first moment")
    beta2: float = knob(0.999, Span(0.9, 0.9999), "decay of the second moment")
    weight_decay: float = knob(0.5, Span(0.0, 2.0), "decoupled, scaled by lr")
    phases: int = knob(0, Span(0, 4), "pauses in which all weights learn from every document scored so far")
    documents: int = knob(2000, Span(1, 10_000, log=True), "scored before the last pause; the others divide them")

    def nats(
        self, model: nn.Module, text: npt.NDArray[np.uint8 | np.uint16], seq_len: int, ranks: Ranks = ALONE
    ) -> float:
        """Mean nats per predicted token. Ranks take the batches of documents in turn.

        Raises ConfigError for a text in which no document starts.
        """
        assert isinstance(model, Model), f"{type(model).__name__} has no blocks to find its products in"
        tokens = torch.from_numpy(text.astype(np.int64)).to(device_of(model))
        queue = longest_first(tokens, model.boundary.token)
        total, scored = 0.0, 0
        with lent(model) as weights, adapted(model, tokens[:1], self.alpha / self.rank) as adapters:
            for first, last in pairwise((0, *self._pauses(len(queue)), len(queue))):
                with at_rest(model):
                    for batch in islice(batches(queue[first:last], seq_len), ranks.rank, None, ranks.size):
                        total += self._batch_nats(adapters, tokens, batch, seq_len)
                        scored += sum(length for _, length in batch)
                if last < len(queue):
                    told = torch.cat([tokens[start : start + length] for start, length in queue[:last]])
                    everywhere = ranks.summed(torch.tensor(scored, device=ranks.device)).item()
                    assert everywhere == len(told), f"{everywhere} predictions scored, learning would see {len(told)}"
                    phase(model, weights, told, seq_len, ranks)
        return mean_nats_of(total, scored, tokens.numel() - 1, ranks)

    def _pauses(self, n: int) -> list[int]:
        """How many of `n` documents are scored before each; nothing is learnt that no document is left for."""
        planned = {self.documents * (number + 1) // self.phases for number in range(self.phases)}
        return sorted(pause for pause in planned if 0 < pause < n)

    def _batch_nats(self, adapters: "Adapters", tokens: Tensor, batch: Sequence[Document], seq_len: int) -> float:
        """Sum over documents, the longest first: at each chunk those with another to come learn, the rest end."""
        chunk = min(self.chunk, seq_len)
        weights = adapters.begun(len(batch), self.rank)
        optimizer = torch.optim.AdamW(
            weights, lr=self.lr, betas=(self.beta1, self.beta2), eps=ADAM_EPS, weight_decay=self.weight_decay
        )
        total = torch.zeros((), dtype=torch.float64, device=tokens.device)
        for begin in range(0, batch[0][1], chunk):
            end = begin + chunk
            learning, there = (sum(length > place for _, length in batch) for place in (end, begin))
            if learning < there:
                total += ending_nats(adapters, tokens, batch, slice(learning, there), begin, seq_len)
            if learning:
                opened = max(0, end - seq_len)
                rows_ST = torch.stack([tokens[start + opened : start + end + 1] for start, _ in batch[:learning]])
                logits_STV = adapters.logits(rows_ST[:, :-1], slice(learning))[:, -chunk:]
                losses = F.cross_entropy(logits_STV.flatten(0, 1), rows_ST[:, -chunk:].flatten(), reduction="none")
                total += losses.detach().double().sum()
                # scored by the very pass that the step comes from: a document's loss moves its own adapters alone
                found = torch.autograd.grad(losses.sum() / chunk, weights)
                for p, grad in zip(weights, found, strict=True):
                    p.grad = grad
                optimizer.step()
        return total.item()


@torch.no_grad()
def ending_nats(
    adapters: "Adapters", tokens: Tensor, batch: Sequence[Document], ending: slice, begin: int, seq_len: int
) -> Tensor:
    """Sum over what some documents of a batch have from `begin` to their end; what stands behind that is padding."""
    spans = [tokens[start + max(0, length - seq_len) : start + length + 1] for start, length in batch[ending]]
    rows_ST = nn.utils.rnn.pad_sequence(spans, batch_first=True)
    place_T = torch.arange(rows_ST.size(1) - 1, device=tokens.device)
    ends_S = torch.tensor([len(span) - 1 for span in spans], device=tokens.device).unsqueeze(1)
    fresh_S = torch.tensor([length - begin for _, length in batch[ending]], device=tokens.device).unsqueeze(1)
    fresh_ST = (place_T >= ends_S - fresh_S) & (place_T < ends_S)
    logits_STV = adapters.logits(rows_ST[:, :-1], ending)
    losses = F.cross_entropy(logits_STV[fresh_ST], rows_ST[:, 1:][fresh_ST], reduction="none")
    return losses.double().sum()


def phase(model: Model, weights: list[nn.Parameter], told: Tensor, seq_len: int, ranks: Ranks) -> None:
    """An epoch of SGD on tokens that were scored, in chunks whose last one teaches nothing."""
    optimizer = torch.optim.SGD(weights, lr=PHASE_LR, momentum=PHASE_MOMENTUM)
    chunks = -(-(told.numel() - 1) // PHASE_CHUNK)
    for number in range(chunks - 1):
        cool(optimizer, PHASE_LR, number, chunks)
        rows_ST = whole_sequences(told[number * PHASE_CHUNK : (number + 1) * PHASE_CHUNK + 1], seq_len)
        if len(rows_ST):
            learn(model, optimizer, rows_ST, PHASE_CLIP, ranks)


def longest_first(tokens: Tensor, boundary: int) -> list[Document]:
    """The documents of a text, ties in their order. One starts at each boundary token, and at the text's first.

    So too where that token ends documents: its successor is then told by it alone, as attention within documents has
    it, and not by the document before. Raises ConfigError where there is no such token.
    """
    n = tokens.numel() - 1
    starts = (tokens[:n] == boundary).nonzero().flatten().tolist()
    if not starts:
        raise ConfigError(
            f"test_time_lora takes documents one by one, and none starts in {n + 1:,} tokens: {boundary} is not there",
            "evaluate by windows, sliding or score_first_sgd, or take shards of a vocabulary with this start token",
        )
    starts = starts if starts[0] == 0 else [0, *starts]
    lengths = [end - start for start, end in pairwise((*starts, n))]
    return sorted(zip(starts, lengths, strict=True), key=lambda document: -document[1])


def batches(queue: Sequence[Document], seq_len: int) -> Iterator[Sequence[Document]]:
    """Neighbours in the queue, of similar length; they depend on the lengths alone."""
    at = 0
    while at < len(queue):
        widest = min(queue[at][1], seq_len)
        size = max(1, min(DOCUMENTS_A_BATCH, TOKENS_A_BATCH // widest))
        yield queue[at : at + size]
        at += size


class Adapters:
    """Beside each product that a pass comes to, a product of low rank for every document of a batch."""

    def __init__(self, model: Model, sizes: list[tuple[int, int]], scale: float) -> None:
        self.model, self.sizes, self.scale = model, sizes, scale
        self.inner_SRI: list[Tensor] = []
        self.outer_SOR: list[Tensor] = []
        self.documents = slice(0)
        self.reached: int | None = None  # adapters that the pass under way has come to; none outside a pass

    def begun(self, n: int, rank: int) -> list[Tensor]:
        """Those of `n` documents, which all start alike: inner ones at random, outer ones at zero."""
        like, drawn = next(self.model.parameters()), torch.Generator().manual_seed(0)
        inner = [(torch.rand(rank, n_in, generator=drawn) * 2 - 1) / math.sqrt(n_in) for n_in, _ in self.sizes]
        self.inner_SRI = [start.to(like).repeat(n, 1, 1).requires_grad_() for start in inner]
        self.outer_SOR = [like.new_zeros(n, n_out, rank).requires_grad_() for _, n_out in self.sizes]
        return [*self.inner_SRI, *self.outer_SOR]

    def logits(self, tokens_ST: Tensor, documents: slice) -> Tensor:
        """Of windows of some of the documents, by their own adapters."""
        self.documents, self.reached = documents, 0
        logits_STV: Tensor = self.model(tokens_ST)
        assert self.reached == len(self.sizes), f"{self.reached} products, there are adapters for {len(self.sizes)}"
        self.reached = None
        return logits_STV

    def beside(self, module: nn.Module, given: tuple[Any, ...], y: Tensor) -> Tensor:
        """What a module gives, and its adapter adds: a forward hook."""
        if self.reached is None:
            return y
        inner_SRI, outer_SOR = (kind[self.reached][self.documents] for kind in (self.inner_SRI, self.outer_SOR))
        self.reached += 1
        x = read_by(module, given, self.model)
        assert len(x) == len(inner_SRI), f"{tuple(x.shape)} goes in, and {len(inner_SRI)} documents are there"
        low_STR = x.flatten(1, -2) @ inner_SRI.mT
        return y + self.scale * (low_STR @ outer_SOR.mT).view_as(y)


@contextmanager
def adapted(model: Model, tokens: Tensor, scale: float) -> Iterator[Adapters]:
    """A model with adapters where a pass over some tokens has products, one each time it comes by."""
    found, sizes = products(model), []

    def noted(module: nn.Module, given: tuple[Any, ...], y: Tensor) -> None:
        sizes.append((read_by(module, given, model).size(-1), y.size(-1)))

    hooks = [module.register_forward_hook(noted) for module in found]
    try:
        with torch.no_grad():
            model(tokens.unsqueeze(0))
        while hooks:
            hooks.pop().remove()
        adapters = Adapters(model, sizes, scale)
        hooks = [module.register_forward_hook(adapters.beside) for module in found]
        yield adapters
    finally:
        for hook in hooks:
            hook.remove()


def products(model: Model) -> list[nn.Module]:
    """The head and each feed-forward as one, and every other linear layer."""
    wholes = [model.head, *(block.ffn for block in model.modules() if isinstance(block, Block))]
    inside = {part for whole in wholes for part in whole.modules()}
    return [*wholes, *(part for part in model.modules() if isinstance(part, Linear) and part not in inside)]


def read_by(module: nn.Module, given: tuple[Any, ...], model: Model) -> Tensor:
    """What goes into a product; a head, whichever matrix it takes, norms it first."""
    x: Tensor = given[0]
    return rms(x) if module is model.head else x


@contextmanager
def at_rest(model: Model) -> Iterator[None]:
    """With weights that ask for no gradients, so that a pass keeps what the adapters' take and no more."""
    asking = [p for p in model.parameters() if p.requires_grad]
    model.eval()
    try:
        for p in asking:
            p.requires_grad_(False)
        yield
    finally:
        for p in asking:
            p.requires_grad_(True)
