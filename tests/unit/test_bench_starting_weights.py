"""Starting weights: what each role begins with, and a stream of random numbers of its own for each tensor."""

import math

import pytest
import torch

from bench.batches import generator
from bench.catalog import full_pick, realise
from bench.config import Budget
from bench.divisions import baseline
from bench.layers import Linear, Params, Role
from bench.run import initialise
from bench.techniques.init.orthogonal import Orthogonal
from bench.techniques.init.zero_output import ZeroOutput


def filled(init, role, shape):
    model = Linear(shape[1], shape[0], role)
    with torch.no_grad():
        init.fill(Params(model).all[0], generator(1, "test"))
    return model.weight.detach()


@pytest.mark.parametrize("shape", [(12, 5), (5, 12), (7, 7)])
def test_orthogonal_matrices_have_one_singular_value(shape):
    singular = torch.linalg.svdvals(filled(Orthogonal(gain=0.7), Role.MATRIX, shape))
    torch.testing.assert_close(singular, torch.full_like(singular, 0.7))


@pytest.mark.parametrize("init", [ZeroOutput(), Orthogonal()], ids=lambda init: init.name)
@pytest.mark.parametrize("role", [Role.OUTPUT, Role.HEAD])
def test_outputs_and_head_start_at_zero(init, role):
    assert not filled(init, role, (4, 5)).any()


@pytest.mark.parametrize("init", [ZeroOutput(embedding_std=0.2), Orthogonal(embedding_std=0.2)], ids=lambda i: i.name)
def test_the_embedding_starts_at_its_spread(init):
    assert filled(init, Role.EMBEDDING, (256, 64)).std().item() == pytest.approx(0.2, rel=0.03)


def test_matrices_start_with_the_variance_that_keeps_sizes():
    weight = filled(ZeroOutput(), Role.MATRIX, (300, 100))
    assert weight.var().item() == pytest.approx(1 / 100, rel=0.03)
    assert weight.abs().max() <= math.sqrt(3 / 100)


def starting_weights(seed, **picks):
    config = baseline(Budget(steps=1, batch=1, seq_len=8))
    for slot, name in picks.items():
        config = config.replaced(slot, [full_pick(slot, name, {})])
    stack = realise(config)
    params = Params(stack.model(8))
    initialise(params, stack.init, seed)
    return {param.name: param.tensor for param in params.all}


def test_a_feature_leaves_every_other_tensor_where_it_started():
    plain, smeared = starting_weights(1), starting_weights(1, features="smear_gate")
    assert set(smeared) - set(plain) == {"features.0.gate"}
    assert [name for name in plain if not torch.equal(plain[name], smeared[name])] == []


def test_two_tensors_of_one_shape_start_apart():
    weights = starting_weights(1)
    assert not torch.equal(weights["blocks.0.mixer.query.weight"], weights["blocks.1.mixer.query.weight"])


def test_another_seed_starts_elsewhere():
    name = "blocks.0.mixer.query.weight"
    assert not torch.equal(starting_weights(1)[name], starting_weights(2)[name])


def test_the_random_numbers_of_a_purpose_are_pinned():
    # golden runs and published artifacts start from these
    assert torch.randint(1000, (4,), generator=generator(1001, "batches")).tolist() == [469, 145, 534, 132]
