"""The start of Parameter Golf's baseline: torch's usual matrices, outputs at zero, a small embedding."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from bench.knobs import Span, knob
from bench.layers import Param, Role


@dataclass(frozen=True, kw_only=True)
class NarrowUniform:
    """Matrices and filters uniform within 1/sqrt(n_in), a third of unit variance; outputs, head and tables zero.

    A tied embedding makes the first logits, so it starts small: the first loss is then near that of guessing.
    """

    slot: ClassVar = "init"
    name: ClassVar = "narrow_uniform"
    source: ClassVar = "Parameter Golf's baseline"

    embedding_std: float = knob(0.005, Span(0.001, 1.0, log=True), "spread of the embedding's numbers")

    def fill(self, param: Param, generator: torch.Generator) -> None:
        """Starting values of one tensor, in place; vectors keep what their module gave them."""
        match param.role:
            case Role.MATRIX | Role.FILTER:
                bound = 1 / math.sqrt(param.tensor.size(1))
                torch.nn.init.uniform_(param.tensor, -bound, bound, generator=generator)
            case Role.EMBEDDING:
                torch.nn.init.normal_(param.tensor, std=self.embedding_std, generator=generator)
            case Role.OUTPUT | Role.HEAD | Role.TABLE:
                torch.nn.init.zeros_(param.tensor)
            case Role.VECTOR:
                pass
