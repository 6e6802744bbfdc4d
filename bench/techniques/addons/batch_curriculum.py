"""Batch curriculum: fewer sequences a step at first (Smith et al. 2017, arXiv:1711.00489)."""

from dataclasses import dataclass
from typing import ClassVar

from bench.knobs import Span, knob
from bench.layers import Params
from bench.techniques.technique import Prior
from bench.training import Hook


@dataclass(frozen=True, kw_only=True)
class BatchCurriculum:
    """The share of the batch grows in a straight line from `start` to the whole of it at `until`.

    Early gradients are large beside their noise and need fewer bytes. Steps being fixed here, the run learns from
    fewer bytes in all and saves time: it can win on time, hardly on loss.
    """

    slot: ClassVar = "addons"
    name: ClassVar = "batch_curriculum"
    source: ClassVar = "arXiv:1711.00489"
    late: ClassVar = True
    prior: ClassVar = Prior(1, "D", "fixed steps prefer the largest batch; modded-nanogpt's time is fixed")

    start: float = knob(0.5, Span(0.1, 0.9), "share of the batch at the first step")
    until: float = knob(0.3, Span(0.05, 0.9), "share of training after which the batch is whole")

    def hook(self, params: Params) -> Hook:
        return Hook()

    def plan(self, progress: float, batch: int, seq_len: int) -> tuple[int, int]:
        """Sequences and their length at a share of training."""
        share = min(1.0, self.start + (1 - self.start) * progress / self.until)
        return max(1, round(share * batch)), seq_len
