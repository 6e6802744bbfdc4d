"""MuonEq-R: rows of the momentum are made equally long before Muon orthogonalises it (Parameter Golf #1285)."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class MuonEqR:
    """No output unit starts the iteration far behind the others; no state, next to no time."""

    slot: ClassVar = "optimizer_modifiers"
    name: ClassVar = "muoneq_r"
    source: ClassVar = "Parameter Golf #1285"
    point: ClassVar = "direction"
    prior: ClassVar = Prior(-1, "B", "-0.001 BPB")

    def direction(self, matrices: Tensor) -> Tensor:
        """[n, rows, cols], every row at length 1."""
        return F.normalize(matrices, dim=-1, eps=1e-7)
