"""Softmax attention with RoPE and normalised queries and keys (Vaswani et al. 2017; Su et al. 2021, arXiv:2104.09864).

`Attention` is the module of every attention mixer; each says which bytes a query may look at and how heads are divided.

Shapes: B batch, T time, D width, H query heads, G value heads, K head width.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.layers import Linear, Role, rms
from bench.skeleton import Context, Site

# Where modifiers attach, in the order in which they act; `Attention` says what each is called with.
ATTENTION_POINTS = frozenset({"rotation", "queries", "wide_values", "values", "mask", "heads", "gates"})


@dataclass(frozen=True, kw_only=True)
class Softmax:
    """Every byte looks back at every earlier byte of its window.

    Modifiers may replace the rotation of queries and keys, or change queries, values and each head's output.
    """

    slot: ClassVar = "mixer"
    name: ClassVar = "softmax"
    source: ClassVar = "arXiv:1706.03762"
    points: ClassVar = ATTENTION_POINTS

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module:
        return Attention(site, modifiers, causal)

    def flops(self, site: Site) -> int:
        return attention_flops(site, site.n_head)

    def parameters(self, site: Site) -> int:
        return attention_parameters(site, site.n_head)


def attention_flops(site: Site, kv_heads: int) -> int:
    """Forward FLOPs per token: four projections, and scores and sums over the whole window, masked or not."""
    return 2 * attention_parameters(site, kv_heads) + 4 * site.width * site.seq_len


def attention_parameters(site: Site, kv_heads: int) -> int:
    return 2 * site.width * (site.width + kv_heads * site.head_width)


# From queries, keys and values, per head, to what each head found. A mixer that has the point `mask` is given what that
# allows, [B, T, T], as a fourth: it sees no more than both allow.
Attend = Callable[..., Tensor]


class Attention(nn.Module):
    """Projections, norm and rotation around `attend`, which mixes the values; `site.n_head` heads of queries.

    Modifiers by point: `rotation(x_BHTK)` replaces that of queries and keys; `queries(q_BHTK)`, normed and rotated;
    `wide_values(v_BGTK, context)`, values that are together as wide as the model; `values(v_BGTK, context)`;
    `mask(context)`, bools [B, T, T]: what each query may look at of what the mixer allows, future excluded;
    `heads(y_BHTK, v_BGTK)`, heads of any number and width; `gates(y_BHTK, x_BTD)`, one head for each of the queries'.
    """

    def __init__(
        self,
        site: Site,
        modifiers: Sequence[nn.Module],
        attend: Attend,
        kv_heads: int | None = None,
        value_heads: int | None = None,
    ) -> None:
        """Keys and values have the queries' number of heads unless told; `value_heads` divides values another way."""
        super().__init__()
        self.n_head = site.n_head
        self.kv_heads = kv_heads or site.n_head
        self.value_heads = value_heads or self.kv_heads
        self.query = Linear(site.width, site.width)
        self.key = Linear(site.width, self.kv_heads * site.head_width)
        self.value = Linear(site.width, self.kv_heads * site.head_width)
        self.output = Linear(site.width, site.width, Role.OUTPUT)
        self.attend = attend
        rotations = at_point("rotation", modifiers)
        self.rotation = rotations[0] if rotations else Rotation(site.head_width, site.head_width, site.seq_len)
        self.queries = nn.ModuleList(at_point("queries", modifiers))
        self.values = nn.ModuleList(at_point("wide_values", modifiers) + at_point("values", modifiers))
        masks = at_point("mask", modifiers)
        self.mask = masks[0] if masks else None
        self.heads = nn.ModuleList(at_point("heads", modifiers))
        self.gates = nn.ModuleList(at_point("gates", modifiers))

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        B, T, D = x_BTD.shape
        q_BHTK, k_BHTK, v_BGTK = (
            part(x_BTD).view(B, T, heads, -1).transpose(1, 2)
            for part, heads in (
                (self.query, self.n_head),
                (self.key, self.kv_heads),
                (self.value, self.value_heads),
            )
        )
        q_BHTK, k_BHTK = self.rotation(rms(q_BHTK)), self.rotation(rms(k_BHTK))
        for modifier in self.queries:
            q_BHTK = modifier(q_BHTK)
        for modifier in self.values:
            v_BGTK = modifier(v_BGTK, context)
        masked = (self.mask(context),) if self.mask else ()
        y_BHTK = self.attend(q_BHTK, k_BHTK, v_BGTK, *masked)
        for modifier in self.heads:
            y_BHTK = modifier(y_BHTK, v_BGTK)
        for modifier in self.gates:
            y_BHTK = modifier(y_BHTK, x_BTD)
        y_BTD: Tensor = self.output(y_BHTK.transpose(1, 2).reshape(B, T, D))
        return y_BTD


def at_point(point: str, modifiers: Sequence[nn.Module]) -> list[nn.Module]:
    return [modifier for modifier in modifiers if modifier.point == point]


def causal(q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor, within_BTT: Tensor | None = None) -> Tensor:
    """Consecutive query heads share a head of keys and values where there are fewer of those."""
    shared = q_BHTK.size(1) // k_BGTK.size(1)
    if within_BTT is None:
        return F.scaled_dot_product_attention(q_BHTK, k_BGTK, v_BGTK, is_causal=True, enable_gqa=shared > 1)
    if shared > 1:
        # CUDA's fused kernel that takes a mask takes no groups: torch would write all scores down instead
        k_BGTK, v_BGTK = (t.repeat_interleave(shared, 1) for t in (k_BGTK, v_BGTK))
    return F.scaled_dot_product_attention(q_BHTK, k_BGTK, v_BGTK, attn_mask=within_BTT.unsqueeze(1))


class Masked(nn.Module):
    """Attention to those positions alone that a table allows: bools by query and key, one table or one per head.

    The fused kernel over the whole window, not a product per block of it: blocks of a window of 32 need as little as
    0.42 of the products, but they copy keys that overlap, and took 1.2 to 1.8 times as long (batch 32, one thread).
    """

    allowed: Tensor

    def __init__(self, allowed: Tensor) -> None:
        super().__init__()
        self.register_buffer("allowed", allowed, False)

    def forward(self, q_BHTK: Tensor, k_BHTK: Tensor, v_BHTK: Tensor, within_BTT: Tensor | None = None) -> Tensor:
        T = q_BHTK.size(-2)
        allowed = self.allowed[..., :T, :T]
        if within_BTT is not None:
            allowed = allowed & within_BTT.unsqueeze(1)
        return F.scaled_dot_product_attention(q_BHTK, k_BHTK, v_BHTK, attn_mask=allowed)


def bytes_back(seq_len: int) -> Tensor:
    """How far each key stands behind each query, [queries, keys]; negative in the future."""
    places = torch.arange(seq_len)
    return places.unsqueeze(1) - places


def softmax_reference(q_BHTK: Tensor, k_BHTK: Tensor, v_BHTK: Tensor) -> Tensor:
    """Causal attention one query at a time, as the formula reads."""
    y_BHTK = torch.zeros_like(v_BHTK)
    for t in range(q_BHTK.size(2)):
        scores = (k_BHTK[:, :, : t + 1] * q_BHTK[:, :, t : t + 1]).sum(-1) / math.sqrt(q_BHTK.size(-1))
        y_BHTK[:, :, t] = (scores.softmax(-1).unsqueeze(-1) * v_BHTK[:, :, : t + 1]).sum(-2)
    return y_BHTK


class _Turn(torch.autograd.Function):
    """Rotation by hand: the way back is the rotation the other way, in as few passes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return torch.addcmul(x * cos, _swapped(x), sin)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return torch.addcmul(_swapped(grad * sin), grad, cos), None, None


def _swapped(x: Tensor) -> Tensor:
    """The halves of the last axis, exchanged."""
    half = x.size(-1) // 2
    return torch.cat((x[..., half:], x[..., :half]), -1)


class Rotation(nn.Module):
    """Rotates `turned` of a head's `width` channels by an angle that grows with position.

    Channel j is paired with channel j + turned/2, at base^(-2j/turned) radians a position; the rest stay as they are.
    """

    point = "rotation"
    cos: Tensor
    sin: Tensor

    def __init__(self, width: int, turned: int, seq_len: int, base: float = 10_000.0) -> None:
        super().__init__()
        assert turned % 2 == 0, f"{turned} channels can't be paired"
        assert turned <= width, f"{turned} of {width} channels"
        self.turned, self.width = turned, width
        frequencies = base ** (-torch.arange(0, turned, 2, dtype=torch.float64) / turned)
        angles = torch.outer(torch.arange(seq_len, dtype=torch.float64), frequencies)
        cos, sin = angles.cos().float(), angles.sin().float()
        self.register_buffer("cos", torch.cat((cos, cos), -1), False)
        self.register_buffer("sin", torch.cat((sin, -sin), -1), False)

    def forward(self, x_BHTK: Tensor) -> Tensor:
        T = x_BHTK.size(-2)
        cos, sin = self.cos[:T].to(x_BHTK.dtype), self.sin[:T].to(x_BHTK.dtype)
        if self.turned == self.width:
            return _Turn.apply(x_BHTK, cos, sin)  # type: ignore[no-any-return, no-untyped-call]
        moving, still = torch.split(x_BHTK, [self.turned, self.width - self.turned], -1)
        return torch.cat((_Turn.apply(moving, cos, sin), still), -1)  # type: ignore[no-untyped-call]
