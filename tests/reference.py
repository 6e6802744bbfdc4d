"""What every comparison of a fast form with a slow one needs: float64 noise, a context, equal outputs and gradients."""

import torch
from torch import Tensor

from bench.layers import RMS_EPS
from bench.skeleton import Context, Site

HERE = Site(width=18, n_head=3, layer=0, n_layer=4, seq_len=13, vocab=256)


def noise(*shape, seed=0) -> Tensor:
    drawn = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return drawn.requires_grad_()


def text(B, T):
    return Context(torch.randint(1, 256, (B, T), generator=torch.Generator().manual_seed(0)), progress=1.0)


def assert_same(fast: Tensor, slow: Tensor, inputs, **tolerance):
    """Equal outputs, and equal gradients of an arbitrary sum of them."""
    torch.testing.assert_close(fast, slow, **tolerance)
    weights = torch.randn(fast.shape, dtype=fast.dtype, generator=torch.Generator().manual_seed(9))
    grads = [torch.autograd.grad((y * weights).sum(), inputs) for y in (fast, slow)]
    for fast_grad, slow_grad in zip(*grads, strict=True):
        torch.testing.assert_close(fast_grad, slow_grad, **tolerance)


def by_formula_rms(x: Tensor) -> Tensor:
    return x / ((x**2).sum(-1, keepdim=True) / x.size(-1) + RMS_EPS).sqrt()


def site(seq_len: int, layer: int = 0) -> Site:
    """Where a module of Featherweight's skeleton is built."""
    return Site(128, 4, layer, 4, seq_len, 256)
