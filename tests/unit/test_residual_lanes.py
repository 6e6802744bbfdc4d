"""Two streams in the last blocks, against whole models written out by hand in float64.

Shapes: B batch, T time, D width.
"""

from dataclasses import replace

import pytest
import torch
from golf_reference import ByFormula
from reference import HERE, assert_same, by_formula_rms, noise, text
from torch import nn

from bench.artifact import pack, unpack
from bench.catalog import full_pick, realise, refusals
from bench.config import Budget
from bench.divisions import baseline
from bench.estimate import estimate
from bench.layers import Params, Role
from bench.skeleton import Block
from bench.techniques.block_modifiers.x0_mix import X0Mix
from bench.techniques.residual.coupled_lanes import CoupledLanes
from bench.techniques.residual.isolated_lanes import IsolatedLanes
from bench.techniques.residual.pre_norm import PreNorm


class Turn(nn.Module):
    def __init__(self, seed):
        super().__init__()
        self.weight_DD = noise(HERE.width, HERE.width, seed=seed).detach() / 4

    def forward(self, x_BTD, context):
        return torch.tanh(x_BTD @ self.weight_DD)


def mixer(x_BTD):
    return Turn(1)(by_formula_rms(x_BTD), None)


def ffn(x_BTD):
    return Turn(2)(by_formula_rms(x_BTD), None)


def through(technique, x_BTD, n_blocks=2):
    """The model's last blocks, all with the same two parts; their residuals' numbers stirred."""
    context, weights = text(2, x_BTD.size(1)), []
    for layer in range(HERE.n_layer - n_blocks, HERE.n_layer):
        residual = technique.build(replace(HERE, layer=layer)).double()
        for p in residual.parameters():
            p.data += noise(*p.shape, seed=len(weights)).detach() / 3
            weights.append(p)
        x_BTD = Block(residual, Turn(1), Turn(2), {})(x_BTD, context)
    return x_BTD, weights


@pytest.mark.parametrize("T", [1, 7, 13])
def test_coupled_lanes_exchange_what_their_parts_add(T):
    x_BTD = noise(2, T, HERE.width)
    fast_BTD, weights = through(CoupledLanes(layers=2), x_BTD)
    a = f = x_BTD
    for kept, written in (weights[:2], weights[2:]):
        A, M = mixer(a), ffn(f)
        a, f = (
            kept[0] * a + written[0, 0] * A + written[1, 0] * M,
            kept[1] * f + written[0, 1] * A + written[1, 1] * M,
        )
    assert_same(fast_BTD, (a + f) / 2, [x_BTD, *weights])


@pytest.mark.parametrize("T", [1, 7, 13])
def test_isolated_lanes_meet_once_at_the_end(T):
    x_BTD = noise(2, T, HERE.width)
    fast_BTD, (share,) = through(IsolatedLanes(layers=2), x_BTD)
    a = f = x_BTD
    for _ in range(2):
        a, f = a + mixer(a), f + ffn(f)
    assert_same(fast_BTD, share * a + (1 - share) * f, [x_BTD, share])


@pytest.mark.parametrize("technique", [CoupledLanes(layers=1), IsolatedLanes(layers=1)], ids=lambda t: t.name)
def test_blocks_before_them_are_plain(technique):
    x_BTD = noise(2, 7, HERE.width)
    for layer in range(HERE.n_layer - 1):
        plain, early = (t.build(replace(HERE, layer=layer)) for t in (PreNorm(), technique))
        assert type(early) is type(plain)
    fast_BTD, weights = through(technique, x_BTD, n_blocks=2)
    last_BTD, own = through(technique, x_BTD + mixer(x_BTD) + ffn(x_BTD + mixer(x_BTD)), n_blocks=1)
    assert len(own) == len(weights)
    assert_same(fast_BTD, last_BTD, [x_BTD])


def test_of_eleven_blocks_the_records_begin_at_the_eighth_and_the_seventh_counted_from_zero():
    sites = [replace(HERE, layer=layer, n_layer=11) for layer in range(11)]
    plain = "OneAfterTheOther"
    coupled = [type(CoupledLanes().build(here)).__name__ for here in sites]
    assert coupled == [plain] * 8 + ["Lanes"] * 3
    isolated = [type(IsolatedLanes().build(here)).__name__ for here in sites]
    assert isolated == [plain] * 7 + ["TwoLanes"] * 3 + ["LastOfTwoLanes"]


def test_coupled_lanes_start_as_the_records_do():
    lanes = CoupledLanes().build(replace(HERE, layer=3))
    assert lanes.kept.tolist() == pytest.approx([1.1, 1.1])
    assert lanes.written.tolist() == [[1, 1], [1, 1]]
    assert {p.role for p in Params(lanes).all} == {Role.VECTOR}


# whole models: golf's baseline of five blocks, its skips, x0, scales and query gains

LOOP = {"blocks": 2, "again": 1, "start": 0.0}
T = 9


def config_of(technique, layers, *addons, n_layer=5):
    config = baseline(Budget(steps=4, batch=2, seq_len=24), "golf-cpu")
    config = config.replaced(
        "shape", [full_pick("shape", "sized", {"n_layer": n_layer, "n_head": 4, "head_width": 16})]
    )
    config = config.replaced("addons", [full_pick("addons", name, knobs) for name, knobs in addons])
    config = config.replaced("residual", [full_pick("residual", technique, {"layers": layers})])
    assert refusals(config) == []
    return config


def stirred(config):
    model = realise(config).model(24).double()
    drawn = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=drawn, dtype=torch.float64), alpha=0.2)
    return model, torch.randint(1024, (T,), generator=drawn)


def coupled_by_hand(model, tokens_T, layers, order):
    blocks = ByFormula(model)
    x = x0 = blocks.embedded(tokens_T)
    n_layer, f, given = len(model.blocks), None, {}
    for i in order:
        if i < n_layer - layers:
            x = blocks.with_x0(i, blocks.with_skip(i, x, given), x0)
            x = x + blocks.mixed(i, x)
            x = x + blocks.fed(i, x)
        else:
            f = x if f is None else f
            a = blocks.with_skip(i, x, given)
            kept, written = blocks.of(i, "residual.kept"), blocks.of(i, "residual.written")
            A, M = blocks.mixed(i, blocks.with_x0(i, a, x0)), blocks.fed(i, f)
            x = kept[0] * a + written[0, 0] * A + written[1, 0] * M
            f = kept[1] * f + written[0, 1] * A + written[1, 1] * M
            if i == n_layer - 1:
                x, f = (x + f) / 2, None
        given[i] = x
    return blocks.logits(x)


def isolated_by_hand(model, tokens_T, layers, order):
    blocks = ByFormula(model)
    x = x0 = blocks.embedded(tokens_T)
    n_layer, f, given = len(model.blocks), None, {}
    for i in order:
        x = blocks.with_x0(i, blocks.with_skip(i, x, given), x0)
        if i < n_layer - layers:
            x = x + blocks.mixed(i, x)
            x = x + blocks.fed(i, x)
        else:
            f = x if f is None else f
            x, f = x + blocks.mixed(i, x), f + blocks.fed(i, f)
            if i == n_layer - 1:
                share = blocks.of(i, "residual.share")
                x, f = share * x + (1 - share) * f, None
        given[i] = x
    return blocks.logits(x)


@pytest.mark.parametrize(
    ("n_layer", "layers", "addons", "order"),
    [
        (5, 2, (), (0, 1, 2, 3, 4)),
        (5, 5, (), (0, 1, 2, 3, 4)),
        # as in the records: what runs again comes before the lanes
        (5, 2, (("depth_recurrence", LOOP),), (0, 1, 2, 1, 2, 3, 4)),
        # the loop leads from inside the lanes back to a block before them
        (5, 3, (("depth_recurrence", LOOP),), (0, 1, 2, 1, 2, 3, 4)),
        # the loop leads on from the last block
        (2, 1, (("depth_recurrence", LOOP),), (0, 1, 0, 1)),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("technique", "by_hand"), [("coupled_lanes", coupled_by_hand), ("isolated_lanes", isolated_by_hand)]
)
def test_a_model_with_skips_x0_and_loops_is_the_one_written_by_hand(technique, by_hand, n_layer, layers, addons, order):
    model, tokens_T = stirred(config_of(technique, layers, *addons, n_layer=n_layer))
    assert model.order == order
    fast_TV, slow_TV = model(tokens_T.unsqueeze(0))[0], by_hand(model, tokens_T, layers, order)
    assert_same(fast_TV, slow_TV, list(model.parameters()), rtol=1e-6, atol=1e-9)


def test_only_coupled_lanes_are_spared_what_x0_adds():
    def places(technique):
        model = realise(config_of(technique, 2)).model(24)
        mix = type(X0Mix().build(HERE))
        return [next(p for p, ms in block.attached.items() for m in ms if type(m) is mix) for block in model.blocks]

    assert places("coupled_lanes") == ["stream"] * 3 + ["stream_mixer"] * 2
    assert places("isolated_lanes") == places("parallel_last") == ["stream"] * 5


@pytest.mark.parametrize(("technique", "more"), [("coupled_lanes", 2 * 6), ("isolated_lanes", 1)])
def test_lanes_cost_a_few_numbers_and_no_product(technique, more):
    plain, lanes = estimate(config_of("parallel_last", 2)), estimate(config_of(technique, 2))
    assert lanes.parameters == plain.parameters + more
    assert lanes.train_flops == plain.train_flops


@pytest.mark.parametrize("technique", ["coupled_lanes", "isolated_lanes"])
def test_what_is_unpacked_has_its_lanes(technique):
    config = config_of(technique, 2, ("depth_recurrence", LOOP))
    model = stirred(config)[0].float()
    shipped = unpack(pack(model, config), config)
    lanes = [name for name, _ in model.named_parameters() if ".residual." in name]
    assert lanes
    assert all(torch.equal(shipped.get_parameter(name), model.get_parameter(name)) for name in lanes)
    assert shipped.order == model.order
