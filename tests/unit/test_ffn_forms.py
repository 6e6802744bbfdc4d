"""Feed-forwards against their formulas: outputs, gradients, sizes.

Shapes: B batch, T time, D width.
"""

import pytest
import torch
from reference import HERE, assert_same, noise, site, text

from bench.techniques.ffn.leaky_relu2 import LeakyRelu2, _SquaredLeakyRelu
from bench.techniques.ffn.polyrelu import PolyRelu, _Polynomial
from bench.techniques.ffn.relu2 import Relu2
from bench.techniques.ffn.swiglu import Swiglu

odd_lengths = pytest.mark.parametrize("T", [1, 7, 13])


def built(technique):
    ffn = technique.build(HERE).double()
    for seed, p in enumerate(ffn.parameters()):
        p.data = noise(*p.shape, seed=seed).detach() / 4
    return ffn


@odd_lengths
@pytest.mark.parametrize("slope", [0.1, 0.5, 0.9])
def test_leaky_relu2_equals_its_formula(slope, T):
    ffn, x_BTD = built(LeakyRelu2(mult=3, slope=slope)), noise(2, T, HERE.width, seed=7)
    h = x_BTD @ ffn.up.weight.T
    slow_BTD = torch.where(h > 0, h, slope * h) ** 2 @ ffn.down.weight.T
    assert_same(ffn(x_BTD, text(2, T)), slow_BTD, [x_BTD, *ffn.parameters()])


def test_the_gradient_of_squared_leaky_relu_is_its_slope():
    assert torch.autograd.gradcheck(lambda h: _SquaredLeakyRelu.apply(h, 0.5), noise(5, 7))


def test_leaky_relu2_learns_where_relu2_does_not():
    x_BTD = noise(1, 3, HERE.width)
    leaky, plain = built(LeakyRelu2(mult=2)), built(Relu2(mult=2))
    for ffn in (leaky, plain):
        ffn.up.weight.data = -torch.ones_like(ffn.up.weight)
    ones_BTD = torch.ones_like(x_BTD)
    for ffn in (leaky, plain):
        ffn(ones_BTD, text(1, 3)).sum().backward()
    assert leaky.up.weight.grad.any()
    assert not plain.up.weight.grad.any()


@odd_lengths
def test_swiglu_equals_its_formula(T):
    ffn, x_BTD = built(Swiglu()), noise(2, T, HERE.width, seed=7)
    gate = x_BTD @ ffn.gate.weight.T
    slow_BTD = (gate / (1 + torch.exp(-gate)) * (x_BTD @ ffn.up.weight.T)) @ ffn.down.weight.T
    assert_same(ffn(x_BTD, text(2, T)), slow_BTD, [x_BTD, *ffn.parameters()])


@pytest.mark.parametrize("mult", [2, 3, 4, 5, 6])
def test_swiglu_has_as_many_parameters_as_two_matrices(mult):
    here = site(96)
    assert Swiglu(mult=mult).parameters(here) == pytest.approx(Relu2(mult=mult).parameters(here), rel=0.03)
    assert Swiglu(mult=mult).build(here).gate.weight.size(0) % 8 == 0


@odd_lengths
def test_polyrelu_equals_its_formula(T):
    ffn, x_BTD = built(PolyRelu(mult=3)), noise(2, T, HERE.width, seed=7)
    r = (x_BTD @ ffn.up.weight.T).relu()
    slow_BTD = sum(a * r**k for k, a in enumerate(ffn.powers, start=1)) @ ffn.down.weight.T
    assert_same(ffn(x_BTD, text(2, T)), slow_BTD, [x_BTD, *ffn.parameters()])


def test_the_gradient_of_the_polynomial_is_its_slope():
    assert torch.autograd.gradcheck(_Polynomial.apply, (noise(5, 7), noise(3, seed=1)))


def test_polyrelu_starts_with_a_third_of_each_power():
    assert PolyRelu().build(HERE).powers.tolist() == pytest.approx([1 / 3] * 3)
