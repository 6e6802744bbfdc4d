"""The fixed evaluator: non-overlapping windows, context reset at each, every prediction counted once.

Shapes: B batch, T time.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from bench.ranks import device_of

# Windows a forward pass: larger ones fall out of the cache (measured: 64 is 1.7 times as fast as 256).
WINDOWS_A_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Bytes 1 to N-1 are each predicted once; byte 0 has nothing before it and only serves as context."""

    slot: ClassVar = "evaluator"
    name: ClassVar = "windows"
    source: ClassVar = "the track's rule"

    @torch.inference_mode()
    def nats(self, model: nn.Module, text: npt.NDArray[np.uint8], seq_len: int) -> float:
        """Mean nats per predicted byte, summed in float64; the last window may be short."""
        tokens = torch.from_numpy(text.astype(np.int64)).to(device_of(model))
        n = tokens.numel() - 1
        whole = n // seq_len * seq_len
        x_WT = tokens[:whole].view(-1, seq_len)
        y_WT = tokens[1 : whole + 1].view(-1, seq_len)
        pairs = zip(torch.split(x_WT, WINDOWS_A_BATCH), torch.split(y_WT, WINDOWS_A_BATCH), strict=True)
        # a text shorter than a window has no whole one, and a model need not take an empty batch
        batches = list(pairs) if whole else []
        if n > whole:
            batches.append((tokens[whole:n].unsqueeze(0), tokens[whole + 1 :].unsqueeze(0)))
        was_training = model.training
        model.eval()
        total = sum(
            F.cross_entropy(model(x_BT).flatten(0, 1), y_BT.flatten(), reduction="none").double().sum().item()
            for x_BT, y_BT in batches
        )
        model.train(was_training)
        return total / n
