"""Middle blocks that run again from a share of training on."""

import pytest
import torch
from golf_reference import reference

from bench.artifact import pack, unpack
from bench.catalog import advice, full_pick, realise
from bench.config import Budget
from bench.divisions import baseline
from bench.estimate import estimate
from bench.layers import Params
from bench.ranks import ALONE
from bench.techniques.addons.depth_recurrence import DepthRecurrence
from bench.training import Moment

CONFIG = (
    baseline(Budget(steps=4, batch=2, seq_len=24), "golf-cpu")
    .replaced("shape", [full_pick("shape", "sized", {"n_layer": 5, "n_head": 4, "head_width": 16})])
    .replaced("addons", [full_pick("addons", "depth_recurrence", {"blocks": 2, "again": 2, "start": 0.5})])
)
LOOPED = (0, 1, 2, 1, 2, 1, 2, 3, 4)


def order(n_layer, **knobs):
    return DepthRecurrence(**knobs).order(1.0, tuple(range(n_layer)))


def test_eleven_blocks_are_looped_as_in_the_records():
    assert order(11) == (0, 1, 2, 3, 4, 5, 3, 4, 5, 3, 4, 5, 6, 7, 8, 9, 10)
    assert order(11, blocks=2, again=1) == (0, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 10)


@pytest.mark.parametrize(("n_layer", "expected"), [(1, (0, 0, 0)), (2, (0, 1, 0, 1, 0, 1)), (3, (0, 1, 0, 1, 0, 1, 2))])
def test_a_shallow_model_loops_what_it_has(n_layer, expected):
    assert order(n_layer) == expected


def test_before_its_start_every_block_runs_once():
    assert DepthRecurrence(start=0.35).order(0.34, (0, 1, 2)) == (0, 1, 2)
    assert DepthRecurrence(start=0.35).order(0.35, (0, 1, 2)) != (0, 1, 2)


def stirred():
    model = realise(CONFIG).model(24).double()
    noise = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=noise, dtype=torch.float64), alpha=0.2)
    return model, torch.randint(1024, (9,), generator=noise)


def test_a_looped_model_is_its_blocks_in_that_order():
    model, tokens_T = stirred()
    assert model.order == LOOPED
    with torch.no_grad():
        found_TV = model(tokens_T.unsqueeze(0))[0]
        torch.testing.assert_close(found_TV, reference(model, tokens_T, LOOPED), rtol=1e-6, atol=1e-6)
        assert (found_TV - reference(model, tokens_T)).abs().max() > 0.01


def test_training_begins_with_each_block_once_and_ends_with_the_loop():
    model, _ = stirred()
    (hook,) = [addon.hook(Params(model)) for addon in realise(CONFIG).addons]
    seen = []
    for step in range(4):
        hook.before_gradients(Moment(step, 4, model, torch.empty(0), torch.empty(0), torch.Generator()))
        seen.append(model.order)
    assert seen == [(0, 1, 2, 3, 4)] * 2 + [LOOPED] * 2
    model.order = (0, 1, 2, 3, 4)
    hook.at_end(model, ALONE)
    assert model.order == LOOPED


def test_what_is_unpacked_is_looped():
    model = stirred()[0].float()
    assert unpack(pack(model, CONFIG), CONFIG).order == LOOPED


def test_it_costs_the_passes_of_half_the_training_and_no_parameter():
    plain = CONFIG.replaced("addons", [])
    once, twice = estimate(plain), estimate(CONFIG)
    assert twice.parameters == once.parameters
    extra = twice.forward_flops - once.forward_flops
    # two of four steps, of 2 x 24 tokens, are looped: forward and twice that backward
    assert twice.train_flops - once.train_flops == 3 * 2 * (2 * 24) * extra
    # four more passes through one of five like blocks, beside a head that is passed once
    head = 2 * 1024 * 64
    assert extra == (once.forward_flops - head) * 4 / 5


def test_with_values_of_the_first_block_it_is_advised_against():
    config = CONFIG.replaced("mixer_modifiers", [full_pick("mixer_modifiers", "value_residual", {})])
    assert any("depth_recurrence clashes with value_residual" in text for text in advice(config))
