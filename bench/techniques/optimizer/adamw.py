"""AdamW: Adam with decoupled weight decay (Loshchilov & Hutter 2017, arXiv:1711.05101), torch's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from bench.knobs import Span, knob
from bench.layers import Params
from bench.training import Optimizer


@dataclass(frozen=True, kw_only=True)
class AdamW:
    """Each weight moves by about lr per step, in the direction of its smoothed gradient over its smoothed size."""

    slot: ClassVar = "optimizer"
    name: ClassVar = "adamw"
    source: ClassVar = "arXiv:1711.05101"
    points: ClassVar[frozenset[str]] = frozenset()

    lr: float = knob(8e-3, Span(5e-4, 2e-2, log=True), "change of a weight per step, at most about this")
    beta1: float = knob(0.9, Span(0.8, 0.98), "decay of the smoothed gradient")
    beta2: float = knob(0.95, Span(0.9, 0.999), "decay of the smoothed squared gradient")
    weight_decay: float = knob(0.01, Span(1e-3, 1.0, log=True), "decoupled, scaled by lr")

    def build(self, params: Params, modifiers: Sequence[Any] = ()) -> Optimizer:
        return torch.optim.AdamW(
            params.tensors, lr=self.lr, betas=(self.beta1, self.beta2), weight_decay=self.weight_decay, fused=True
        )
