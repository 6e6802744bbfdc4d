"""z-loss: keep the logits' normaliser near one (Chowdhery et al. 2022, PaLM, arXiv:2204.02311).

Shapes: B batch, T time, V vocabulary.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.knobs import Span, knob
from bench.layers import Params
from bench.techniques.technique import Prior
from bench.training import Hook, Moment


@dataclass(frozen=True, kw_only=True)
class ZLoss:
    """`weight * mean(log Z squared)`: softmax ignores a common shift of the logits, and this pulls it to zero."""

    slot: ClassVar = "addons"
    name: ClassVar = "z_loss"
    source: ClassVar = "arXiv:2204.02311"
    prior: ClassVar = Prior(0, "C", "beside softcaps in Parameter Golf, never isolated")

    weight: float = knob(1e-4, Span(1e-5, 1e-2, log=True), "of the squared log normaliser, beside 1 for the loss")

    def hook(self, params: Params) -> Hook:
        return _Normaliser(self.weight)


class _Normaliser(Hook):
    def __init__(self, weight: float) -> None:
        self.weight = weight

    def added_loss(self, logits_BTV: Tensor, moment: Moment) -> Tensor | None:
        return self.weight * logits_BTV.logsumexp(-1).square().mean()
