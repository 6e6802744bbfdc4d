"""SGD with Nesterov's momentum (Sutskever et al. 2013, proceedings.mlr.press/v28/sutskever13), torch's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from bench.knobs import Span, knob
from bench.layers import Params
from bench.training import Optimizer


@dataclass(frozen=True, kw_only=True)
class Sgd:
    """One step length for all weights, whatever the size of their gradients: the floor that others must beat."""

    slot: ClassVar = "optimizer"
    name: ClassVar = "sgd"
    source: ClassVar = "proceedings.mlr.press/v28/sutskever13"
    points: ClassVar[frozenset[str]] = frozenset()

    # at 0.3 the baseline does not learn any more: 5.1 nats/byte after 100 steps of 8 sequences
    lr: float = knob(0.1, Span(3e-3, 0.2, log=True), "change of a weight per unit of gradient")
    momentum: float = knob(0.9, Span(0.5, 0.98), "decay of the summed gradients")
    weight_decay: float = knob(1e-4, Span(1e-6, 1e-2, log=True), "pull towards zero, as part of the gradient")

    def build(self, params: Params, modifiers: Sequence[Any] = ()) -> Optimizer:
        return torch.optim.SGD(
            params.tensors, lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay, nesterov=True
        )
