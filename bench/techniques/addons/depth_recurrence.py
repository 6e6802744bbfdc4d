"""Depth recurrence: middle blocks run again, from a share of training on (Parameter Golf #1204, #1394, #1493)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from bench.knobs import Span, knob
from bench.layers import Params
from bench.ranks import Ranks
from bench.skeleton import Model
from bench.techniques.technique import Clash, Prior
from bench.training import Hook, Moment


@dataclass(frozen=True, kw_only=True)
class DepthRecurrence:
    """The blocks up to the middle one are passed through several times in a row, with the same weights.

    Of eleven blocks 3 to 5 with three, 4 and 5 with two. It costs no byte, and time while it is on: at first each block
    runs once. U-Net skips stay with the blocks, and read what their partner gave last; the records number them anew.
    """

    slot: ClassVar = "addons"
    name: ClassVar = "depth_recurrence"
    source: ClassVar = "Parameter Golf #1394"
    late: ClassVar = True
    clashes: ClassVar = (Clash("value_residual", "in looped blocks it was 0.14 BPB worse", "Parameter Golf #363"),)
    prior: ClassVar = Prior(-1, "A", "-0.002 to -0.004 BPB on eleven layers")

    blocks: int = knob(3, Span(1, 4), "how many run again")
    again: int = knob(2, Span(1, 3), "passes beyond the first")
    start: float = knob(0.35, Span(0.0, 0.9), "share of training before they do")

    def hook(self, params: Params) -> Hook:
        return _Switch(self)

    def order(self, progress: float, order: tuple[int, ...]) -> tuple[int, ...]:
        """Block numbers in the order they are passed through, for those of a model without it."""
        last = len(order) // 2
        first = max(0, last - self.blocks + 1)
        looped = order[first : last + 1] * self.again if progress >= self.start else ()
        return order[: last + 1] + looped + order[last + 1 :]


class _Switch(Hook):
    def __init__(self, technique: DepthRecurrence) -> None:
        self.technique = technique

    def before_gradients(self, moment: Moment) -> None:
        self._set(moment.model, moment.progress)

    def at_end(self, model: nn.Module, ranks: Ranks) -> None:
        # a run of a step or two may end before the switch
        self._set(model, 1.0)

    def _set(self, model: nn.Module, progress: float) -> None:
        assert isinstance(model, Model), "a whole model is trained"
        # an attribute of the module: a compiled model notices that it is another
        model.order = self.technique.order(progress, tuple(range(len(model.blocks))))
