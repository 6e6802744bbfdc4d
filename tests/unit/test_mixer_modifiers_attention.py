"""The modifiers of attention: each against its formula in float64, and at its point among the others.

Shapes: B batch, T time, D width, H heads, G value heads, K head width.
"""

import itertools

import pytest
import torch
from reference import HERE, assert_same, by_formula_rms, noise, text
from torch import nn

from bench.catalog import full_pick, refusals
from bench.divisions import BASE
from bench.skeleton import Site
from bench.techniques.mixer.softmax import Rotation, Softmax, softmax_reference
from bench.techniques.mixer_modifiers.head_gate import HeadGate
from bench.techniques.mixer_modifiers.open_head_gate import OpenHeadGate
from bench.techniques.mixer_modifiers.qk_gain import QkGain
from bench.techniques.mixer_modifiers.rope_base import RopeBase
from bench.techniques.mixer_modifiers.sparse_head_gate import SparseHeadGate
from bench.techniques.mixer_modifiers.value_embed import ValueEmbed
from bench.techniques.mixer_modifiers.value_residual import ValueResidual
from bench.techniques.mixer_modifiers.xsa import Exclusion

LAST = Site(width=18, n_head=3, layer=3, n_layer=4, seq_len=13, vocab=256)

TABLE = {"rtol": 1e-5, "atol": 1e-6}


def stirred(module, seed=20):
    """Every number alive, in float64."""
    module.double()
    for offset, p in enumerate(module.parameters()):
        p.data = noise(*p.shape, seed=seed + offset).detach() / 4
    return module


@pytest.mark.parametrize("T", [1, 7, 13])
def test_a_gain_multiplies_every_query_of_its_head(T):
    modifier, q = stirred(QkGain().build(HERE)), noise(2, 3, T, 6)
    slow = torch.stack([modifier.gain[h] * q[:, h] for h in range(3)], 1)
    assert_same(modifier(q), slow, [q, modifier.gain])


def test_gains_start_where_the_knob_says():
    assert QkGain(start=5.0).build(HERE).gain.tolist() == [5.0] * 3


@pytest.mark.parametrize("T", [1, 7, 13])
def test_a_gate_is_a_sigmoid_of_the_whole_input(T):
    modifier, y, x = stirred(HeadGate().build(HERE)), noise(2, 3, T, 6, seed=1), noise(2, T, 18, seed=2)
    slow = torch.stack([(1 / (1 + (-(x @ modifier.rows[h])).exp())).unsqueeze(-1) * y[:, h] for h in range(3)], 1)
    assert_same(modifier(y, x), slow, [y, x, modifier.rows])


@pytest.mark.parametrize("scale", [0.5, 1.0])
@pytest.mark.parametrize("T", [1, 7, 13])
def test_a_sparse_gate_is_a_sigmoid_of_twelve_channels(T, scale):
    modifier, y, x = stirred(SparseHeadGate(scale=scale).build(HERE)), noise(2, 3, T, 6, seed=1), noise(2, T, 18)
    opened = [1 / (1 + (-scale * sum(x[..., c] * modifier.rows[h, c] for c in range(12))).exp()) for h in range(3)]
    slow = torch.stack([opened[h].unsqueeze(-1) * y[:, h] for h in range(3)], 1)
    assert_same(modifier(y, x), slow, [y, x, modifier.rows])


@pytest.mark.parametrize("T", [1, 7, 13])
def test_an_open_gate_is_twice_a_sigmoid_of_twelve_channels(T):
    modifier, y, x = stirred(OpenHeadGate().build(HERE)), noise(2, 3, T, 6, seed=1), noise(2, T, 18)
    opened = [2 / (1 + (-sum(x[..., c] * modifier.rows[h, c] for c in range(12))).exp()) for h in range(3)]
    slow = torch.stack([opened[h].unsqueeze(-1) * y[:, h] for h in range(3)], 1)
    assert_same(modifier(y, x), slow, [y, x, modifier.rows])


def test_an_open_gate_changes_no_bit_at_the_start():
    y = noise(2, 3, 5, 6)
    assert torch.equal(OpenHeadGate().build(HERE).double()(y, noise(2, 5, 18)), y)


@pytest.mark.parametrize("technique", [HeadGate, SparseHeadGate])
def test_gates_start_half_open(technique):
    y = noise(2, 3, 5, 6)
    torch.testing.assert_close(technique().build(HERE).double()(y, noise(2, 5, 18)), y / 2)


@pytest.mark.parametrize("T", [1, 7, 13])
def test_later_layers_blend_in_the_values_of_the_first(T):
    first, later, context = ValueResidual().build(HERE), stirred(ValueResidual().build(LAST)), text(2, T)
    v0, v3 = noise(2, 3, T, 6, seed=1), noise(2, 3, T, 6, seed=2)
    first(v0, context)
    assert_same(later(v3, context), later.shares[0] * v0 + later.shares[1] * v3, [v0, v3, later.shares])


def test_the_first_layer_keeps_its_values():
    v, context = noise(2, 3, 5, 6), text(2, 5)
    assert ValueResidual().build(HERE)(v, context) is v


def test_shares_of_values_start_where_the_knob_says_and_sum_to_one():
    assert ValueResidual(start=0.25).build(LAST).shares.tolist() == [0.25, 0.75]


@pytest.mark.parametrize(("G", "K"), [(3, 6), (1, 18)])
@pytest.mark.parametrize("T", [1, 7, 13])
def test_a_bytes_row_is_added_to_its_values(T, G, K):
    modifier, context, v = stirred(ValueEmbed().build(LAST)), text(2, T), noise(2, G, T, K, seed=1)
    slow = torch.stack(
        [
            torch.stack(
                [v[b, :, t] + modifier.table.weight[context.tokens_BT[b, t]].reshape(G, K) for t in range(T)],
                1,
            )
            for b in range(2)
        ]
    )
    assert_same(modifier(v, context), slow, [v, modifier.table.weight])


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_value_embeddings_stand_in_the_last_layers(layers):
    built = [ValueEmbed(layers=layers).build(Site(18, 3, layer, 4, 13, 256)) is not None for layer in range(4)]
    assert built == [False] * (4 - layers) + [True] * layers


def test_a_base_turns_pair_j_by_its_power():
    x = noise(1, 2, 13, 6)
    z = torch.complex(x[..., :3], x[..., 3:])
    angle = torch.tensor([[t * 200 ** (-j / 3) for j in range(3)] for t in range(13)], dtype=torch.float64)
    z = z * torch.polar(torch.ones_like(angle), -angle)
    assert_same(RopeBase(base=200.0).build(HERE)(x), torch.cat((z.real, z.imag), -1), [x], **TABLE)


@pytest.mark.parametrize("T", [1, 7, 13])
def test_heads_that_share_a_value_each_lose_their_part_along_it(T):
    y, v = noise(2, 6, T, 5, seed=0), noise(2, 2, T, 5, seed=1)
    slow = torch.stack([Exclusion()(y[:, h : h + 1], v[:, h // 3 : h // 3 + 1])[:, 0] for h in range(6)], 1)
    assert_same(Exclusion()(y, v), slow, [y, v])


def test_exclusion_makes_no_copies_of_shared_values(monkeypatch):
    normed = []
    plain = nn.functional.normalize
    monkeypatch.setattr(nn.functional, "normalize", lambda v, dim: normed.append(v.shape) or plain(v, dim=dim))
    Exclusion()(noise(2, 6, 3, 5), noise(2, 2, 3, 5))
    assert normed == [(2, 2, 3, 5)]


def test_all_modifiers_together_act_in_the_order_of_their_points():
    """Given in reverse: the mixer, not the config, says what comes first."""
    techniques = (HeadGate(), ValueResidual(), ValueEmbed(), QkGain(), RopeBase(base=200.0))
    gate, blend, table, gain, turn = modifiers = [stirred(t.build(LAST), seed) for seed, t in enumerate(techniques)]
    exclusion, mixer = Exclusion(), stirred(Softmax().build(LAST, [*modifiers, Exclusion()]), 40)
    x, context = noise(2, 7, 18, seed=7), text(2, 7)
    context.values[0] = noise(2, 3, 7, 6, seed=8)

    q, k, v = (
        (x @ part.weight.T).unflatten(-1, (3, 6)).transpose(1, 2) for part in (mixer.query, mixer.key, mixer.value)
    )
    rotation = Rotation(6, 6, 13, 200.0).double()
    q, k = rotation(by_formula_rms(q)) * gain.gain.view(3, 1, 1), rotation(by_formula_rms(k))
    v = blend.shares[0] * context.values[0] + blend.shares[1] * table(v, context)
    y = gate(exclusion(softmax_reference(q, k, v), v), x)
    slow = y.transpose(1, 2).flatten(2) @ mixer.output.weight.T
    assert_same(mixer(x, context), slow, [x, *mixer.parameters()], **TABLE)
    assert mixer.rotation is turn


PAIRS = [
    pair
    for kind in (("head_gate", "sparse_head_gate", "open_head_gate"), ("nope", "partial_rope", "rope_base"))
    for pair in itertools.combinations(kind, 2)
]


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_two_of_a_kind_refuse_each_other(pair):
    picks = [full_pick("mixer_modifiers", name, {}) for name in pair]
    assert len(refusals(BASE.replaced("mixer_modifiers", picks))) == 1


@pytest.mark.parametrize(("mixer", "modifier"), [("gqa", "value_embed"), ("differential", "head_gate")])
def test_a_modifier_that_does_not_fit_a_mixer_is_refused(mixer, modifier):
    config = BASE.replaced("mixer", [full_pick("mixer", mixer, {})])
    config = config.replaced("mixer_modifiers", [full_pick("mixer_modifiers", modifier, {})])
    (why,) = refusals(config)
    assert why.startswith(f"{modifier} attaches to a mixer's ")
