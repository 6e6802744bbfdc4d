"""The peak rate, then a straight line to zero over the last steps (Parameter Golf's baseline)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.knobs import Span, knob
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Warmdown:
    """A number of steps, not a share. With a budget in time, the steps left are those it leaves at the pace so far.

    On a machine that never reaches so many steps the rate falls from the first one.
    """

    slot: ClassVar = "schedule"
    name: ClassVar = "warmdown"
    source: ClassVar = "Parameter Golf's baseline"
    prior: ClassVar = Prior(-1, "B", "longer warmdowns were a part of every record; 3,000 to 3,500 steps in March")

    steps: int = knob(1200, Span(10, 20_000, log=True), "steps the line takes")

    def lr_scale(self, step: int, n_steps: float) -> float:
        """Factor at a step, counted from 0; never zero while steps remain."""
        return min(1.0, (n_steps - step) / self.steps)
