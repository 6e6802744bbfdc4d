"""Adam-mini, SGD, SOAP and Sophia-H against their rules written out slowly, in float64, from the papers."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from update_rules import adamw_by_hand, assert_follows, moved

from bench.layers import Linear, Params, Role
from bench.techniques.optimizer.adam_mini import AdamMini
from bench.techniques.optimizer.sgd import Sgd
from bench.techniques.optimizer.soap import Soap, turn_on
from bench.techniques.optimizer.sophia_h import SophiaH, hessian_times, hutchinson
from bench.training import Moment, mean_nats

ADAM = {"lr": 0.01, "beta1": 0.85, "beta2": 0.97, "weight_decay": 0.3}


def adam_mini_by_hand(w, gs, lr, beta1, beta2, weight_decay):
    """One block a row; a vector is one row."""
    rows, m = w.reshape(-1, w.shape[-1]), np.zeros((w.size // w.shape[-1], w.shape[-1]))
    v = [0.0] * len(rows)
    for t, g in enumerate(gs, start=1):
        g = g.reshape(rows.shape)
        m = beta1 * m + (1 - beta1) * g
        moved_rows = []
        for block in range(len(rows)):
            v[block] = beta2 * v[block] + (1 - beta2) * sum(x**2 for x in g[block]) / len(g[block])
            length = lr / (math.sqrt(v[block] / (1 - beta2**t)) + 1e-8)
            moved_rows.append(rows[block] - lr * weight_decay * rows[block] - length * m[block] / (1 - beta1**t))
        rows = np.array(moved_rows)
    return rows.reshape(w.shape)


def test_adam_mini_follows_its_paper():
    assert_follows(AdamMini(**ADAM), adam_mini_by_hand, **ADAM)


def sgd_by_hand(w, gs, lr, momentum, weight_decay):
    m = np.zeros_like(w)
    for g in gs:
        g = g + weight_decay * w
        m = momentum * m + g
        w = w - lr * (g + momentum * m)
    return w


def test_sgd_follows_its_paper():
    settings = {"lr": 0.02, "momentum": 0.8, "weight_decay": 1e-2}
    assert_follows(Sgd(**settings), sgd_by_hand, **settings)


def soap_by_hand(w, gs, lr, beta1, beta2, weight_decay, every):
    rows, cols = w.shape
    left, right, basis, other = np.zeros((rows, rows)), np.zeros((cols, cols)), np.eye(rows), np.eye(cols)
    m = v = np.zeros_like(w)
    for t, g in enumerate(gs, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * (basis.T @ g @ other) ** 2
        turned = (basis.T @ m @ other) / (1 - beta1**t)
        step = basis @ (turned / (np.sqrt(v / (1 - beta2**t)) + 1e-8)) @ other.T
        left, right = beta2 * left + (1 - beta2) * g @ g.T, beta2 * right + (1 - beta2) * g.T @ g
        if t % every == 0:
            basis, other = np.linalg.qr(left @ basis)[0], np.linalg.qr(right @ other)[0]
        w = w - lr * weight_decay * w - lr * step
    return w


@pytest.mark.parametrize("name", ["tall.weight", "wide.weight"])
@pytest.mark.parametrize("every", [3, 4])
def test_soap_follows_its_paper_on_matrices(name, every):
    before, met, after = moved(Soap(**ADAM, every=every))
    expected = soap_by_hand(before[name], met[name], **ADAM, every=every)
    np.testing.assert_allclose(after[name], expected, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("name", ["embedding.weight", "head.weight", "gain"])
def test_soap_moves_the_rest_by_adamw(name):
    before, met, after = moved(Soap(**ADAM))
    np.testing.assert_allclose(after[name], adamw_by_hand(before[name], met[name], **ADAM), rtol=1e-9, atol=1e-12)


def test_soaps_basis_comes_to_the_eigenvectors():
    noise = torch.Generator().manual_seed(0)
    sizes = torch.tensor([3.0, 2.0, 1.0, 0.3], dtype=torch.float64)
    eigenvectors = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64, generator=noise))[0]
    grad = eigenvectors * sizes
    state = {
        f"{side}_{what}": start.clone()
        for side in ("row", "col")
        for what, start in (("overlaps", torch.zeros(4, 4).double()), ("basis", torch.eye(4).double()))
    }
    for _ in range(60):
        turn_on(grad, state, 0.5, look=True)
    overlap = (state["row_basis"].mT @ eigenvectors).abs()
    torch.testing.assert_close(overlap, torch.eye(4).double(), atol=1e-6, rtol=0)


class Smooth(nn.Module):
    """Logits from four inputs by way of tanh, of which second derivatives are to be had."""

    def __init__(self, n_in, hidden, n_out):
        super().__init__()
        self.up, self.down = Linear(n_in, hidden), Linear(hidden, n_out, Role.HEAD)
        self.double()
        noise = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for p in self.parameters():
                p.normal_(generator=noise)

    def forward(self, x_BTD, progress=1.0):
        return self.down(self.up(x_BTD).tanh())


def smooth(n_in=4, hidden=5, n_out=3):
    """A model, its tensors and a moment with a batch of six."""
    model, noise = Smooth(n_in, hidden, n_out), torch.Generator().manual_seed(1)
    x_BTD = torch.randn(2, 3, n_in, dtype=torch.float64, generator=noise)
    y_BT = torch.randint(n_out, (2, 3), generator=noise)
    return model, Params(model).tensors, Moment(0, 9, model, x_BTD, y_BT, torch.Generator().manual_seed(5))


def exact_hessian_times(probes, moment, tensors):
    """By differentiating twice."""
    grads = torch.autograd.grad(mean_nats(moment.model(moment.x_BT), moment.y_BT), tensors, create_graph=True)
    along = sum((grad * probe).sum() for grad, probe in zip(grads, probes, strict=True))
    return torch.autograd.grad(along, tensors)


def test_a_difference_of_gradients_is_the_hessian_times_the_probe():
    _, tensors, moment = smooth()
    noise = torch.Generator().manual_seed(2)
    probes = [torch.randn(p.shape, dtype=p.dtype, generator=noise) for p in tensors]
    for found, exact in zip(
        hessian_times(probes, moment, tensors), exact_hessian_times(probes, moment, tensors), strict=True
    ):
        torch.testing.assert_close(found, exact, rtol=1e-6, atol=1e-8)


def test_hutchinsons_estimate_is_the_hessians_diagonal_on_average():
    """Over every choice of signs: the average is exact, entries off the diagonal cancel."""
    _, tensors, moment = smooth(n_in=2, hidden=1, n_out=2)
    n = sum(p.numel() for p in tensors)
    average = torch.zeros(n, dtype=torch.float64)
    for signs in itertools.product((-1.0, 1.0), repeat=n):
        flat = torch.tensor(signs, dtype=torch.float64)
        probes = [piece.view_as(p) for piece, p in zip(flat.split([p.numel() for p in tensors]), tensors, strict=True)]
        average += flat * torch.cat([hu.flatten() for hu in hessian_times(probes, moment, tensors)]) / 2**n
    exact = []
    for place in range(n):
        one = torch.eye(n, dtype=torch.float64)[place]
        probes = [piece.view_as(p) for piece, p in zip(one.split([p.numel() for p in tensors]), tensors, strict=True)]
        exact.append(torch.cat([hu.flatten() for hu in exact_hessian_times(probes, moment, tensors)])[place])
    torch.testing.assert_close(average, torch.stack(exact), rtol=1e-6, atol=1e-8)


def test_hutchinson_probes_with_signs_from_the_moments_noise():
    _, tensors, moment = smooth()
    noise = torch.Generator().manual_seed(5)
    probes = [torch.empty_like(p).bernoulli_(0.5, generator=noise) * 2 - 1 for p in tensors]
    assert {value for probe in probes for value in probe.flatten().tolist()} == {-1.0, 1.0}
    for found, u, hu in zip(
        hutchinson(moment, tensors), probes, exact_hessian_times(probes, moment, tensors), strict=True
    ):
        torch.testing.assert_close(found, u * hu, rtol=1e-6, atol=1e-7)


def test_looking_at_curvature_leaves_every_bit_where_it_was():
    model, tensors, moment = smooth()
    before = [p.clone() for p in tensors]
    SophiaH().build(Params(model)).before_gradients(moment)
    assert all(torch.equal(p, start) for p, start in zip(tensors, before, strict=True))
    assert all(p.grad is None for p in tensors)


def test_sophia_h_divides_by_the_curvature_it_found():
    model, tensors, moment = smooth()
    technique = SophiaH(lr=0.01, beta1=0.9, beta2=0.9, gamma=0.2, weight_decay=0.0)
    optimizer = technique.build(Params(model))
    optimizer.before_gradients(moment)
    moment.noise.manual_seed(5)
    estimates, before = hutchinson(moment, tensors), [p.clone() for p in tensors]
    mean_nats(model(moment.x_BT), moment.y_BT).backward()
    optimizer.step()
    for p, start, estimate in zip(tensors, before, estimates, strict=True):
        step = np.clip(0.1 * p.grad.numpy() / np.maximum(0.2 * 0.1 * estimate.numpy(), 1e-12), -1, 1)
        np.testing.assert_allclose(p.detach().numpy(), start.detach().numpy() - 0.01 * step, rtol=1e-9)
