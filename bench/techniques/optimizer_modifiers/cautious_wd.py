"""Cautious weight decay: only where the step goes the same way (Chen et al. 2025, arXiv:2510.12402)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class CautiousWd:
    """A weight decays when the update shrinks it anyway; decay never works against the gradient.

    Bears a larger weight_decay than decay everywhere does.
    """

    slot: ClassVar = "optimizer_modifiers"
    name: ClassVar = "cautious_wd"
    source: ClassVar = "arXiv:2510.12402"
    point: ClassVar = "decay"
    prior: ClassVar = Prior(-1, "C", "about 40 steps fewer in modded-nanogpt")

    def decay(self, p: Tensor, update: Tensor, share: float) -> None:
        """In place; `update` is what is subtracted next."""
        agreeing = (p * update >= 0).to(p.dtype)
        p.addcmul_(p, agreeing, value=-share)
