"""Sliding windows: each token is scored once, with a long context (techniques.md 7.1; Parameter Golf #50).

Shapes: W windows, T time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.ranks import ALONE, Ranks, device_of
from bench.techniques.evaluator.windows import WINDOWS_A_BATCH, scored_nats
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Sliding:
    """A window every `stride` tokens; the first scores all it predicts, the others what no earlier one has scored.

    All but the first window's tokens have at least `seq_len - stride` before them. It costs seq_len / stride times.
    """

    slot: ClassVar = "evaluator"
    name: ClassVar = "sliding"
    source: ClassVar = "Parameter Golf #50"
    prior: ClassVar = Prior(-1, "A", "-0.032 BPB at 1,024 tokens and stride 64")

    stride: int = knob(64, Span(1, 4096, log=True), "tokens from one window to the next; at most seq_len counts")

    def nats(
        self, model: nn.Module, text: npt.NDArray[np.uint8 | np.uint16], seq_len: int, ranks: Ranks = ALONE
    ) -> float:
        """Mean nats per predicted token."""
        tokens = torch.from_numpy(text.astype(np.int64)).to(device_of(model))
        n = tokens.numel() - 1
        return scored_nats(model, batched(tokens, windows(n, seq_len, min(self.stride, seq_len))), n, ranks)


def batched(tokens: Tensor, spans: Iterable[tuple[int, int, int]]) -> Iterator[tuple[Tensor, int]]:
    """Rows [W, T + 1] of windows alike in length and fresh stretch, and how many at the end of each are fresh."""
    alike = groupby(spans, key=_form)
    for (_, fresh), every in alike:
        # only the first window and the last differ from the others
        while group := list(islice(every, WINDOWS_A_BATCH)):
            yield torch.stack([tokens[start : end + 1] for start, end, _ in group]), fresh


def windows(n: int, seq_len: int, stride: int) -> Iterator[tuple[int, int, int]]:
    """Start, end and first fresh prediction of each window over n predictions; fresh stretches cover them once."""
    fresh, start = 0, 0
    while fresh < n:
        end = min(start + seq_len, n)
        yield start, end, fresh
        fresh, start = end, start + stride


def _form(window: tuple[int, int, int]) -> tuple[int, int]:
    start, end, fresh = window
    return end - start, end - fresh
