"""Overtone: an embedding's singular values as a power of their rank (techniques.md 6.6; Parameter Golf #60)."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from bench.knobs import Span, knob
from bench.layers import Param, Role
from bench.techniques.init.narrow_uniform import NarrowUniform
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Overtone:
    """Singular value k of the drawn embedding becomes the first one times `k ** -power`; the rest as `narrow_uniform`.

    A few directions stand out from the start, where a drawn table has all of about one size.
    """

    slot: ClassVar = "init"
    name: ClassVar = "overtone"
    source: ClassVar = "Parameter Golf #60"
    prior: ClassVar = Prior(0, "C", "part of 1.1748 BPB, dropped by later records")

    embedding_std: float = knob(0.005, Span(1e-3, 0.3, log=True), "spread of the embedding before its values change")
    power: float = knob(0.5, Span(0.0, 1.0), "how fast they fall; at 0 all are the first")

    def fill(self, param: Param, generator: torch.Generator) -> None:
        """Starting values of one tensor, in place."""
        NarrowUniform(embedding_std=self.embedding_std).fill(param, generator)
        if param.role is Role.EMBEDDING:
            left, values, right = torch.linalg.svd(param.tensor.double(), full_matrices=False)
            ranks = torch.arange(1, len(values) + 1, dtype=values.dtype, device=values.device)
            param.tensor.copy_(left @ torch.diag(values[0] * ranks**-self.power) @ right)
