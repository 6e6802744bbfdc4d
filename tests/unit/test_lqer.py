"""LQER against numpy's singular values in float64, its files, and what it makes up for.

Shapes: R rows, C columns, K rank.
"""

import struct

import numpy as np
import pytest
import torch

from bench.artifact import pack, unpack
from bench.catalog import full_pick, realise, refusals
from bench.config import Budget
from bench.divisions import DIVISIONS, GOLF_OPEN, baseline
from bench.errors import ArtifactError
from bench.layers import Params, Role
from bench.packing import Packing
from bench.run import initialise
from bench.techniques.precision_modifiers.lqer import Factor, Lqer, LqerAsymmetric, low_rank
from bench.tracks import GOLF_CPU

BOTH = pytest.mark.parametrize("name", ["lqer", "lqer_asymmetric"])


def golf(**modifiers):
    config = baseline(Budget(steps=2, batch=1, seq_len=16), GOLF_CPU.name)
    config = config.replaced("shape", [full_pick("shape", "sized", {"n_layer": 2, "n_head": 4, "head_width": 16})])
    config = config.replaced("precision", [full_pick("precision", "int_rows", {"bits": 4, "embedding_bits": 4})])
    return config.replaced(
        "precision_modifiers", [full_pick("precision_modifiers", m, k) for m, k in modifiers.items()]
    )


@pytest.fixture(scope="module")
def model():
    """Its feed-forwards are largest, so rounding changes them most."""
    stack = realise(golf())
    made = stack.model(16)
    initialise(Params(made), stack.init, seed=1)
    noise = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for param in Params(made).all:
            size = 0.6 if ".ffn." in param.name else 0.05
            param.tensor.add_(torch.randn(param.tensor.shape, generator=noise), alpha=size)
    return made


def test_it_is_the_truncated_singular_value_decomposition():
    error = torch.randn(9, 14, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u, s, vt = np.linalg.svd(error.numpy(), full_matrices=False)
    for rank in (1, 4, 9, 20):
        left_RK, right_KC = low_rank(error, rank)
        product = (u[:, :rank] * s[:rank]) @ vt[:rank]
        torch.testing.assert_close(left_RK @ right_KC, torch.from_numpy(product), rtol=0, atol=1e-12)
        # what is left is what the singular values left out say
        assert (error - left_RK @ right_KC).norm().item() == pytest.approx(np.sqrt((s[rank:] ** 2).sum()), abs=1e-12)
        assert (right_KC.abs().amax(1) == right_KC.amax(1)).all()


def codes_by_hand(row, bits, group):
    """Each group's largest number is (2^(bits-1) - 1/2) steps; codes stay within two's complement."""
    high = 2 ** (bits - 1) - 1
    out = []
    for start in range(0, len(row), group):
        part = row[start : start + group]
        step = float(np.float16(max(map(abs, part)) / (high + 0.5)))
        out += [step * max(-high - 1, min(high, round(w / step))) for w in part]
    return out


@pytest.mark.parametrize(("bits", "group", "C"), [(4, 64, 150), (4, 64, 64), (2, 300, 300), (4, 64, 1)])
def test_factors_are_stored_as_described(bits, group, C):
    rows = torch.randn(3, C, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    factor = Factor(bits, group)
    packed = factor.encode(rows)
    assert len(packed) == factor.encoded_bytes((3, C))
    expected = torch.tensor([codes_by_hand(row, bits, group) for row in rows.tolist()], dtype=torch.float64)
    torch.testing.assert_close(factor.decode(packed, (3, C)), expected, rtol=0, atol=1e-12)


def test_a_factor_of_zeros_stays_zero():
    assert not Factor(4, 64).decode(Factor(4, 64).encode(torch.zeros(2, 70).double()), (2, 70)).any()


def errors(model, config):
    shipped = unpack(pack(model, config), config)
    return {
        p.name: (p.tensor.detach().double() - shipped.get_parameter(p.name).detach().double()).norm().item()
        for p in Params(model).all
    }


@BOTH
def test_the_most_changed_matrices_are_nearer_and_no_other_is_touched(name, model):
    before, after = errors(model, golf()), errors(model, golf(**{name: {"matrices": 3, "rank": 8}}))
    worst = sorted(before, key=lambda which: -before[which])[:3]
    assert {which for which in before if after[which] != before[which]} == set(worst)
    assert all(after[which] < before[which] for which in worst)


def test_more_rank_makes_up_for_more(model):
    (worst,) = sorted(errors(model, golf()).items(), key=lambda item: -item[1])[:1]
    left = [errors(model, golf(lqer={"matrices": 1, "rank": rank}))[worst[0]] for rank in (1, 4, 16)]
    assert worst[1] > left[0] > left[1] > left[2]


def section(model, name, **knobs):
    stack = realise(golf(**{name: knobs}))
    params = Params(model).all
    body = Packing(stack).encode(params, {})
    return stack, params, body[: Packing(stack).encoded_bytes(params)], body[Packing(stack).encoded_bytes(params) :]


@BOTH
def test_the_section_has_the_bytes_that_the_factors_state(name, model):
    _, params, _, added = section(model, name, matrices=2, rank=4)
    chosen = struct.unpack_from("<2H", added)
    expected = 4
    for n in chosen:
        R, C = params[n].tensor.shape
        assert params[n].role is not Role.VECTOR
        left = 2 + R if name == "lqer_asymmetric" else 4 * (2 * -(-R // 64)) + 2 * R
        expected += left + 4 * (2 * -(-C // 64)) + 2 * C
    assert len(added) == expected


@BOTH
def test_damaged_sections_are_refused(name, model):
    stack, params, body, added = section(model, name, matrices=2, rank=2)
    packing = Packing(stack)
    first, second = struct.unpack_from("<2H", added)
    vector = next(n for n, p in enumerate(params) if p.role is Role.VECTOR)
    for numbers in ((second, first), (first, first), (first, 60_000), tuple(sorted((first, vector)))):
        with pytest.raises(ArtifactError, match="which is no list of matrices"):
            packing.decode(body + struct.pack("<2H", *numbers) + added[4:], params)
    for cut in (1, 3, len(added) // 2, len(added) - 1):
        with pytest.raises(ArtifactError, match="ends before the correction of its weights"):
            packing.decode(body + added[:cut], params)
    with pytest.raises(ArtifactError, match=r"the artifact holds [\d,]+ bytes of weights where [\d,]+ belong"):
        packing.decode(body + added + b"\x00", params)


@BOTH
def test_the_same_model_gives_the_same_bytes_and_a_reader_gets_what_was_fitted(name, model):
    stack, params, body, added = section(model, name)
    assert section(model, name)[2:] == (body, added)
    assert all(t.dtype is torch.float32 for t in Packing(stack).decode(body + added, params))


def test_the_two_refuse_each_other_and_stand_beside_gptq():
    assert any("lqer_asymmetric clashes with lqer" in text for text in refusals(golf(lqer={}, lqer_asymmetric={})))
    assert refusals(golf(lqer={}, gptq={}, ffn_bits={}, half_embedding={})) == []


def test_golf_alone_has_them():
    for name in (Lqer.name, LqerAsymmetric.name):
        assert GOLF_OPEN.enters("precision_modifiers", name)
        assert not any(division.enters("precision_modifiers", name) for division in DIVISIONS)


def test_a_model_with_fewer_matrices_than_asked_for_is_corrected_throughout(model):
    before, after = errors(model, golf()), errors(model, golf(lqer={"matrices": 16, "rank": 4}))
    rounded = {p.name for p in Params(model).all if p.tensor.dim() == 2 and p.role is not Role.VECTOR}
    assert len(rounded) < 16
    assert {which for which in before if after[which] < before[which]} == rounded
