"""Residual forms against blocks written out by hand.

Shapes: B batch, T time, D width.
"""

from dataclasses import replace

import pytest
import torch
from reference import HERE, assert_same, by_formula_rms, noise, text
from torch import nn

from bench.skeleton import Block
from bench.techniques.residual.hybrid_norm import HybridNorm
from bench.techniques.residual.parallel import Parallel
from bench.techniques.residual.parallel_last import ParallelLast


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


@pytest.mark.parametrize("layers", [1, 3])
def test_only_the_last_blocks_are_parallel(layers):
    x_BTD = noise(2, 7, HERE.width)
    for layer in range(HERE.n_layer):
        normed_BTD = by_formula_rms(x_BTD)
        between_BTD = x_BTD + MIXER(normed_BTD, None)
        parallel = layer >= HERE.n_layer - layers
        slow_BTD = between_BTD + FFN(normed_BTD if parallel else by_formula_rms(between_BTD), None)
        residual = ParallelLast(layers=layers).build(replace(HERE, layer=layer))
        assert_same(Block(residual, MIXER, FFN, {})(x_BTD, text(2, 7)), slow_BTD, [x_BTD])


def test_of_eleven_blocks_the_seventh_is_the_first_that_is_parallel_counted_from_zero():
    built = [ParallelLast().build(replace(HERE, layer=layer, n_layer=11)) for layer in range(11)]
    assert [type(one).__name__ for one in built] == ["OneAfterTheOther"] * 7 + ["BothAtOnce"] * 4
