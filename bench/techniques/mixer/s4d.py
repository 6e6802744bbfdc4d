"""A diagonal state space (Gu et al. 2022, S4D, arXiv:2206.11893) with the LRU's parameters (arXiv:2303.06349).

Shapes: B batch, T time, D width, I inner channels, N complex states per channel.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.knobs import Choice, Span, knob
from bench.layers import Linear, Role
from bench.skeleton import Context, Site
from bench.techniques.mixer.long_convolution import long_convolution, long_convolution_flops


@dataclass(frozen=True, kw_only=True)
class S4d:
    """Each channel feeds N damped oscillators and reads their weighted sum; a gate beside it sees the content.

    The same at every byte, so the recurrence is a filter. Rates start as S4D-Lin's; parameters and the normalised input
    are the LRU's (Orvieto et al. 2023): training moves the logarithm of the decay per byte, so that no state can grow.
    """

    slot: ClassVar = "mixer"
    name: ClassVar = "s4d"
    source: ClassVar = "arXiv:2206.11893"
    points: ClassVar = frozenset[str]()

    expand: float = knob(1.5, Choice((1.0, 1.25, 1.5)), "inner channels as a multiple of the width")
    n_state: int = knob(8, Choice((4, 8, 16, 32)), "oscillators per inner channel")
    shortest: float = knob(4.0, Span(1.0, 20.0, log=True), "bytes until the fastest channel has forgotten all but 1/e")

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module:
        return S4dMixer(site.width, self._inner(site), self.n_state, self.shortest, site.seq_len)

    def flops(self, site: Site) -> int:
        """Three projections and a convolution over the whole window."""
        inner = self._inner(site)
        return 6 * site.width * inner + long_convolution_flops(inner, site.seq_len)

    def unseen_flops(self, site: Site) -> int:
        """Writing the filters, done once for all rows of a batch and counted as if there were one row.

        Per oscillator two products with the position, an exponential, a sine and a cosine, and a weighted sum of them.
        """
        return 10 * self.n_state * self._inner(site)

    def parameters(self, site: Site) -> int:
        inner = self._inner(site)
        return inner * (3 * site.width + 4 * self.n_state + 1)

    def _inner(self, site: Site) -> int:
        return int(self.expand * site.width)


class S4dMixer(nn.Module):
    def __init__(self, width: int, inner: int, n_state: int, shortest: float, seq_len: int) -> None:
        super().__init__()
        self.input = Linear(width, 2 * inner)
        self.states = Oscillators(inner, n_state, shortest, seq_len)
        self.skip_I = nn.Parameter(torch.ones(inner))
        self.output = Linear(inner, width, Role.OUTPUT)

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        u_BTI, gate_BTI = self.input(x_BTD).chunk(2, -1)
        u_ITB = u_BTI.permute(2, 1, 0).contiguous()
        y_BTI = long_convolution(self.states(x_BTD.size(1)), u_ITB).permute(2, 1, 0)
        y_BTI = torch.addcmul(y_BTI, self.skip_I, u_BTI) * F.silu(gate_BTI)
        y_BTD: Tensor = self.output(y_BTI)
        return y_BTD


class Oscillators(nn.Module):
    """What each channel's states answer to a single 1: the filter that the recurrence amounts to."""

    vectors = ("decay_log_IN", "turn_IN")
    # the readout: drawn at the start like taps, which it is a sum of
    role = Role.FILTER

    def __init__(self, inner: int, n_state: int, shortest: float, seq_len: int) -> None:
        super().__init__()
        memory_I = torch.logspace(math.log10(shortest), math.log10(seq_len), inner, dtype=torch.float64)
        decay_IN = (1 / memory_I)[:, None].expand(inner, n_state)
        # S4D-Lin: the n-th state turns by pi n while the channel's clock, at half a decay, advances by one
        turn_IN = 2 * math.pi * decay_IN * torch.arange(n_state, dtype=torch.float64)
        self.decay_log_IN = nn.Parameter(decay_IN.log().float())
        self.turn_IN = nn.Parameter(turn_IN.float())
        self.weight = nn.Parameter(torch.zeros(inner, 2 * n_state))

    def forward(self, T: int) -> Tensor:
        """The first T taps of every channel, [I, T]."""
        real_IN, imaginary_IN = self.readout()
        time_T = torch.arange(T, dtype=self.weight.dtype, device=self.weight.device)
        fade_INT = (-self.decay_log_IN.exp()[..., None] * time_T).exp()
        angle_INT = self.turn_IN[..., None] * time_T
        turned_INT = real_IN[..., None] * angle_INT.cos() - imaginary_IN[..., None] * angle_INT.sin()
        return (fade_INT * turned_INT).sum(1)

    def readout(self) -> tuple[Tensor, Tensor]:
        """Real and imaginary weights of the states, which take in the input times `sqrt(1 - |lambda|^2)`.

        That keeps a state's energy at its input's, however slowly it fades.
        """
        gain_IN = (1 - (-2 * self.decay_log_IN.exp()).exp()).sqrt()
        real_IN, imaginary_IN = self.weight.chunk(2, 1)
        return gain_IN * real_IN, gain_IN * imaginary_IN


def s4d_reference(decay_IN: Tensor, turn_IN: Tensor, real_IN: Tensor, imaginary_IN: Tensor, u_BTI: Tensor) -> Tensor:
    """The recurrence byte by byte: every state turns, fades and takes in what is read."""
    fade_IN, cos_IN, sin_IN = (-decay_IN).exp(), turn_IN.cos(), turn_IN.sin()
    p_BIN = q_BIN = u_BTI.new_zeros(len(u_BTI), *decay_IN.shape)
    outputs = []
    for t in range(u_BTI.size(1)):
        p_BIN, q_BIN = (
            fade_IN * (cos_IN * p_BIN - sin_IN * q_BIN) + u_BTI[:, t, :, None],
            fade_IN * (sin_IN * p_BIN + cos_IN * q_BIN),
        )
        outputs.append((real_IN * p_BIN - imaginary_IN * q_BIN).sum(-1))
    return torch.stack(outputs, 1)
