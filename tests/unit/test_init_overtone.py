"""Overtone's embedding against its definition, and everything else against the baseline's start."""

import numpy as np
import pytest
import torch

from bench.batches import generator
from bench.layers import Embedding, Linear, Params, Role
from bench.techniques.init.narrow_uniform import NarrowUniform
from bench.techniques.init.overtone import Overtone


def filled(init, module, seed=1):
    with torch.no_grad():
        init.fill(Params(module).all[0], generator(seed, "test"))
    return module.weight.detach()


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (1024, 16)])
@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_singular_values_fall_as_the_power_of_their_rank_in_the_drawn_directions(shape, power):
    drawn = filled(NarrowUniform(embedding_std=0.01), Embedding(*shape)).double().numpy()
    left, values, right = np.linalg.svd(drawn, full_matrices=False)
    slow = sum(values[0] / k**power * np.outer(left[:, k - 1], right[k - 1]) for k in range(1, len(values) + 1))
    found = filled(Overtone(embedding_std=0.01, power=power), Embedding(*shape)).numpy()
    np.testing.assert_allclose(found, slow, rtol=2e-5, atol=1e-8)


@pytest.mark.parametrize("role", [Role.MATRIX, Role.OUTPUT, Role.HEAD])
def test_all_but_the_embedding_starts_as_the_baseline_has_it(role):
    assert torch.equal(filled(Overtone(), Linear(6, 5, role)), filled(NarrowUniform(), Linear(6, 5, role)))


def test_the_table_beside_the_embedding_starts_at_zero():
    assert not filled(Overtone(), Embedding(30, 4, Role.TABLE)).any()
