"""Muon's momentum rises over the first steps (modded-nanogpt; Parameter Golf's baseline)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.knobs import Span, knob
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class MomentumWarmup:
    """Early gradients point elsewhere soon: at first they are remembered for a shorter time."""

    slot: ClassVar = "optimizer_modifiers"
    name: ClassVar = "momentum_warmup"
    source: ClassVar = "Parameter Golf's baseline"
    point: ClassVar = "momentum"
    prior: ClassVar = Prior(0, "B", "part of every record, never isolated")

    start: float = knob(0.85, Span(0.5, 0.95), "momentum of the first step")
    steps: int = knob(500, Span(10, 3_000, log=True), "steps until the optimizer's own is reached")

    def momentum(self, step: int, full: float) -> float:
        """Momentum of a step, counted from 0; a straight line."""
        share = min(1.0, step / self.steps)
        return (1 - share) * self.start + share * full
