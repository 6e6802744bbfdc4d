"""Warm-up, a stretch at the peak, then down by one minus a square root (Hägele et al. 2024, arXiv:2405.18392)."""

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.knobs import Span, knob
from bench.techniques.schedule.linear import share_left
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class OneMinusSqrt:
    """`1 - sqrt(done)` over the last share of the steps: steep at first, then long at small rates."""

    slot: ClassVar = "schedule"
    name: ClassVar = "one_minus_sqrt"
    source: ClassVar = "arXiv:2405.18392"
    prior: ClassVar = Prior(-1, "C", "a little better than a straight line after a hold, in the paper")

    warmup: float = knob(0.04, Span(0.0, 0.2), "share of the steps spent rising to the peak")
    hold: float = knob(0.5, Span(0.0, 0.8), "share of the steps after that spent at the peak")
    floor: float = knob(0.0, Span(0.0, 0.2), "factor the curve falls to, just after the last step")

    def lr_scale(self, step: int, n_steps: float) -> float:
        """Factor at a step, counted from 0; never zero while steps remain."""
        rising = self.warmup * n_steps
        if step + 1 <= rising:
            return (step + 1) / rising
        done = 1 - share_left(step, n_steps, rising, self.hold)
        return self.floor + (1 - self.floor) * (1 - math.sqrt(done))
