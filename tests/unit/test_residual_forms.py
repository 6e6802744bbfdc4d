"""Residual forms against blocks written out by hand.

Shapes: B batch, T time, D width.
"""

import pytest
import torch
from reference import HERE, assert_same, by_formula_rms, noise, text
from torch import nn

from bench.skeleton import Block
from bench.techniques.residual.hybrid_norm import HybridNorm
from bench.techniques.residual.parallel import Parallel


class Turn(nn.Module):
    def __init__(self, seed):
        super().__init__()
        self.weight_DD = noise(HERE.width, HERE.width, seed=seed).detach() / 4

    def forward(self, x_BTD, context):
        return torch.tanh(x_BTD @ self.weight_DD)


MIXER, FFN = Turn(1), Turn(2)


def joined(technique, x_BTD):
    return Block(technique.build(HERE), MIXER, FFN, {})(x_BTD, text(2, x_BTD.size(1)))


@pytest.mark.parametrize("T", [1, 7, 13])
def test_parallel_parts_read_the_same_stream(T):
    x_BTD = noise(2, T, HERE.width)
    normed_BTD = by_formula_rms(x_BTD)
    slow_BTD = x_BTD + MIXER(normed_BTD, None) + FFN(normed_BTD, None)
    assert_same(joined(Parallel(), x_BTD), slow_BTD, [x_BTD])


@pytest.mark.parametrize("T", [1, 7, 13])
def test_hybrid_norm_hands_on_the_normed_stream(T):
    x_BTD = noise(2, T, HERE.width)
    between_BTD = by_formula_rms(x_BTD + MIXER(by_formula_rms(x_BTD), None))
    # a second norm of what is normed moves it by the norm's epsilon
    slow_BTD = between_BTD + FFN(between_BTD, None)
    assert_same(joined(HybridNorm(), x_BTD), slow_BTD, [x_BTD], rtol=1e-5, atol=1e-6)
