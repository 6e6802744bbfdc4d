"""The attention mixers against slow forms that follow each definition byte by byte, in float64 and at odd lengths.

Shapes: B batch, T time, D width, H heads, G heads of keys and values, K head width.
"""

import math

import pytest
import torch
from reference import HERE, assert_same, by_formula_rms, noise, text

from bench.skeleton import Site
from bench.techniques.mixer.differential import Differential
from bench.techniques.mixer.gqa import Gqa
from bench.techniques.mixer.sliding_window import SlidingWindow
from bench.techniques.mixer.softmax import Rotation, Softmax, bytes_back
from bench.techniques.mixer.sparse import Sparse

FOUR_HEADS = Site(width=24, n_head=4, layer=2, n_layer=4, seq_len=13, vocab=256)

# the tables of angles are kept in single precision
TABLE = {"rtol": 1e-5, "atol": 1e-6}


def prepared(technique, site):
    """A mixer in float64 whose weights are all alive."""
    mixer = technique.build(site).double()
    for seed, p in enumerate(mixer.parameters()):
        p.data = noise(*p.shape, seed=seed).detach() / 4
    return mixer


def projected(mixer, x_BTD, K):
    """Queries and keys, normed and rotated, and values: each as heads of width K."""
    turn = Rotation(K, K, x_BTD.size(1)).double()
    q, k, v = (
        (x_BTD @ part.weight.T).unflatten(-1, (-1, K)).transpose(1, 2) for part in (mixer.query, mixer.key, mixer.value)
    )
    return turn(by_formula_rms(q)), turn(by_formula_rms(k)), v


def slow_map(q_TK, k_TK, seen):
    """Row t: what query t gives to each key it sees, by the formula."""
    rows = []
    for t in range(len(q_TK)):
        row = torch.zeros(len(q_TK), dtype=q_TK.dtype)
        row[seen(t)] = (k_TK[seen(t)] @ q_TK[t] / math.sqrt(q_TK.size(-1))).softmax(-1)
        rows.append(row)
    return torch.stack(rows)


def slow_attention(mixer, x_BTD, site, seen, kv_heads):
    """`seen(h, t)` lists the places that head h sees from t; heads share keys and values in groups of neighbours."""
    q, k, v = projected(mixer, x_BTD, site.head_width)
    share = site.n_head // kv_heads
    y_BHTK = torch.stack(
        [
            torch.stack(
                [
                    slow_map(q[b, h], k[b, h // share], lambda t, h=h: seen(h, t)) @ v[b, h // share]
                    for h in range(site.n_head)
                ]
            )
            for b in range(len(x_BTD))
        ]
    )
    return y_BHTK.transpose(1, 2).flatten(2) @ mixer.output.weight.T


def check(technique, site, T, seen, kv_heads):
    mixer, x_BTD = prepared(technique, site), noise(2, T, site.width, seed=7)
    slow_BTD = slow_attention(mixer, x_BTD, site, seen, kv_heads)
    assert_same(mixer(x_BTD, text(2, T)), slow_BTD, [x_BTD, *mixer.parameters()], **TABLE)


def everything(h, t):
    return list(range(t + 1))


@pytest.mark.parametrize("T", [1, 7, 13])
def test_a_sliding_window_sees_its_last_bytes(T):
    check(SlidingWindow(window=8), HERE, T, lambda h, t: list(range(max(0, t - 7), t + 1)), HERE.n_head)


def test_a_window_as_long_as_the_text_is_full_attention():
    site = Site(18, 3, 0, 4, 24, 256)
    full, windowed, x_BTD = prepared(Softmax(), site), prepared(SlidingWindow(window=24), site), noise(2, 24, 18)
    assert_same(windowed(x_BTD, text(2, 24)), full(x_BTD, text(2, 24)), [x_BTD], rtol=1e-10, atol=1e-12)


def test_a_window_one_byte_shorter_is_not_full_attention():
    site = Site(18, 3, 0, 4, 24, 256)
    full, windowed, x_BTD = prepared(Softmax(), site), prepared(SlidingWindow(window=23), site), noise(2, 24, 18)
    differs = ~torch.isclose(windowed(x_BTD, text(2, 24)), full(x_BTD, text(2, 24))).all(-1).all(0)
    assert differs.tolist() == [False] * 23 + [True]


@pytest.mark.parametrize("kv_heads", [1, 2])
@pytest.mark.parametrize("T", [1, 7, 13])
def test_neighbouring_heads_share_keys_and_values(T, kv_heads):
    check(Gqa(kv_heads=kv_heads), FOUR_HEADS, T, everything, kv_heads)


def by_the_paper(stride):
    """Child et al. 2019, 4.2: `{max(0, t - stride), ..., t}` for one head, every stride-th byte for the next."""
    return lambda h, t: list(range(t % stride, t + 1, stride)) if h % 2 else list(range(max(0, t - stride), t + 1))


@pytest.mark.parametrize("T", [1, 7, 13])
@pytest.mark.parametrize("stride", [4, 5])
def test_sparse_heads_see_the_last_bytes_or_every_few(T, stride):
    check(Sparse(stride=stride), FOUR_HEADS, T, by_the_paper(stride), FOUR_HEADS.n_head)


@pytest.mark.parametrize("stride", [4, 10, 24])
def test_sparse_attention_reaches_every_earlier_byte_in_two_layers(stride):
    allowed = Sparse(stride=stride).build(Site(32, 4, 0, 4, 96, 256)).attend.allowed[0]
    seen = allowed.any(0).float()
    assert torch.equal(seen @ seen > 0, bytes_back(96) >= 0)


def slow_differential(mixer, x_BTD, site):
    q, k, v = projected(mixer, x_BTD, site.head_width)
    base = 0.8 - 0.6 * math.exp(-0.3 * site.layer)
    vectors = mixer.attend
    share = (vectors.a1 @ vectors.b1).exp() - (vectors.a2 @ vectors.b2).exp() + base
    rows = []
    for b in range(len(x_BTD)):
        heads = []
        for g in range(site.n_head // 2):
            one, two = (slow_map(q[b, h], k[b, h], lambda t: list(range(t + 1))) for h in (2 * g, 2 * g + 1))
            wide = torch.cat((v[b, 2 * g], v[b, 2 * g + 1]), -1)
            heads.append((1 - base) * by_formula_rms((one - share * two) @ wide))
        rows.append(torch.cat(heads, -1))
    return torch.stack(rows) @ mixer.output.weight.T


@pytest.mark.parametrize("T", [1, 7, 13])
def test_differential_attention_equals_its_formula(T):
    mixer, x_BTD = prepared(Differential(), FOUR_HEADS), noise(2, T, FOUR_HEADS.width, seed=7)
    slow_BTD = slow_differential(mixer, x_BTD, FOUR_HEADS)
    assert_same(mixer(x_BTD, text(2, T)), slow_BTD, [x_BTD, *mixer.parameters()], **TABLE)


@pytest.mark.parametrize(("layer", "base"), [(0, 0.2), (1, 0.3555), (3, 0.5561)])
def test_lambda_starts_at_the_papers_base(layer, base):
    difference = Differential().build(Site(24, 4, layer, 4, 13, 256)).attend
    vectors = difference.a1 @ difference.b1 - difference.a2 @ difference.b2
    assert (difference.base, vectors.item()) == (pytest.approx(base, abs=1e-4), 0.0)


def test_differential_attention_has_softmaxs_projections():
    ours, plain = (dict(t().build(FOUR_HEADS).named_parameters()) for t in (Differential, Softmax))
    assert {name: p.shape for name, p in ours.items() if name.endswith("weight")} == {
        name: p.shape for name, p in plain.items()
    }


def test_an_odd_number_of_maps_is_caught():
    with pytest.raises(AssertionError, match="3 maps can't be paired"):
        Differential().build(HERE)


def test_masks_are_not_part_of_what_is_saved():
    assert set(SlidingWindow().build(HERE).state_dict()) == {f"{p}.weight" for p in ("query", "key", "value", "output")}
