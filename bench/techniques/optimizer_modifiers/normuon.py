"""NorMuon: rows of the orthogonalised update made alike in size over time (Li et al. 2025, arXiv:2510.05491)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.knobs import Span, knob
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class NorMuon:
    """Each output unit's row is divided by its smoothed size; the matrix as a whole keeps the norm it came with.

    Felt where a matrix has more rows than columns: elsewhere orthogonalising has made the rows alike already.
    """

    slot: ClassVar = "optimizer_modifiers"
    name: ClassVar = "normuon"
    source: ClassVar = "arXiv:2510.05491"
    point: ClassVar = "update"
    prior: ClassVar = Prior(-1, "C", "used by modded-nanogpt; no gain of its own isolated")

    beta2: float = knob(0.95, Span(0.8, 0.995), "decay of a row's smoothed squared size")

    def update(self, updates: Tensor, states: Sequence[dict[str, Any]]) -> Tensor:
        """[n, rows, cols], with each matrix's saved state.

        The smoothed sizes start at zero: what that costs is one factor for all rows, and the norm takes it out.
        """
        sizes = updates.square().mean(-1, keepdim=True)
        for state, size in zip(states, sizes, strict=True):
            state.setdefault("row_size", torch.zeros_like(size)).lerp_(size, 1 - self.beta2)
        smoothed = torch.stack([state["row_size"] for state in states])
        evened = updates / smoothed.clamp_min(1e-10).sqrt()
        before, after = (torch.linalg.matrix_norm(matrices, keepdim=True) for matrices in (updates, evened))
        kept: Tensor = evened * (before / after.clamp_min(1e-7))
        return kept
