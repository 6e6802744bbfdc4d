"""Parts whose way back is written by hand: a second derivative is right or refused, never silently wrong."""

import pytest
import torch
from reference import HERE, noise, text

from bench.layers import rms
from bench.techniques.ffn.relu2 import _SquaredRelu
from bench.techniques.mixer.mamba import Mamba
from bench.techniques.mixer.softmax import Rotation


@pytest.mark.parametrize("part", [rms, _SquaredRelu.apply], ids=["rms", "squared relu"])
def test_a_second_derivative_that_would_be_wrong_is_refused(part):
    x = noise(2, 3, 4)
    (grad,) = torch.autograd.grad(part(x).pow(3).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()


def test_the_second_derivative_of_the_rotation_is_right():
    assert torch.autograd.gradgradcheck(Rotation(4, 4, 3), (noise(2, 3, 4),))


def test_the_second_derivative_of_mambas_scan_is_refused():
    mixer = Mamba().build(HERE).double()
    for seed, p in enumerate(mixer.parameters()):
        p.data = noise(*p.shape, seed=seed).detach() / 4
    x_BTD = noise(1, 5, HERE.width)
    (grad,) = torch.autograd.grad(mixer(x_BTD, text(1, 5)).square().sum(), x_BTD, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()
