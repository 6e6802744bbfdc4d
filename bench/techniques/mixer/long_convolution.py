"""Convolution with a filter as long as the window, for the mixers that have one.

Shapes: B batch, T time, C channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def long_convolution(h_CT: Tensor, x_CTB: Tensor) -> Tensor:
    """Each channel with a causal filter of its own: `y_t = sum_s h_s x_(t - s)`.

    As one matrix product per channel, with the taps repeated along diagonals: at 96 bytes that is the work of
    attention's sums. Channels come first, because each product is one channel's.
    """
    T = h_CT.size(1)
    # against time running backwards the matrix is constant along antidiagonals, which strides can say:
    # m[t, s] = h[t + s - (T - 1)]
    m_CTT = F.pad(h_CT, (T - 1, 0)).unfold(1, T, 1)
    return torch.bmm(m_CTT, x_CTB.flip(1))


def long_convolution_flops(channels: int, T: int) -> int:
    """Per token, the masked half counted too."""
    return 2 * channels * T


def long_convolution_reference(h_CT: Tensor, x_CTB: Tensor) -> Tensor:
    """The sum as it reads."""
    rows = []
    for t in range(x_CTB.size(1)):
        terms = [h_CT[:, s, None] * x_CTB[:, t - s] for s in range(t + 1)]
        rows.append(torch.stack(terms).sum(0))
    return torch.stack(rows, 1)
