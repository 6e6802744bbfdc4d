"""Temperature: logits divided by a number chosen on training tokens (techniques.md 7.8; Parameter Golf R640).

Shapes: B batch, T time, V vocabulary.
"""

from collections import deque
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Params
from bench.ranks import Ranks, device_of
from bench.skeleton import Context, Model, Site
from bench.techniques.technique import Prior
from bench.training import Hook, Moment

GRID = (0.90, 0.95, 1.00, 1.05, 1.10)


@dataclass(frozen=True, kw_only=True)
class Temperature:
    """One while training; then whichever of five temperatures the last training batches were told best at.

    Validation says nothing of it, as the contest asks; it ships as one number more, a vector's. It is chosen on the
    trained weights, before they are rounded.
    """

    slot: ClassVar = "logits"
    name: ClassVar = "temperature"
    source: ClassVar = "Parameter Golf R640"
    late: ClassVar = True
    prior: ClassVar = Prior(0, "B", "0.90 for ternary weights; near 1.00 for int6")

    batches: int = knob(8, Span(1, 64, log=True), "of training, the last ones, on which it is chosen")

    def build(self, site: Site) -> nn.Module:
        return Gain()

    def hook(self, params: Params) -> Hook:
        return _Choice(self.batches)

    def calibration_batches(self, steps: int) -> int:
        """Forward passes after the last step, each of a training batch."""
        return min(self.batches, steps)

    def flops(self, site: Site) -> int:
        return 0  # elementwise

    def parameters(self, site: Site) -> int:
        return 1


class Gain(nn.Module):
    """The inverse of a temperature."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, logits_BTV: Tensor, context: Context) -> Tensor:
        return logits_BTV * self.gain


class _Choice(Hook):
    def __init__(self, batches: int) -> None:
        self.seen: deque[tuple[Tensor, Tensor]] = deque(maxlen=batches)
        self.steps_held_back = batches

    def before_gradients(self, moment: Moment) -> None:
        self.seen.append((moment.x_BT, moment.y_BT))

    @torch.no_grad()
    def after_step(self, moment: Moment) -> None:
        # no optimizer is to move it
        _gain(moment.model).fill_(1)

    @torch.no_grad()
    def at_end(self, model: nn.Module, ranks: Ranks) -> None:
        gain, was_training = _gain(model), model.training
        model.eval()
        total = torch.zeros(len(GRID), dtype=torch.float64, device=device_of(model))
        for x_BT, y_BT in self.seen:
            gain.fill_(1)
            total += nats_at(model(x_BT), y_BT)
        gain.fill_(1 / GRID[int(ranks.summed(total).argmin())])
        model.train(was_training)


def nats_at(logits_BTV: Tensor, y_BT: Tensor) -> Tensor:
    """Summed cross-entropy at each temperature of the grid."""
    sums = [
        F.cross_entropy((logits_BTV / temperature).flatten(0, 1), y_BT.flatten(), reduction="none").double().sum()
        for temperature in GRID
    ]
    return torch.stack(sums)


def _gain(model: nn.Module) -> nn.Parameter:
    assert isinstance(model, Model), f"{type(model).__name__} has no logits to scale"
    (found,) = [change for change in model.logits if isinstance(change, Gain)]
    return found.gain
