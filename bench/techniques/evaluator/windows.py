"""The fixed evaluator: non-overlapping windows, context reset at each, every prediction counted once.

Shapes: B batch, T time, V vocabulary.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.ranks import ALONE, Ranks, device_of

# Windows a forward pass: larger ones fall out of the cache (measured: 64 is 1.7 times as fast as 256).
WINDOWS_A_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Bytes 1 to N-1 are each predicted once; byte 0 has nothing before it and only serves as context."""

    slot: ClassVar = "evaluator"
    name: ClassVar = "windows"
    source: ClassVar = "the track's rule"

    def nats(
        self, model: nn.Module, text: npt.NDArray[np.uint8 | np.uint16], seq_len: int, ranks: Ranks = ALONE
    ) -> float:
        """Mean nats per predicted byte; the last window may be short."""
        tokens = torch.from_numpy(text.astype(np.int64)).to(device_of(model))
        n = tokens.numel() - 1
        whole = n // seq_len * seq_len
        # a text shorter than a window has no whole one, and a model need not take an empty batch
        batches = list(torch.split(tokens.unfold(0, seq_len + 1, seq_len), WINDOWS_A_BATCH)) if whole else []
        if n > whole:
            batches.append(tokens[whole:].unsqueeze(0))
        return scored_nats(model, ((rows, rows.size(1) - 1) for rows in batches), n, ranks)


def scored_nats(model: nn.Module, batches: Iterable[tuple[Tensor, int]], n: int, ranks: Ranks) -> float:
    """Over `n` predictions, summed in float64; of each row [T + 1] of a batch the last so many are scored.

    Ranks take the batches in turn, and all end with the one number.
    """
    return mean_nats_of(*summed_nats(model, islice(batches, ranks.rank, None, ranks.size)), n, ranks)


@torch.inference_mode()
def summed_nats(model: nn.Module, batches: Iterable[tuple[Tensor, int]]) -> tuple[float, int]:
    """Sum over a process's own batches and how many predictions that are."""
    was_training = model.training
    model.eval()
    total, scored = 0.0, 0
    for rows_BT, fresh in batches:
        logits_BTV = model(rows_BT[:, :-1])
        losses = F.cross_entropy(logits_BTV[:, -fresh:].flatten(0, 1), rows_BT[:, -fresh:].flatten(), reduction="none")
        total += losses.double().sum().item()
        scored += losses.numel()
    model.train(was_training)
    return total, scored


def mean_nats_of(total: float, scored: int, n: int, ranks: Ranks) -> float:
    """The mean over what all ranks scored, which must be `n` predictions."""
    sums = torch.tensor([total, scored], dtype=torch.float64, device=ranks.device)
    everything: list[float] = ranks.summed(sums).tolist()
    assert everything[1] == n, f"{everything[1]:.0f} predictions scored, there are {n}"
    return everything[0] / n
