"""Spectral initialisation: sizes that keep features learning at every width (Yang et al. 2023, arXiv:2310.17813)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from bench.knobs import Span, knob
from bench.layers import Param, Role
from bench.techniques.init.zero_output import ZeroOutput
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Spectral:
    """Normal matrices scaled to spectral norm `gain sqrt(n_out / n_in)`; the rest as `zero_output` has it.

    Outputs get a gain of their own: at 0 blocks start as the identity, at 1 they are as the paper has them.
    """

    slot: ClassVar = "init"
    name: ClassVar = "spectral"
    source: ClassVar = "arXiv:2310.17813"
    prior: ClassVar = Prior(0, "D", "no result at this size")

    gain: float = knob(1.0, Span(0.3, 3.0, log=True), "spectral norm in units of sqrt(n_out / n_in)")
    output_gain: float = knob(0.0, Span(0.0, 1.0), "the same for matrices that add to the stream")
    embedding_std: float = knob(0.3, Span(0.01, 1.0, log=True), "spread of the embedding's numbers")

    def fill(self, param: Param, generator: torch.Generator) -> None:
        """Starting values of one tensor, in place."""
        match param.role:
            case Role.MATRIX:
                fill_to_norm(param.tensor, self.gain, generator)
            case Role.OUTPUT:
                fill_to_norm(param.tensor, self.output_gain, generator)
            case _:
                ZeroOutput(embedding_std=self.embedding_std).fill(param, generator)


def fill_to_norm(weight: torch.Tensor, gain: float, generator: torch.Generator) -> None:
    """Normal numbers in place, scaled to spectral norm `gain sqrt(n_out / n_in)`."""
    n_out, n_in = weight.shape
    torch.nn.init.normal_(weight, generator=generator)
    weight.mul_(gain * math.sqrt(n_out / n_in) / torch.linalg.matrix_norm(weight, ord=2))
