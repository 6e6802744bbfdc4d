"""NoPE: no positional encoding at all (Kazemnejad et al. 2023, arXiv:2305.19466)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.skeleton import Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class Nope:
    """The causal mask alone tells positions apart."""

    slot: ClassVar = "mixer_modifiers"
    name: ClassVar = "nope"
    source: ClassVar = "arXiv:2305.19466"
    point: ClassVar = "rotation"
    prior: ClassVar = Prior(0, "D", "length generalisation, not loss at one length")

    def build(self, site: Site) -> nn.Module:
        return NoRotation()

    def flops(self, site: Site) -> int:
        return 0

    def parameters(self, site: Site) -> int:
        return 0


class NoRotation(nn.Module):
    point = "rotation"

    def forward(self, x_BHTK: Tensor) -> Tensor:
        return x_BHTK
