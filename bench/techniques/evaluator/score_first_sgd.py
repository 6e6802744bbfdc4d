"""Training at test time, each chunk scored before it is learnt from (techniques.md 7.5; Parameter Golf #461, #549).

Shapes: S sequences, T time.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Cast, Embedding, Linear, as_is
from bench.ranks import ALONE, Ranks, device_of
from bench.techniques.evaluator.sliding import batched, windows
from bench.techniques.evaluator.windows import mean_nats_of, summed_nats
from bench.techniques.technique import Clash, Prior

# Sequences whose gradients one pass takes: how many changes the memory, and the sum by its rounding.
SEQUENCES_A_PASS = 8


@dataclass(frozen=True, kw_only=True)
class ScoreFirstSgd:
    """Sliding windows over a text cut in chunks: once all of a chunk is scored, every weight learns from it by SGD.

    Allowed as it is causal, scored before any update and in a single pass (Issue #1017, C1, C3, C4): the last chunk
    teaches nothing. A pass over a chunk is one step on its whole sequences; the rate falls as a cosine over the
    chunks. Weights begin as they were unpacked, no longer held to their number format, and are put back afterwards.
    """

    slot: ClassVar = "evaluator"
    name: ClassVar = "score_first_sgd"
    source: ClassVar = "Parameter Golf #549"
    adapts: ClassVar = True
    prior: ClassVar = Prior(-1, "A", "-0.0025 BPB in #549, -0.002 in #1413, nothing on #315's and #1019's stacks")
    clashes: ClassVar = (
        Clash("xsa", "beside it SGD at test time gained nothing or made it 0.016 BPB worse", "Parameter Golf #303"),
    )

    stride: int = knob(64, Span(1, 4096, log=True), "tokens from one window to the next; at most seq_len counts")
    chunk: int = knob(32_768, Span(256, 262_144, log=True), "tokens that are scored before they are learnt from")
    passes: int = knob(3, Span(1, 5), "over each chunk")
    lr: float = knob(0.002, Span(1e-4, 0.1, log=True), "at the first chunk; #1413 took 0.005")
    momentum: float = knob(0.9, Span(0.0, 0.99), "share of the last step's change that is kept, across chunks too")
    clip: float = knob(1.0, Span(0.1, 10.0, log=True), "longest gradient, as a norm over all weights")

    def nats(
        self, model: nn.Module, text: npt.NDArray[np.uint8 | np.uint16], seq_len: int, ranks: Ranks = ALONE
    ) -> float:
        """Mean nats per predicted token. Ranks share a chunk's windows and its sequences."""
        tokens = torch.from_numpy(text.astype(np.int64)).to(device_of(model))
        n = tokens.numel() - 1
        chunks = -(-n // self.chunk)
        spans = groupby(windows(n, seq_len, min(self.stride, seq_len)), key=lambda window: window[2] // self.chunk)
        total, scored, reached = 0.0, 0, 0
        with lent(model) as weights:
            optimizer = torch.optim.SGD(weights, lr=self.lr, momentum=self.momentum)
            for number, group in spans:
                told = list(group)
                mine = islice(batched(tokens, told), ranks.rank, None, ranks.size)
                nats, count = summed_nats(model, mine)
                total, scored = total + nats, scored + count
                _, reached, _ = told[-1]
                end = (number + 1) * self.chunk
                if number == chunks - 1:
                    break
                assert reached >= end, f"{reached} predictions scored, learning would see {end}"
                cool(optimizer, self.lr, number, chunks)
                rows_ST = whole_sequences(tokens[number * self.chunk : end + 1], seq_len)
                for _ in range(self.passes if len(rows_ST) else 0):
                    learn(model, optimizer, rows_ST, self.clip, ranks)
        return mean_nats_of(total, scored, n, ranks)


def cool(optimizer: torch.optim.Optimizer, lr: float, number: int, chunks: int) -> None:
    """Sets the rate at a chunk: a cosine over all chunks but the last, which teaches nothing."""
    for form in optimizer.param_groups:
        form["lr"] = lr * 0.5 * (1 + math.cos(math.pi * number / (chunks - 1)))


def whole_sequences(tokens: Tensor, seq_len: int) -> Tensor:
    """[S, T + 1], each beginning with the token that the one before it ends with; none where there are too few."""
    if tokens.numel() <= seq_len:
        return tokens.new_empty(0, seq_len + 1)
    return tokens.unfold(0, seq_len + 1, seq_len)


def learn(model: nn.Module, optimizer: torch.optim.Optimizer, rows_ST: Tensor, clip: float, ranks: Ranks) -> None:
    """A step of the optimizer's one group of weights on sequences [S, T + 1], which ranks share."""
    weights: list[nn.Parameter] = optimizer.param_groups[0]["params"]
    predictions = rows_ST.size(0) * (rows_ST.size(1) - 1)
    model.train()
    own = [torch.zeros_like(p) for p in weights]
    mine_ST = rows_ST[ranks.rank :: ranks.size]
    # fewer sequences than ranks leave some without any, and a model need not take an empty batch
    for rows in mine_ST.split(SEQUENCES_A_PASS) if len(mine_ST) else ():  # type: ignore[no-untyped-call]
        summed = F.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten(), reduction="sum")
        # not backward(): where ranks train together, it would set off their exchange of gradients
        found = torch.autograd.grad(summed / predictions, weights, materialize_grads=True)
        for grad, more in zip(own, found, strict=True):
            grad += more
    for p, grad in zip(weights, own, strict=True):
        p.grad = ranks.summed(grad)
    nn.utils.clip_grad_norm_(weights, clip)
    optimizer.step()
    for p in weights:
        p.grad = None


@contextmanager
def lent(model: nn.Module) -> Iterator[list[nn.Parameter]]:
    """A model's weights as its forward pass sees them, free to move; afterwards all is as it was."""
    weights, was_training = list(model.parameters()), model.training
    kept = [p.detach().clone() for p in weights]
    casts: list[tuple[Any, Cast]] = [(m, m.cast) for m in model.modules() if isinstance(m, Linear | Embedding)]
    try:
        with torch.no_grad():
            for module, cast in casts:
                module.weight.copy_(cast(module.weight))
                module.cast = as_is
        yield weights
    finally:
        with torch.no_grad():
            for p, before in zip(weights, kept, strict=True):
                p.copy_(before)
        for module, cast in casts:
            module.cast = cast
        model.train(was_training)
