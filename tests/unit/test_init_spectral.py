"""Spectral initialisation: the norms it promises."""

import math

import pytest
import torch

from bench.batches import generator
from bench.layers import Linear, Params, Role
from bench.techniques.init.spectral import Spectral


def filled(init, role, shape, seed=1):
    model = Linear(shape[1], shape[0], role)
    with torch.no_grad():
        init.fill(Params(model).all[0], generator(seed, "test"))
    return model.weight.detach()


@pytest.mark.parametrize("shape", [(12, 5), (5, 12), (7, 7), (40, 3)])
@pytest.mark.parametrize("role", [Role.MATRIX, Role.OUTPUT])
def test_the_largest_singular_value_is_the_root_of_out_over_in(role, shape):
    weight = filled(Spectral(gain=0.7, output_gain=0.7), role, shape)
    assert torch.linalg.svdvals(weight)[0].item() == pytest.approx(0.7 * math.sqrt(shape[0] / shape[1]), rel=1e-5)


@pytest.mark.parametrize("role", [Role.OUTPUT, Role.HEAD, Role.TABLE])
def test_what_adds_to_the_stream_starts_at_zero_by_default(role):
    assert not filled(Spectral(), role, (6, 5)).any()


def test_the_embedding_starts_at_its_spread():
    assert filled(Spectral(embedding_std=0.2), Role.EMBEDDING, (256, 64)).std().item() == pytest.approx(0.2, rel=0.03)


def test_seeds_differ_and_repeat():
    one, again, other = (filled(Spectral(), Role.MATRIX, (6, 5), seed) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
