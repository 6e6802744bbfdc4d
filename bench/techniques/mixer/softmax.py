"""Softmax attention with RoPE and normalised queries and keys (Vaswani et al. 2017; Su et al. 2021, arXiv:2104.09864).

Shapes: B batch, T time, D width, H heads, K head width.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.layers import Linear, Role, rms
from bench.skeleton import Context, Site


@dataclass(frozen=True, kw_only=True)
class Softmax:
    """Every byte looks back at every earlier byte of its window.

    Modifiers may replace the rotation of queries and keys, or change each head's output.
    """

    slot: ClassVar = "mixer"
    name: ClassVar = "softmax"
    source: ClassVar = "arXiv:1706.03762"
    points: ClassVar = frozenset({"rotation", "heads"})

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module:
        return SoftmaxMixer(site, modifiers)

    def flops(self, site: Site) -> int:
        """Forward FLOPs per token: four projections, and scores and sums over the whole window."""
        return 8 * site.width**2 + 4 * site.width * site.seq_len

    def parameters(self, site: Site) -> int:
        return 4 * site.width**2


class SoftmaxMixer(nn.Module):
    def __init__(self, site: Site, modifiers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.n_head = site.n_head
        self.query = Linear(site.width, site.width)
        self.key = Linear(site.width, site.width)
        self.value = Linear(site.width, site.width)
        self.output = Linear(site.width, site.width, Role.OUTPUT)
        rotations = [modifier for modifier in modifiers if modifier.point == "rotation"]
        self.rotation = rotations[0] if rotations else Rotation(site.head_width, site.head_width, site.seq_len)
        self.heads = nn.ModuleList(modifier for modifier in modifiers if modifier.point == "heads")

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        B, T, D = x_BTD.shape
        q_BHTK, k_BHTK, v_BHTK = (
            part(x_BTD).view(B, T, self.n_head, -1).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        q_BHTK, k_BHTK = self.rotation(rms(q_BHTK)), self.rotation(rms(k_BHTK))
        y_BHTK = F.scaled_dot_product_attention(q_BHTK, k_BHTK, v_BHTK, is_causal=True)
        for modifier in self.heads:
            y_BHTK = modifier(y_BHTK, v_BHTK)
        y_BTD: Tensor = self.output(y_BHTK.transpose(1, 2).reshape(B, T, D))
        return y_BTD


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
