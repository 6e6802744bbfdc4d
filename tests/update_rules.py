"""What comparing an optimizer with its rule needs: tensors of each kind, gradients, AdamW and Muon by hand."""

import math

import numpy as np
import torch
from torch import nn

from bench.layers import Embedding, Linear, Params, Role
from bench.techniques.optimizer.muon import NEWTON_SCHULZ_STEPS, QUINTIC

STEPS = 6


class Holder(nn.Module):
    """Two matrices, tall and wide, an embedding, a head and a vector."""

    def __init__(self):
        super().__init__()
        self.embedding, self.tall, self.wide = Embedding(4, 3), Linear(3, 7), Linear(5, 2, Role.OUTPUT)
        self.head, self.gain = Linear(3, 4, Role.HEAD), nn.Parameter(torch.ones(5))
        self.double()
        noise = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for p in self.parameters():
                p.normal_(generator=noise)


def gradients(model):
    """STEPS gradients for every tensor, by name."""
    noise = np.random.default_rng(1)
    return {name: noise.normal(size=(STEPS, *p.shape)) for name, p in model.named_parameters()}


def moved(technique, modifiers=()):
    """Where a technique takes the tensors: before, the gradients it met, after; by name."""
    model = Holder()
    before = {name: p.detach().numpy().copy() for name, p in model.named_parameters()}
    met = gradients(model)
    optimizer = technique.build(Params(model), modifiers)
    for step in range(STEPS):
        for name, p in model.named_parameters():
            p.grad = torch.from_numpy(met[name][step].copy())
        optimizer.step()
    return before, met, {name: p.detach().numpy() for name, p in model.named_parameters()}


def adamw_by_hand(w, gs, lr, beta1, beta2, weight_decay):
    m = v = np.zeros_like(w)
    for t, g in enumerate(gs, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        w = w - lr * (m_hat / (np.sqrt(v_hat) + 1e-8) + weight_decay * w)
    return w


def decayed_everywhere(w, update, share):
    return w - share * w


def polynomials(s, rounds):
    for a, b, c in rounds:
        s = a * s + b * s**3 + c * s**5
    return s


def five_times_quintic(s):
    return polynomials(s, (QUINTIC,) * NEWTON_SCHULZ_STEPS)


def orthogonal_by_hand(direction):
    """Through the singular values themselves instead of products of matrices."""
    u, s, vt = np.linalg.svd(direction, full_matrices=False)
    return u * five_times_quintic(s / (np.linalg.norm(direction) + 1e-7)) @ vt


def muon_by_hand(
    w,
    gs,
    lr,
    momentum,
    weight_decay,
    orthogonal=orthogonal_by_hand,
    changed=lambda update: update,
    decayed=decayed_everywhere,
):
    m = np.zeros_like(w)
    for g in gs:
        m = momentum * m + g
        update = changed(orthogonal(g + momentum * m))
        w = decayed(w, update, lr * weight_decay)
        w = w - lr * math.sqrt(max(1, w.shape[0] / w.shape[1])) * update
    return w


def assert_follows(technique, by_hand, modifiers=(), **settings):
    before, met, after = moved(technique, modifiers)
    for name in before:
        np.testing.assert_allclose(after[name], by_hand(before[name], met[name], **settings), rtol=1e-9, atol=1e-12)
