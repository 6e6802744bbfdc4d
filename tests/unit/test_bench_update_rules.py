"""Each optimizer against its rule written out slowly, in float64, from the paper."""

import numpy as np
import pytest
import torch
from torch import nn
from update_rules import STEPS, Holder, adamw_by_hand, assert_follows, five_times_quintic, moved, muon_by_hand

from bench.layers import Linear, Params, Role
from bench.techniques.optimizer.adamw import AdamW
from bench.techniques.optimizer.lion import Lion
from bench.techniques.optimizer.muon import Muon, orthogonalised
from bench.techniques.optimizer.sophia import Sophia, SophiaOptimizer, gauss_newton_bartlett
from bench.techniques.optimizer_modifiers.muoneq_r import MuonEqR
from bench.training import Moment


def lion_by_hand(w, gs, lr, beta1, beta2, weight_decay):
    m = np.zeros_like(w)
    for g in gs:
        u = np.sign(beta1 * m + (1 - beta1) * g)
        w = w - lr * (u + weight_decay * w)
        m = beta2 * m + (1 - beta2) * g
    return w


def sophia_by_hand(w, gs, hs, lr, beta1, gamma, weight_decay):
    m = np.zeros_like(w)
    for g, h in zip(gs, hs, strict=True):
        m = beta1 * m + (1 - beta1) * g
        w = w - lr * weight_decay * w
        w = w - lr * np.clip(m / np.maximum(gamma * h, 1e-12), -1, 1)
    return w


def test_adamw_follows_its_paper():
    settings = {"lr": 0.01, "beta1": 0.85, "beta2": 0.97, "weight_decay": 0.3}
    assert_follows(AdamW(**settings), adamw_by_hand, **settings)


def test_lion_follows_its_paper():
    settings = {"lr": 0.002, "beta1": 0.85, "beta2": 0.97, "weight_decay": 0.3}
    assert_follows(Lion(**settings), lion_by_hand, **settings)


def test_lion_moves_every_weight_by_lr():
    before, _, after = moved(Lion(lr=0.001, weight_decay=0.0))
    moves = np.abs(after["tall.weight"] - before["tall.weight"]) / 0.001
    np.testing.assert_allclose(moves, np.round(moves), atol=1e-9)


def test_sophia_follows_its_paper():
    noise = np.random.default_rng(3)
    w, gs, hs = noise.normal(size=(4, 3)), noise.normal(size=(STEPS, 4, 3)), noise.exponential(size=(STEPS, 4, 3))
    settings = {"lr": 0.01, "beta1": 0.9, "gamma": 0.2, "weight_decay": 0.3}
    p, estimates = nn.Parameter(torch.from_numpy(w.copy())), iter(hs)
    optimizer = SophiaOptimizer(
        [p], settings | {"beta2": 0.0, "every": 1}, lambda moment, tensors: [torch.from_numpy(next(estimates))]
    )
    for g in gs:
        optimizer.before_gradients(Moment(0, STEPS, None, None, None, None))
        p.grad = torch.from_numpy(g)
        optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), sophia_by_hand(w, gs, hs, **settings), rtol=1e-12)


def test_sophia_without_curvature_moves_by_the_sign():
    settings = {"lr": 0.01, "beta1": 0.9, "gamma": 0.03, "weight_decay": 0.3}
    before, met, after = moved(Sophia(**settings))
    for name, gs in met.items():
        np.testing.assert_allclose(
            after[name], sophia_by_hand(before[name], gs, np.zeros_like(gs), **settings), rtol=1e-9
        )


class SoftmaxRegression(nn.Module):
    """Logits of three classes from four inputs."""

    def __init__(self):
        super().__init__()
        self.product = Linear(4, 3, Role.HEAD)
        self.double()
        torch.nn.init.normal_(self.product.weight, generator=torch.Generator().manual_seed(0))

    def forward(self, x_BTD, progress=1.0):
        return self.product(x_BTD)


def gradient_of_one(weight, x_D, label):
    """d/dW of -log softmax(W x)[label], from the textbook."""
    logits = weight @ x_D
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    return np.outer(chances - np.eye(3)[label], x_D), chances


def regression():
    """A model, two inputs, and its optimizer with a curvature that forgets everything at once."""
    model = SoftmaxRegression()
    x_BTD = torch.randn(1, 2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    settings = {"lr": 0.01, "beta2": 0.0, "every": 3}
    optimizer = SophiaOptimizer(Params(model).tensors, settings, gauss_newton_bartlett)
    return model, x_BTD, optimizer


def curvature(optimizer, model):
    return optimizer.state[model.product.weight]["curvature"].numpy()


def moment(step, model, x_BTD, seed=5):
    return Moment(
        step, 9, model, x_BTD, torch.zeros(x_BTD.shape[:2], dtype=torch.long), torch.Generator().manual_seed(seed)
    )


def test_sophia_squares_the_gradient_of_labels_it_draws():
    model, x_BTD, optimizer = regression()
    optimizer.before_gradients(moment(0, model, x_BTD))
    weight = model.product.weight.detach().numpy()
    candidates = []
    for first in range(3):
        for second in range(3):
            g = (
                sum(
                    gradient_of_one(weight, x_D, y)[0] for x_D, y in zip(x_BTD[0].numpy(), (first, second), strict=True)
                )
                / 2
            )
            candidates.append(2 * g**2)
    assert sum(np.allclose(curvature(optimizer, model), h, rtol=1e-9) for h in candidates) == 1


def test_sophias_estimate_is_the_gauss_newton_diagonal_on_average(monkeypatch):
    """Over every pair of labels, weighted by its chance: 1/n of the sum of E[g_i^2], one prediction at a time."""
    model, x_BTD, optimizer = regression()
    weight = model.product.weight.detach().numpy()
    average = exact = np.zeros((3, 4))
    chances = [gradient_of_one(weight, x_D, 0)[1] for x_D in x_BTD[0].numpy()]
    for first in range(3):
        for second in range(3):
            drawn = torch.tensor([[first], [second]])
            monkeypatch.setattr(torch, "multinomial", lambda *_, drawn=drawn, **__: drawn)
            optimizer.before_gradients(moment(0, model, x_BTD))
            average = average + chances[0][first] * chances[1][second] * curvature(optimizer, model)
    for x_D, chance in zip(x_BTD[0].numpy(), chances, strict=True):
        exact = exact + sum(chance[y] * gradient_of_one(weight, x_D, y)[0] ** 2 for y in range(3)) / 2
    np.testing.assert_allclose(average, exact, rtol=1e-9)


def test_sophia_averages_its_estimates():
    p, estimates = nn.Parameter(torch.zeros(3, 2)), iter((2.0, 3.0))
    optimizer = SophiaOptimizer(
        [p], {"lr": 0.01, "beta2": 0.9, "every": 1}, lambda moment, tensors: [torch.full_like(p, next(estimates))]
    )
    for step in range(2):
        optimizer.before_gradients(Moment(step, 2, None, None, None, None))
    np.testing.assert_allclose(optimizer.state[p]["curvature"].numpy(), 0.9 * 0.1 * 2 + 0.1 * 3, rtol=1e-6)


def test_sophia_draws_labels_as_often_as_the_model_expects_them():
    model, x_BTD, optimizer = regression()
    one_11D = x_BTD[:, :1]
    weight = model.product.weight.detach().numpy()
    chances = gradient_of_one(weight, one_11D[0, 0].numpy(), 0)[1]
    squares = [gradient_of_one(weight, one_11D[0, 0].numpy(), y)[0] ** 2 for y in range(3)]
    counts = np.zeros(3)
    for seed in range(400):
        optimizer.before_gradients(moment(0, model, one_11D, seed))
        counts += [np.allclose(curvature(optimizer, model), h) for h in squares]
    # four standard errors of a share of 400 draws
    np.testing.assert_allclose(counts / 400, chances, atol=0.1)


def test_sophia_looks_at_curvature_only_every_few_steps():
    model, x_BTD, optimizer = regression()
    seen = []
    model.register_forward_hook(lambda *_: seen.append(step))
    for step in range(8):
        optimizer.before_gradients(moment(step, model, x_BTD))
    assert seen == [0, 3, 6]


def test_sophia_leaves_the_gradients_clear():
    model, x_BTD, optimizer = regression()
    optimizer.before_gradients(moment(0, model, x_BTD))
    assert model.product.weight.grad is None


MUON = {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}


@pytest.mark.parametrize("name", ["tall.weight", "wide.weight"])
def test_muon_follows_its_rule_on_matrices(name):
    before, met, after = moved(Muon(**MUON))
    np.testing.assert_allclose(after[name], muon_by_hand(before[name], met[name], **MUON), rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("name", ["embedding.weight", "head.weight", "gain"])
def test_muon_moves_the_rest_by_adamw_without_decay(name):
    before, met, after = moved(Muon(rest_lr=0.003))
    expected = adamw_by_hand(before[name], met[name], lr=0.003, beta1=0.9, beta2=0.95, weight_decay=0.0)
    np.testing.assert_allclose(after[name], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [(7, 3), (3, 7), (5, 5), (1, 4)])
def test_newton_schulz_moves_singular_values_and_keeps_their_directions(shape):
    matrix = torch.randn(2, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    u, s, vt = torch.linalg.svd(matrix, full_matrices=False)
    scaled = s / (torch.linalg.matrix_norm(matrix).unsqueeze(-1) + 1e-7)
    torch.testing.assert_close(orthogonalised(matrix), u * five_times_quintic(scaled).unsqueeze(-2) @ vt)


def test_newton_schulz_brings_singular_values_near_one():
    """Those above a hundredth of the matrix's norm land between 0.68 and 1.21: UV^T, within the known band."""
    s = torch.logspace(0, -2, 16, dtype=torch.float64)
    u, v = (
        torch.linalg.qr(torch.randn(16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(n)))[0]
        for n in (0, 1)
    )
    landed = (u.mT @ orthogonalised((u * s @ v.mT).unsqueeze(0))[0] @ v).diagonal()
    assert landed.min() > 0.68
    assert landed.max() < 1.21


def test_muons_matrices_do_not_feel_the_scale_of_the_gradient():
    ends = []
    for scale in (1.0, 1000.0):
        model = Holder()
        optimizer = Muon().build(Params(model))
        for p in model.parameters():
            p.grad = scale * torch.ones_like(p).cumsum(0).sin()
        optimizer.step()
        ends.append(model.tall.weight.detach())
    torch.testing.assert_close(*ends)


def test_muoneq_r_orthogonalises_rows_of_one_length():
    model = Holder()
    optimizer = Muon().build(Params(model), [MuonEqR()])
    plain = Holder()
    untouched = Muon().build(Params(plain))
    for holder, stretched in ((model, True), (plain, False)):
        for p in holder.parameters():
            grad = torch.ones_like(p).cumsum(0).sin() + torch.randn(p.shape, generator=torch.Generator().manual_seed(1))
            # rows of other lengths and the same directions: the modifier must not see a difference
            rows = torch.linspace(0.1, 10, p.size(0)).view(-1, *[1] * (p.dim() - 1)) if stretched else 1.0
            unit = torch.nn.functional.normalize(grad, dim=-1) if p.dim() > 1 else grad
            p.grad = unit * rows if p.dim() > 1 else grad
    optimizer.step()
    untouched.step()
    torch.testing.assert_close(model.tall.weight, plain.tall.weight, atol=1e-6, rtol=1e-5)
