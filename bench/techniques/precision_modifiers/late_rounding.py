"""Late rounding: the forward pass sees rounded weights only towards the end (Parameter Golf #117, #315, #414)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from bench.knobs import Span, knob
from bench.layers import Cast, Role, as_is
from bench.ranks import Ranks
from bench.stack import Precision, PrecisionModifier, set_casts
from bench.techniques.technique import Prior
from bench.training import Hook, Moment


@dataclass(frozen=True, kw_only=True)
class LateRounding(PrecisionModifier):
    """Straight-through from a share of training on: first the weights settle, then they learn to be rounded."""

    slot: ClassVar = "precision_modifiers"
    name: ClassVar = "late_rounding"
    source: ClassVar = "Parameter Golf #117"
    late: ClassVar = True
    point: ClassVar = "forward"
    prior: ClassVar = Prior(0, "C", "Parameter Golf's switch was compiled away in several records, so it proved little")

    start: float = knob(0.75, Span(0.05, 0.95), "share of the steps before rounding begins")

    def hook(self, precision: Precision) -> Hook:
        return _Switch(precision, self.start)


class _Switch(Hook):
    def __init__(self, precision: Precision, start: float) -> None:
        self.precision = precision
        self.start = start

    def before_gradients(self, moment: Moment) -> None:
        set_casts(moment.model, self.precision.cast if moment.progress >= self.start else _unrounded)

    def at_end(self, model: nn.Module, ranks: Ranks) -> None:
        # a run of a step or two may end before the switch
        set_casts(model, self.precision.cast)


def _unrounded(role: Role) -> Cast:
    return as_is
