"""Multi-token prediction without extra heads (Gloeckle et al. 2024, arXiv:2404.19737; the shared form: modded-nanogpt).

Shapes: B batch, T time, V vocabulary.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.knobs import Span, knob
from bench.layers import Params
from bench.techniques.technique import Prior
from bench.training import Hook, Moment


@dataclass(frozen=True, kw_only=True)
class MultiToken:
    """One set of logits also answers for the bytes two and three ahead, with weights that fall to zero.

    The third byte's weight falls from the start and is gone half-way to `until`; the second's falls from there and is
    gone at `until`. From then on only the next byte counts, as it does in the score. No parameters.
    """

    slot: ClassVar = "addons"
    name: ClassVar = "multi_token"
    source: ClassVar = "modded-nanogpt"
    prior: ClassVar = Prior(0, "N", "no gain in Parameter Golf with heads of its own; kept by modded-nanogpt")

    second: float = knob(0.5, Span(0.05, 1.0), "weight of the byte two ahead at the start")
    third: float = knob(0.25, Span(0.0, 0.5), "weight of the byte three ahead at the start")
    until: float = knob(0.6, Span(0.1, 1.0), "share of training after which only the next byte counts")

    def hook(self, params: Params) -> Hook:
        return _FurtherBytes(self)

    def weights(self, progress: float) -> tuple[float, float]:
        """Of the losses on the bytes two and three ahead, beside 1 for the next."""
        left = max(0.0, 1 - progress / self.until)
        return self.second * min(1.0, 2 * left), self.third * max(0.0, 2 * left - 1)


class _FurtherBytes(Hook):
    def __init__(self, technique: MultiToken) -> None:
        self.technique = technique

    def added_loss(self, logits_BTV: Tensor, moment: Moment) -> Tensor | None:
        losses = list(self._losses(logits_BTV, moment))
        return sum(losses[1:], losses[0]) if losses else None

    def _losses(self, logits_BTV: Tensor, moment: Moment) -> Iterator[Tensor]:
        weights = [weight for weight in enumerate(self.technique.weights(moment.progress), start=1) if weight[1]]
        if not weights:
            return
        logs_BTV = logits_BTV.log_softmax(-1)
        for further, weight in weights:
            # windows end: the last positions have no byte so far ahead to answer for
            if further < moment.y_BT.size(1):
                targets_BT1 = moment.y_BT[:, further:].unsqueeze(-1)
                yield -weight * logs_BTV[:, :-further].gather(-1, targets_BT1).mean()
