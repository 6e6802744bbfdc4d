"""Blocks that start as the identity: output projections and head zero (Zhang et al. 2019, Fixup, arXiv:1901.09321)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from bench.knobs import Span, knob
from bench.layers import Param, Role


@dataclass(frozen=True, kw_only=True)
class ZeroOutput:
    """Matrices and filters uniform with variance 1/n_in; outputs, head and tables zero; embedding normal."""

    slot: ClassVar = "init"
    name: ClassVar = "zero_output"
    source: ClassVar = "arXiv:1901.09321"

    embedding_std: float = knob(0.3, Span(0.01, 1.0, log=True), "spread of the embedding's numbers")

    def fill(self, param: Param, generator: torch.Generator) -> None:
        """Starting values of one tensor, in place; vectors keep what their module gave them."""
        match param.role:
            case Role.MATRIX | Role.FILTER:
                bound = math.sqrt(3 / param.tensor.size(1))
                torch.nn.init.uniform_(param.tensor, -bound, bound, generator=generator)
            case Role.EMBEDDING:
                torch.nn.init.normal_(param.tensor, std=self.embedding_std, generator=generator)
            case Role.OUTPUT | Role.HEAD | Role.TABLE:
                torch.nn.init.zeros_(param.tensor)
            case Role.VECTOR:
                pass
