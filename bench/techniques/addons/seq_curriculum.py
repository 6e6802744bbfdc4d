"""Sequence-length curriculum: short sequences first, of as many bytes a step (Li et al. 2021, arXiv:2108.06084)."""

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.knobs import Span, knob
from bench.layers import Params
from bench.techniques.technique import Clash, Prior
from bench.training import Hook


@dataclass(frozen=True, kw_only=True)
class SeqCurriculum:
    """Windows are cut into pieces, fewer and longer ones as training goes on, whole ones from `until` on.

    Short ones teach the neighbourhood first. A step sees the same bytes either way, and attention costs less.
    """

    slot: ClassVar = "addons"
    name: ClassVar = "seq_curriculum"
    source: ClassVar = "arXiv:2108.06084"
    late: ClassVar = True
    clashes: ClassVar = (
        Clash("swa", "averaged checkpoints must share one length", "Parameter Golf #333"),
        Clash("lawa", "averaged checkpoints must share one length", "Parameter Golf #333"),
    )
    prior: ClassVar = Prior(0, "C", "not helpful in Parameter Golf #362, helpful in #2014, which was questioned")

    halvings: int = knob(2, Span(1, 3), "how often the length is halved for the first pieces")
    until: float = knob(0.3, Span(0.05, 0.8), "share of training after which windows are whole")

    def hook(self, params: Params) -> Hook:
        return Hook()

    def plan(self, progress: float, batch: int, seq_len: int) -> tuple[int, int]:
        """Sequences and their length at a share of training; a length that halves evenly loses no byte."""
        still = math.ceil(self.halvings * max(0.0, 1 - progress / self.until))
        length = max(1, seq_len >> still)
        return batch * (seq_len // length), length
