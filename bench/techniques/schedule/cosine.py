"""Warm-up, then half a cosine down (Loshchilov & Hutter 2016, arXiv:1608.03983)."""

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.knobs import Span, knob
from bench.techniques.schedule.linear import share_left
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Cosine:
    """Slow to leave the peak and slow to arrive at the floor; one cycle, no restarts."""

    slot: ClassVar = "schedule"
    name: ClassVar = "cosine"
    source: ClassVar = "arXiv:1608.03983"
    prior: ClassVar = Prior(0, "B", "as good as a straight line in most reports, never measured here")

    warmup: float = knob(0.04, Span(0.0, 0.2), "share of the steps spent rising to the peak")
    floor: float = knob(0.0, Span(0.0, 0.2), "factor the curve falls to, just after the last step")

    def lr_scale(self, step: int, n_steps: float) -> float:
        """Factor at a step, counted from 0; never zero while steps remain."""
        rising = self.warmup * n_steps
        if step + 1 <= rising:
            return (step + 1) / rising
        left = share_left(step, n_steps, rising, hold=0.0)
        return self.floor + (1 - self.floor) * (1 - math.cos(math.pi * left)) / 2
