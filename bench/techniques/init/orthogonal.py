"""Orthogonal initialisation of the matrices inside blocks (Saxe et al. 2013, arXiv:1312.6120)."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from bench.knobs import Span, knob
from bench.layers import Param, Role
from bench.techniques.init.zero_output import ZeroOutput
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Orthogonal:
    """Every singular value of a matrix starts at `gain`; the rest as `zero_output` has it."""

    slot: ClassVar = "init"
    name: ClassVar = "orthogonal"
    source: ClassVar = "arXiv:1312.6120"
    prior: ClassVar = Prior(-1, "B", "wanted by SmearGate in Parameter Golf's March records")

    gain: float = knob(1.0, Span(0.3, 2.0, log=True), "the singular values")
    embedding_std: float = knob(0.3, Span(0.01, 1.0, log=True), "spread of the embedding's numbers")

    def fill(self, param: Param, generator: torch.Generator) -> None:
        """Starting values of one tensor, in place."""
        if param.role is Role.MATRIX:
            torch.nn.init.orthogonal_(param.tensor, self.gain, generator=generator)
        else:
            ZeroOutput(embedding_std=self.embedding_std).fill(param, generator)
