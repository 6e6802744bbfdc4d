"""Muon's weight decay halves in the last part of training (techniques.md 5.2; Parameter Golf #1729)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.knobs import Span, knob
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class WdTaper:
    """Decay is scaled by the rate and fades with it; from the start set here it fades faster."""

    slot: ClassVar = "optimizer_modifiers"
    name: ClassVar = "wd_taper"
    source: ClassVar = "Parameter Golf #1729"
    point: ClassVar = "weight_decay"
    late: ClassVar = True
    prior: ClassVar = Prior(-1, "B", "-0.004 BPB in Parameter Golf #1729, together with capitals kept apart")

    start: float = knob(0.7, Span(0.0, 0.95), "share of training from which decay falls")
    floor: float = knob(0.5, Span(0.0, 1.0), "factor the line falls to, just after the last step")

    def weight_decay(self, progress: float, full: float) -> float:
        """Decay at a share of training done, given the optimizer's own; a straight line from the start on."""
        fallen = max(0.0, (progress - self.start) / (1 - self.start))
        return full * (1 - (1 - self.floor) * fallen)
