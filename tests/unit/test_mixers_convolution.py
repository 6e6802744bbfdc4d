"""Mixers of convolutions against their definitions, read literally, in float64 at odd lengths."""

import pytest
import torch
from reference import HERE, assert_same, noise, text
from torch import nn

from bench.techniques.mixer.double_conv import DoubleConv


def conv1d(x_BTD, taps_DJ, spacing):
    """torch's own causal convolution of each channel; it does not flip its taps, so the last one meets the byte."""
    padded_BDT = nn.functional.pad(x_BTD.mT, ((taps_DJ.size(1) - 1) * spacing, 0))
    return nn.functional.conv1d(padded_BDT, taps_DJ.flip(1).unsqueeze(1), groups=x_BTD.size(2), dilation=spacing).mT


@pytest.mark.parametrize("T", [1, 7, 13])
@pytest.mark.parametrize("knobs", [{}, {"near_taps": 2, "near_spacing": 3, "far_taps": 3, "far_spacing": 2}], ids=str)
def test_double_conv_is_two_convolutions_and_a_gate(T, knobs):
    technique = DoubleConv(**knobs)
    mixer = technique.build(HERE).double()
    for seed, p in enumerate(mixer.parameters(), start=1):
        p.data = noise(*p.shape, seed=seed).detach()
    x_BTD = noise(2, T, HERE.width)
    near_BTD = conv1d(x_BTD @ mixer.value.weight.T, mixer.near.weight, technique.near_spacing)
    far_BTD = conv1d(near_BTD * torch.sigmoid(near_BTD), mixer.far.weight, technique.far_spacing)
    gate_BTD = x_BTD @ mixer.gate.weight.T
    slow_BTD = (far_BTD * gate_BTD * torch.sigmoid(gate_BTD)) @ mixer.output.weight.T
    fast_BTD = mixer(x_BTD, text(2, T))
    assert_same(fast_BTD, slow_BTD, [x_BTD, *mixer.parameters()], rtol=1e-9, atol=1e-11)


def test_double_conv_reaches_as_far_back_as_its_taps_say():
    mixer = DoubleConv(near_taps=2, far_taps=3, far_spacing=4).build(HERE).double()
    for p in mixer.parameters():
        p.data.fill_(0.5)
    x_BTD = noise(1, 13, HERE.width)
    (moved_BTD,) = torch.autograd.grad(mixer(x_BTD, text(1, 13))[0, -1].sum(), x_BTD)
    reached = moved_BTD[0].abs().sum(-1).nonzero().flatten().tolist()
    assert reached == [3, 4, 7, 8, 11, 12]
