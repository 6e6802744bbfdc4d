"""Warm-up, an optional stretch at the peak, then a straight line down.

Goyal et al. 2017, arXiv:1706.02677; Hägele et al. 2024, arXiv:2405.18392.
"""

from dataclasses import dataclass
from typing import ClassVar

from bench.knobs import Span, knob


@dataclass(frozen=True, kw_only=True)
class Linear:
    """The factor on every learning rate, from the share of the steps done."""

    slot: ClassVar = "schedule"
    name: ClassVar = "linear"
    source: ClassVar = "arXiv:2405.18392"

    warmup: float = knob(0.04, Span(0.0, 0.2), "share of the steps spent rising to the peak")
    hold: float = knob(0.0, Span(0.0, 0.8), "share of the steps after that spent at the peak")
    floor: float = knob(0.0, Span(0.0, 0.2), "factor the line falls to, just after the last step")

    def lr_scale(self, step: int, n_steps: float) -> float:
        """Factor at a step, counted from 0; never zero while steps remain."""
        rising = self.warmup * n_steps
        if step + 1 <= rising:
            return (step + 1) / rising
        return self.floor + (1 - self.floor) * share_left(step, n_steps, rising, self.hold)


def share_left(step: int, n_steps: float, rising: float, hold: float) -> float:
    """How much of the way down is still to go, from 1 to just above 0; `rising` in steps, `hold` a share of all."""
    falling_from = min(rising + hold * n_steps, n_steps - 1)
    return min(1.0, (n_steps - step) / (n_steps - falling_from))
