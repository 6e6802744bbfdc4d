"""A narrow embedding between two maps: the model against one written by hand, its numbers and its file."""

import pytest
import torch
from reference import HERE, assert_same, by_formula_rms, noise

from bench.artifact import pack, unpack
from bench.catalog import full_pick, realise
from bench.divisions import DIVISIONS, GOLF_CPU_BASE
from bench.estimate import estimate, raw_bytes
from bench.examine import started, stirred
from bench.layers import Params
from bench.packing import Packing
from bench.skeleton import Context
from bench.techniques.head.factored_embedding import FactoredEmbedding

TOKENS_BT = torch.randint(1024, (2, 9), generator=torch.Generator().manual_seed(1))


def factored(rank=42, **picks):
    config = GOLF_CPU_BASE.replaced("head", [full_pick("head", "factored_embedding", {"rank": rank})])
    for slot, (name, knobs) in picks.items():
        config = config.replaced(slot, [full_pick(slot, name, knobs)])
    return config


@pytest.mark.parametrize("T", [1, 7])
def test_logits_are_products_of_two_maps_and_the_table(T):
    head, table_VE = FactoredEmbedding(rank=5).build(HERE).double(), noise(11, 5, seed=1)
    for seed, p in enumerate(head.parameters()):
        p.data = noise(*p.shape, seed=10 + seed).detach()
    x_BTD, context = noise(2, T, HERE.width), Context(TOKENS_BT, 1.0)
    context.embedding_VE = table_VE
    # a token's column as the stream has it
    out_VD = torch.stack([sum(row[e] * head.narrow.weight[e] for e in range(5)) for row in table_VE])
    slow_BTV = torch.stack([(by_formula_rms(x_BTD) * column).sum(-1) for column in out_VD], -1)
    assert_same(head(x_BTD, context), slow_BTV, [x_BTD, table_VE, head.narrow.weight])
    into_VD = torch.stack([sum(row[e] * head.widen.weight[:, e] for e in range(5)) for row in table_VE])
    assert_same(head.widened(table_VE), into_VD, [table_VE, head.widen.weight])


def test_a_model_is_the_tied_ones_with_tables_multiplied_out():
    """One whose embedding is `A P` and whose head is `A Q`, both as wide as the stream."""
    model = stirred(factored()).double()
    a_VE, head = model.embedding.weight, model.head
    untied = stirred(GOLF_CPU_BASE.replaced("head", [full_pick("head", "untied", {})])).double()
    with torch.no_grad():
        for name, p in untied.named_parameters():
            if name == "embedding.weight":
                p.copy_(a_VE @ head.widen.weight.T)
            elif name == "head.product.weight":
                p.copy_(a_VE @ head.narrow.weight)
            else:
                p.copy_(model.get_parameter(name))
    torch.testing.assert_close(model(TOKENS_BT), untied(TOKENS_BT), rtol=1e-9, atol=1e-12)


def test_its_numbers_and_products_are_those_of_three_narrow_matrices():
    V, D, E = 1024, 128, 42
    narrow, wide = estimate(factored(E)), estimate(GOLF_CPU_BASE)
    assert narrow.parameters - wide.parameters == E * (V + 2 * D) - V * D
    assert narrow.forward_flops - wide.forward_flops == 2 * E * (V + 2 * D) - 2 * V * D


@pytest.mark.parametrize("precision", ["int8_clipped", "sdclip", "ternary_ste"])
def test_it_comes_back_from_its_file_and_costs_the_bytes_it_states(precision):
    config = factored(precision=(precision, {}))
    stack, model = realise(config), started(config)
    params = Params(model).all
    assert raw_bytes(stack, 16) == sum(Packing(stack).bytes_of(param) for param in params)
    shipped = unpack(pack(model, config), config)
    for param in params:
        own = Packing(stack).precision(param)
        again = own.decode(own.encode(param.tensor.detach(), param.role), tuple(param.tensor.shape), param.role)
        assert torch.equal(shipped.get_parameter(param.name), again), param.name


def test_no_division_of_featherweight_may_choose_it():
    assert not any(division.enters("head", "factored_embedding") for division in DIVISIONS)
