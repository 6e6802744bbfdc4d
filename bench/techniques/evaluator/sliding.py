"""Sliding windows: each token is scored once, with a long context (techniques.md 7.1; Parameter Golf #50).

Shapes: W windows, T time, V vocabulary.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from bench.knobs import Span, knob
from bench.ranks import device_of
from bench.techniques.evaluator.windows import WINDOWS_A_BATCH
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

    @torch.inference_mode()
    def nats(self, model: nn.Module, text: npt.NDArray[np.uint8 | np.uint16], seq_len: int) -> float:
        """Mean nats per predicted token, summed in float64."""
        tokens = torch.from_numpy(text.astype(np.int64)).to(device_of(model))
        n = tokens.numel() - 1
        was_training = model.training
        model.eval()
        total, scored = 0.0, 0
        # windows of one length and one fresh stretch go together; only the first and the last differ
        pending: list[tuple[int, int, int]] = []
        for window in [*windows(n, seq_len, min(self.stride, seq_len)), None]:
            full = len(pending) == WINDOWS_A_BATCH
            if pending and (window is None or full or _form(window) != _form(pending[0])):
                rows = torch.stack([tokens[start : end + 1] for start, end, _ in pending])
                logits_WTV = model(rows[:, :-1])
                fresh = pending[0][1] - pending[0][2]
                losses = F.cross_entropy(
                    logits_WTV[:, -fresh:].flatten(0, 1), rows[:, -fresh:].flatten(), reduction="none"
                )
                total += losses.double().sum().item()
                scored += losses.numel()
                pending = []
            if window is not None:
                pending.append(window)
        model.train(was_training)
        assert scored == n, f"{scored} predictions scored, there are {n}"
        return total / n


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
