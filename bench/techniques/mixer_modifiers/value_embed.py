"""Value embeddings: each byte's own row added to its values (Parameter Golf #414; from modded-nanogpt).

Shapes: B batch, T time, D width, G value heads, K head width.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Embedding, Role
from bench.skeleton import Context, Site
from bench.techniques.technique import Prior


@dataclass(frozen=True, kw_only=True)
class ValueEmbed:
    """`v_t <- v_t + table[byte_t]` in the last layers, each with a table of its own that starts at zero.

    #414 shares one table between layers and projects it. With 256 bytes a table costs no more than that projection
    would, and no FLOPs, so here each layer has its own. It needs values as wide as the model.
    """

    slot: ClassVar = "mixer_modifiers"
    name: ClassVar = "value_embed"
    source: ClassVar = "Parameter Golf #414"
    point: ClassVar = "wide_values"
    prior: ClassVar = Prior(-1, "B", "small and in a bundle, last 2 of 11 layers")

    # four tables bring the baseline to 983,040 parameters of the 1,000,000 allowed
    layers: int = knob(2, Span(1, 4), "how many of the last layers have it")

    def build(self, site: Site) -> nn.Module | None:
        return ByteValues(site) if self.parameters(site) else None

    def flops(self, site: Site) -> int:
        return 0  # a look-up

    def parameters(self, site: Site) -> int:
        return site.vocab * site.width if site.layer >= site.n_layer - self.layers else 0


class ByteValues(nn.Module):
    point = "wide_values"

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.table = Embedding(site.vocab, site.width, Role.TABLE)

    def forward(self, v_BGTK: Tensor, context: Context) -> Tensor:
        B, G, T, K = v_BGTK.shape
        e_BTGK: Tensor = self.table(context.tokens_BT).view(B, T, G, K)
        return v_BGTK + e_BTGK.transpose(1, 2)
