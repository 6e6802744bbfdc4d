"""Each optimizer modifier on its host against the rule written out slowly, in float64, from the paper."""

import math

import numpy as np
import pytest
import torch
from update_rules import STEPS, Holder, gradients, moved, muon_by_hand, orthogonal_by_hand, polynomials

from bench.layers import Params
from bench.techniques.optimizer.lion import Lion
from bench.techniques.optimizer.muon import QUINTIC, Muon, orthogonalised
from bench.techniques.optimizer.sophia import Sophia
from bench.techniques.optimizer_modifiers.cautious_wd import CautiousWd
from bench.techniques.optimizer_modifiers.normuon import NorMuon
from bench.techniques.optimizer_modifiers.polar_express import ROUNDS, PolarExpress
from bench.techniques.optimizer_modifiers.turbo_muon import TurboMuon, almost_orthogonal
from bench.techniques.optimizer_modifiers.wd_taper import WdTaper

MUON = {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}
both_matrices = pytest.mark.parametrize("name", ["tall.weight", "wide.weight"])


def assert_muon_with(modifier, name, **changes):
    before, met, after = moved(Muon(**MUON), [modifier])
    expected = muon_by_hand(before[name], met[name], **MUON, **changes)
    np.testing.assert_allclose(after[name], expected, rtol=1e-7, atol=1e-10)
    # and it must have made a difference
    assert not np.allclose(after[name], moved(Muon(**MUON))[2][name], rtol=1e-5)


def evened_by_hand(beta2):
    """Rows over their smoothed size, one number at a time, then the norm of before; keeps the sizes between calls."""
    sizes = {}

    def change(update):
        evened = np.zeros_like(update)
        for row in range(len(update)):
            size = sum(x**2 for x in update[row]) / len(update[row])
            sizes[row] = beta2 * sizes.get(row, 0.0) + (1 - beta2) * size
            evened[row] = [x / math.sqrt(sizes[row]) for x in update[row]]
        return evened * math.sqrt((update**2).sum()) / math.sqrt((evened**2).sum())

    return change


@both_matrices
def test_normuon_follows_its_paper(name):
    assert_muon_with(NorMuon(beta2=0.8), name, changed=evened_by_hand(0.8))


def test_normuon_keeps_the_norm_of_an_update():
    updates = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    kept = NorMuon().update(updates, [{}, {}])
    torch.testing.assert_close(torch.linalg.matrix_norm(kept), torch.linalg.matrix_norm(updates))


def test_normuon_makes_rows_alike_at_its_first_step():
    updates = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    rows = NorMuon().update(updates, [{}, {}]).norm(dim=-1)
    torch.testing.assert_close(rows, rows[:, :1].expand_as(rows))


def test_normuon_leaves_its_sizes_to_the_optimizers_state():
    model = Holder()
    optimizer = Muon().build(Params(model), [NorMuon()])
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    shapes = [tuple(state["row_size"].shape) for state in optimizer.state_dict()["0"]["state"].values()]
    assert shapes == [(7, 1), (2, 1)]


def polar_by_hand(direction):
    u, s, vt = np.linalg.svd(direction, full_matrices=False)
    return u * polynomials(s / (1.02 * np.linalg.norm(direction) + 1e-6), ROUNDS) @ vt


@both_matrices
def test_polar_express_follows_its_paper(name):
    assert_muon_with(PolarExpress(), name, orthogonal=polar_by_hand)


def test_polar_express_brings_singular_values_nearer_to_one_than_muon():
    """A mistyped coefficient shows here: the rounds only work as a whole."""
    s = np.geomspace(4e-3, 1, 400)
    polar, plain = polynomials(s / 1.02, ROUNDS), polynomials(s, (QUINTIC,) * 5)
    assert np.abs(polar - 1).max() < 0.15
    assert np.abs(plain - 1).max() > 0.3


def turbo_by_hand(direction):
    if direction.shape[0] > direction.shape[1]:
        return turbo_by_hand(direction.T).T
    x = np.zeros_like(direction)
    for row in range(len(direction)):
        overlap = sum(abs(direction[row] @ other) for other in direction)
        x[row] = direction[row] / math.sqrt(overlap)
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    return u * polynomials(s, (QUINTIC,) * 4) @ vt


@both_matrices
def test_turbo_muon_follows_its_paper(name):
    assert_muon_with(TurboMuon(), name, orthogonal=turbo_by_hand)


def test_turbo_muons_rescaling_keeps_singular_values_below_one():
    x = torch.randn(50, 6, 9, generator=torch.Generator().manual_seed(0)) * 100
    assert torch.linalg.matrix_norm(almost_orthogonal(x), 2).max() <= 1 + 1e-5


def test_turbo_muon_is_as_orthogonal_in_four_rounds_as_muon_in_five():
    x = torch.randn(4, 32, 64, generator=torch.Generator().manual_seed(0))

    def error(y):
        return (torch.linalg.svdvals(y) - 1).square().mean().sqrt().item()

    assert error(TurboMuon().orthogonaliser(x)) < 1.1 * error(orthogonalised(x))


@pytest.mark.parametrize("modifier", [PolarExpress(), TurboMuon()], ids=lambda m: m.name)
def test_an_orthogonaliser_leaves_zero_at_zero(modifier):
    assert not modifier.orthogonaliser(torch.zeros(2, 3, 5)).any()


def cautiously(w, update, share):
    shrunk = w.copy()
    for place, value in np.ndenumerate(w):
        if value * update[place] >= 0:
            shrunk[place] = value - share * value
    return shrunk


@both_matrices
def test_cautious_decay_follows_its_paper_on_muon(name):
    assert_muon_with(CautiousWd(), name, decayed=cautiously)


def test_cautious_decay_follows_its_paper_on_lion():
    lr, weight_decay = 0.002, 0.3
    before, met, after = moved(Lion(lr=lr, beta1=0.9, beta2=0.99, weight_decay=weight_decay), [CautiousWd()])
    for name, w in before.items():
        m = np.zeros_like(w)
        for g in met[name]:
            u = np.sign(0.9 * m + 0.1 * g)
            w = cautiously(w, u, lr * weight_decay) - lr * u
            m = 0.99 * m + 0.01 * g
        np.testing.assert_allclose(after[name], w, rtol=1e-9, atol=1e-12)


def test_cautious_decay_follows_its_paper_on_sophia():
    """Without curvature, where a step is the momentum's sign."""
    lr, weight_decay = 0.01, 0.3
    before, met, after = moved(Sophia(lr=lr, beta1=0.9, weight_decay=weight_decay), [CautiousWd()])
    for name, w in before.items():
        m = np.zeros_like(w)
        for g in met[name]:
            m = 0.9 * m + 0.1 * g
            w = cautiously(w, np.sign(m), lr * weight_decay) - lr * np.sign(m)
        np.testing.assert_allclose(after[name], w, rtol=1e-9, atol=1e-12)


def moved_by_muon(modifiers):
    """As `moved`, the optimizer told before each step how far training is."""
    model = Holder()
    optimizer = Muon(**MUON).build(Params(model), modifiers)
    for step in range(STEPS):
        for name, p in model.named_parameters():
            p.grad = torch.from_numpy(gradients(model)[name][step].copy())
        for group in optimizer.param_groups:
            group["progress"] = step / STEPS
        optimizer.step()
    return {name: p.detach().numpy() for name, p in model.named_parameters()}


def tapered(step, start, floor):
    """Full decay up to the start; then a straight line that would be at the floor when all steps are done."""
    done = step / STEPS
    return 0.1 if done <= start else np.interp(done, [start, 1.0], [0.1, floor * 0.1])


@both_matrices
@pytest.mark.parametrize(("start", "floor"), [(0.7, 0.5), (0.0, 0.0), (0.4, 0.9)])
def test_weight_decay_tapers_as_its_source_says(name, start, floor):
    model = Holder()
    w, m = model.get_parameter(name).detach().numpy().copy(), 0.0
    for step, g in enumerate(gradients(model)[name]):
        m = 0.9 * m + g
        w = w - 0.02 * tapered(step, start, floor) * w
        w = w - 0.02 * math.sqrt(max(1, w.shape[0] / w.shape[1])) * orthogonal_by_hand(g + 0.9 * m)
    after = moved_by_muon([WdTaper(start=start, floor=floor)])
    np.testing.assert_allclose(after[name], w, rtol=1e-7, atol=1e-10)
    assert not np.array_equal(after[name], moved_by_muon([])[name])


def test_a_decay_that_tapers_to_itself_moves_no_bit():
    plain, tapering = moved_by_muon([]), moved_by_muon([WdTaper(start=0.0, floor=1.0)])
    assert all(np.array_equal(plain[name], tapering[name]) for name in plain)


def test_two_modifiers_at_a_point_that_holds_one_are_caught():
    with pytest.raises(AssertionError, match="2 modifiers at orthogonaliser, which holds one"):
        Muon().build(Params(Holder()), [PolarExpress(), TurboMuon()])
