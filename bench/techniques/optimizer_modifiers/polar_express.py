"""Polar Express: Muon's iteration with the best polynomial for each round (Amsel et al. 2025, arXiv:2505.16932)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.techniques.optimizer.muon import orthogonalised
from bench.techniques.technique import Clash, Prior

# Minimax for singular values from 0.001 to 1, five rounds, each for the interval the one before leaves; with a
# safety factor of 1.02 (as modded-nanogpt runs them).
ROUNDS = (
    (8.1566, -22.4833, 15.8788),
    (4.0429, -2.8089, 0.5000),
    (3.8917, -2.7725, 0.5061),
    (3.2858, -2.3681, 0.4645),
    (2.3465, -1.7098, 0.4232),
)


@dataclass(frozen=True, kw_only=True)
class PolarExpress:
    """Singular values end nearer to 1 than with one fixed polynomial, at the same cost."""

    slot: ClassVar = "optimizer_modifiers"
    name: ClassVar = "polar_express"
    source: ClassVar = "arXiv:2505.16932"
    point: ClassVar = "orthogonaliser"
    prior: ClassVar = Prior(0, "C", "+0.0004 BPB in Parameter Golf #1516; ten steps fewer in modded-nanogpt")
    clashes: ClassVar = (Clash("turbo_muon", "both replace the iteration", "both attach at the same point", hard=True),)

    def orthogonaliser(self, matrices: Tensor) -> Tensor:
        """[n, rows, cols]"""
        return orthogonalised(matrices, safely_below_one, ROUNDS)


def safely_below_one(x: Tensor) -> Tensor:
    """The first polynomials are steep: rounding must not lift a singular value out of their interval."""
    norm: Tensor = torch.linalg.matrix_norm(x, keepdim=True)
    return x / (1.02 * norm + 1e-6)
