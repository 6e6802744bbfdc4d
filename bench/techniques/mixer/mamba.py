"""Mamba: a state space whose step, input and readout depend on the byte read (Gu & Dao 2023, arXiv:2312.00752).

Shapes: B batch, T time, D width, I inner channels, N states per channel, R rank of the step,
S bytes of a block.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from bench.knobs import Choice, Span, knob
from bench.layers import Filter, Linear, Role
from bench.skeleton import Context, Site

TAPS = 4
# Section 3.6 of the paper: steps start log-uniform between these.
FIRST_STEPS = (1e-3, 1e-1)


@dataclass(frozen=True, kw_only=True)
class Mamba:
    """Each channel keeps N fading sums of what it read, and every byte says how fast they fade and what they take in.

    The filter of four taps before the scan has no bias, and steps start evenly spread instead of drawn.
    """

    slot: ClassVar = "mixer"
    name: ClassVar = "mamba"
    source: ClassVar = "arXiv:2312.00752"
    points: ClassVar = frozenset[str]()

    expand: float = knob(1.5, Choice((1.0, 1.25, 1.5, 1.75)), "inner channels as a multiple of the width")
    n_state: int = knob(8, Choice((4, 8, 16)), "fading sums per inner channel")
    rank: int = knob(8, Span(2, 8), "numbers a byte sets the steps of all channels with")

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module:
        return MambaMixer(site.width, self._inner(site), self.n_state, self.rank)

    def flops(self, site: Site) -> int:
        """Five projections, and of the scan what it does as products: input times `take`, states times `read`."""
        inner = self._inner(site)
        linear = 3 * site.width + 2 * self.rank + 2 * self.n_state
        return 2 * inner * linear + 4 * self.n_state * inner

    def unseen_flops(self, site: Site) -> int:
        """Per state: step times rate, its exponential, state times that; per channel: step times input."""
        return (3 * self.n_state + 1) * self._inner(site)

    def parameters(self, site: Site) -> int:
        inner = self._inner(site)
        linear = 3 * site.width + 2 * self.rank + 2 * self.n_state
        return inner * (linear + TAPS + self.n_state + 2)

    def _inner(self, site: Site) -> int:
        return int(self.expand * site.width)


class MambaMixer(nn.Module):
    vectors = ("rate_log_NI",)

    def __init__(self, width: int, inner: int, n_state: int, rank: int) -> None:
        super().__init__()
        self.split = (rank, n_state, n_state)
        self.input = Linear(width, 2 * inner)
        self.short = Filter(inner, TAPS)
        self.select = Linear(inner, rank + 2 * n_state)
        self.step = Linear(rank, inner)
        first, last = (math.log(step) for step in FIRST_STEPS)
        # what softplus turns into the steps
        self.step_bias_I = nn.Parameter(
            torch.linspace(first, last, inner, dtype=torch.float64).exp().expm1().log().float()
        )
        self.rate_log_NI = nn.Parameter(torch.arange(1.0, n_state + 1).log().unsqueeze(1).repeat(1, inner))
        self.skip_I = nn.Parameter(torch.ones(inner))
        self.output = Linear(inner, width, Role.OUTPUT)

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        u_BTI, gate_BTI = self.input(x_BTD).chunk(2, -1)
        u_BTI = F.silu(self.short(u_BTI))
        low_BTR, take_BTN, read_BTN = self.select(u_BTI).split(self.split, -1)
        step_BTI = F.softplus(self.step(low_BTR) + self.step_bias_I)
        y_BTI = selective_scan(step_BTI, u_BTI, -self.rate_log_NI.exp(), take_BTN, read_BTN)
        y_BTI = torch.addcmul(y_BTI, self.skip_I, u_BTI) * F.silu(gate_BTI)
        y_BTD: Tensor = self.output(y_BTI)
        return y_BTD


def selective_scan(step_BTI: Tensor, u_BTI: Tensor, rate_NI: Tensor, take_BTN: Tensor, read_BTN: Tensor) -> Tensor:
    """`h = exp(step rate) h + step u take` for each channel and state, from zero; gives `sum_N read h`."""
    return _Scan.apply(step_BTI, u_BTI, rate_NI, take_BTN, read_BTN)  # type: ignore[no-any-return, no-untyped-call]


def mamba_reference(step_BTI: Tensor, u_BTI: Tensor, rate_NI: Tensor, take_BTN: Tensor, read_BTN: Tensor) -> Tensor:
    """The scan as the formula reads."""
    h_BNI = step_BTI.new_zeros(len(u_BTI), *rate_NI.shape)
    outputs = []
    for t in range(u_BTI.size(1)):
        fade_BNI = torch.exp(step_BTI[:, t, None] * rate_NI)
        taken_BI = step_BTI[:, t] * u_BTI[:, t]
        h_BNI = fade_BNI * h_BNI + take_BTN[:, t, :, None] * taken_BI[:, None]
        outputs.append((read_BTN[:, t, :, None] * h_BNI).sum(1))
    return torch.stack(outputs, 1)


LOG2_E = 1 / math.log(2)
# Bytes whose states the way back holds at once.
BLOCK = 8


class _Scan(torch.autograd.Function):
    """One byte after the other over all rows, channels and states at once, and the way back by hand.

    The state of a byte stays in cache, and that decides: on one core, with 16 states, a scan in chunks over the whole
    window took about ten times as long forward and back, a Hillis-Steele scan thirty times, this loop under autograd
    twice.
    Only the state before each block is kept: new memory for all of them costs more than computing them again.
    """

    @staticmethod
    def forward(
        ctx: Any, step_BTI: Tensor, u_BTI: Tensor, rate_NI: Tensor, take_BTN: Tensor, read_BTN: Tensor
    ) -> Tensor:
        # base 2, because exp2 takes half as long as exp
        rate2_NI = rate_NI * LOG2_E
        taken_BTI = step_BTI * u_BTI
        h_BNI = step_BTI.new_zeros(len(u_BTI), *rate_NI.shape)
        fade_BNI = torch.empty_like(h_BNI)
        kept, outputs = [], []
        positions = zip(_rows(step_BTI), _rows(taken_BTI), _columns(take_BTN), _rows(read_BTN), strict=True)
        for t, (step_B1I, taken_B1I, take_BN1, read_B1N) in enumerate(positions):
            if t % BLOCK == 0:
                kept.append(h_BNI.clone())
            torch.mul(step_B1I, rate2_NI, out=fade_BNI).exp2_()
            # written out like this, because torch's counter doesn't see baddbmm_
            torch.baddbmm(h_BNI.mul_(fade_BNI), take_BN1, taken_B1I, out=h_BNI)
            outputs.append(torch.bmm(read_B1N, h_BNI))
        ctx.save_for_backward(step_BTI, u_BTI, rate_NI, take_BTN, read_BTN, *kept)
        return torch.cat(outputs, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_BTI: Tensor) -> tuple[Tensor, ...]:
        step_BTI, u_BTI, rate_NI, take_BTN, read_BTN, *kept = ctx.saved_tensors
        taken_BTI = step_BTI * u_BTI
        T = u_BTI.size(1)
        h_SBNI = step_BTI.new_empty(BLOCK + 1, *kept[0].shape)
        fade_SBNI = torch.empty_like(h_SBNI[1:])
        grad_h_BNI, grad_rate_BNI = torch.zeros_like(kept[0]), torch.zeros_like(kept[0])
        step, taken, grad = (_rows(part) for part in (step_BTI, taken_BTI, grad_BTI))
        take, read = _columns(take_BTN), _columns(read_BTN)
        found: list[tuple[Tensor, ...]] = []
        for block in reversed(range(len(kept))):
            start, end = block * BLOCK, min((block + 1) * BLOCK, T)
            h_SBNI[0] = kept[block]
            _states_again(h_SBNI, fade_SBNI, rate_NI * LOG2_E, step[start:end], taken[start:end], take[start:end])
            for t in reversed(range(start, end)):
                h_BNI, before_BNI, fade_BNI = h_SBNI[t - start + 1], h_SBNI[t - start], fade_SBNI[t - start]
                grad_read_B1N = torch.bmm(grad[t], h_BNI.mT)
                torch.baddbmm(grad_h_BNI, read[t], grad[t], out=grad_h_BNI)
                grad_taken_B1I = torch.bmm(take[t].mT, grad_h_BNI)
                grad_take_B1N = torch.bmm(taken[t], grad_h_BNI.mT)
                # from here on the gradient of the state before
                grad_h_BNI.mul_(fade_BNI)
                faded_BNI = torch.mul(before_BNI, grad_h_BNI, out=fade_BNI)
                grad_rate_BNI.addcmul_(faded_BNI, step[t])
                grad_step_B1I = faded_BNI.mul_(rate_NI).sum(1, keepdim=True)
                found.append((grad_step_B1I, grad_taken_B1I, grad_take_B1N, grad_read_B1N))
        grad_step_BTI, grad_taken_BTI, grad_take_BTN, grad_read_BTN = (
            torch.cat(parts[::-1], 1) for parts in zip(*found, strict=True)
        )
        grad_step_BTI.addcmul_(grad_taken_BTI, u_BTI)
        return grad_step_BTI, grad_taken_BTI * step_BTI, grad_rate_BNI.sum(0), grad_take_BTN, grad_read_BTN


def _states_again(
    h_SBNI: Tensor,
    fade_SBNI: Tensor,
    rate2_NI: Tensor,
    step: Sequence[Tensor],
    taken: Sequence[Tensor],
    take: Sequence[Tensor],
) -> None:
    """The states of one block from the one before it, in place, and the factors between them."""
    for t, (step_B1I, taken_B1I, take_BN1) in enumerate(zip(step, taken, take, strict=True)):
        torch.mul(step_B1I, rate2_NI, out=fade_SBNI[t]).exp2_()
        # not as a product: torch's counter would take the second computing for more training FLOPs
        torch.mul(h_SBNI[t], fade_SBNI[t], out=h_SBNI[t + 1]).addcmul_(take_BN1, taken_B1I)


def _rows(x_BTN: Tensor) -> tuple[Tensor, ...]:
    """Each position's numbers as matrices of one row."""
    return x_BTN.unsqueeze(2).unbind(1)


def _columns(x_BTN: Tensor) -> tuple[Tensor, ...]:
    """Each position's numbers as matrices of one column."""
    return x_BTN.unsqueeze(3).unbind(1)
