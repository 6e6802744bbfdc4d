"""Row formats of golf against their definitions, in float64 and a row at a time; and which tensor gets which format."""

import math
import statistics

import numpy as np
import pytest
import torch

from bench.artifact import pack, unpack
from bench.catalog import CATALOG, alone, full_pick, realise, refusals
from bench.config import Budget
from bench.divisions import DIVISIONS, GOLF_CPU_OPEN, GOLF_OPEN, baseline
from bench.examine import stirred
from bench.layers import Params, Role
from bench.packing import Packing
from bench.run import initialise
from bench.techniques.precision.clip_search import QUANTILES, RATIOS, ClipSearch
from bench.techniques.precision.int_rows import IntRows
from bench.techniques.precision.sdclip import SdClip
from bench.tracks import GOLF_CPU

GOLFS = ("int_rows", "clip_search", "sdclip")
HALF = 65504.0


def drawn(R=6, C=200, seed=0):
    """Rows of several sizes, some with an outlier."""
    noise = torch.Generator().manual_seed(seed)
    weight = torch.randn(R, C, generator=noise) * torch.logspace(-3, 0.5, R).unsqueeze(1)
    weight[::2, 5] *= 9
    return weight


def read(packed, R, C):
    """Scales and codes as the bytes hold them."""
    return np.frombuffer(packed[: 2 * R], "<f2").astype(np.float64), np.frombuffer(packed[2 * R :], np.int8).reshape(
        R, C
    )


def half(number):
    return float(np.float16(min(number, HALF)))


def nearest(row, step, levels):
    return [max(-levels, min(levels, round(w / step))) for w in row]


def largest(row, levels):
    return half(max(map(abs, row)) / levels)


def deviations(k):
    return lambda row, levels: half(k * statistics.pstdev(row) / levels)


def quantile(sizes, q):
    """Linear between order statistics."""
    ordered, at = sorted(sizes), q * (len(sizes) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def searched(row, levels):
    sizes = [abs(w) for w in row]
    clips = [max(sizes) * share for share in RATIOS] + [quantile(sizes, q) for q in QUANTILES]

    def error(step):
        return math.fsum((w - code * step) ** 2 for w, code in zip(row, nearest(row, step, levels), strict=True))

    return min((half(clip / levels) for clip in clips), key=error)


CASES = [
    (IntRows(bits=6, embedding_bits=7), largest, largest),
    (IntRows(bits=7), largest, largest),
    (SdClip(bits=5, k=4.0, embedding_k=15.0), deviations(4.0), deviations(15.0)),
    (SdClip(), deviations(12.85), deviations(20.0)),
    (ClipSearch(bits=4), searched, searched),
    (ClipSearch(), searched, searched),
]


@pytest.mark.parametrize(("technique", "in_blocks", "in_embedding"), CASES, ids=lambda case: getattr(case, "name", ""))
def test_steps_and_codes_are_those_of_the_definition(technique, in_blocks, in_embedding):
    weight = drawn()
    R, C = weight.shape
    for role, rule, bits in (
        (Role.MATRIX, in_blocks, technique.bits),
        (Role.OUTPUT, in_blocks, technique.bits),
        (Role.EMBEDDING, in_embedding, technique.embedding_bits),
        (Role.HEAD, in_embedding, technique.embedding_bits),
    ):
        levels = 2 ** (bits - 1) - 1
        steps, found = read(technique.encode(weight, role), R, C)
        for row, step, codes in zip(weight.double().tolist(), steps, found, strict=True):
            # single precision may round a step to the neighbouring half
            assert step == pytest.approx(rule(row, levels), rel=2e-3)
            expected = np.array(nearest(row, step, levels))
            assert np.abs(expected - codes).max() <= 1
            assert (expected != codes).mean() < 0.01


def test_a_search_never_leaves_more_error_than_the_largest_weight_would():
    weight = drawn(R=12, seed=1)
    for bits in (3, 4, 5, 6, 8):
        errors = []
        for technique in (ClipSearch(bits=bits), IntRows(bits=bits)):
            shipped = technique.decode(technique.encode(weight, Role.MATRIX), tuple(weight.shape), Role.MATRIX)
            errors.append((shipped.double() - weight.double()).square().sum(1))
        assert (errors[0] <= errors[1]).all()
        assert bits > 5 or (errors[0] < 0.9 * errors[1]).any()


def test_a_wider_clip_compresses_better_and_errs_more():
    weight = torch.randn(64, 512, generator=torch.Generator().manual_seed(4)) * 0.05
    codec = CATALOG["codec"][0](level=19)

    def told(k):
        packed = SdClip(k=k).encode(weight, Role.MATRIX)
        shipped = SdClip(k=k).decode(packed, tuple(weight.shape), Role.MATRIX)
        return 8 * len(codec.compress(packed)) / weight.numel(), (shipped - weight).square().mean().item()

    (bits_at_6, error_at_6), (bits_at_12, error_at_12) = told(6.0), told(12.0)
    assert error_at_12 > 2 * error_at_6
    assert bits_at_6 - bits_at_12 == pytest.approx(1.0, abs=0.15)


def golf(precision="sdclip", n_layer=3, **modifiers):
    config = baseline(Budget(steps=2, batch=1, seq_len=16), GOLF_CPU.name)
    config = config.replaced(
        "shape", [full_pick("shape", "sized", {"n_layer": n_layer, "n_head": 4, "head_width": 16})]
    )
    config = config.replaced("precision", [full_pick("precision", precision, {})])
    return config.replaced(
        "precision_modifiers", [full_pick("precision_modifiers", m, k) for m, k in modifiers.items()]
    )


def formats(config):
    """The number format of each rounded tensor, in words."""
    stack = realise(config)
    packing = Packing(stack)

    def said(param):
        precision = packing.precision(param)
        bits = getattr(precision, "bits", 16)
        return f"{precision.name} {bits}"

    return {p.name: said(p) for p in Params(stack.model(16)).all if p.tensor.dim() == 2 and p.role is not Role.VECTOR}


@pytest.mark.parametrize("precision", GOLFS)
def test_the_feed_forward_alone_gets_bits_of_its_own(precision):
    found = formats(golf(precision, ffn_bits={"bits": 5}))
    assert {name for name, said in found.items() if said == f"{precision} 5"} == {
        f"blocks.{layer}.ffn.{part}.weight" for layer in range(3) for part in ("up", "down")
    }
    assert {said for name, said in found.items() if ".ffn." not in name} == {f"{precision} 6"}


def test_the_embedding_alone_stays_in_half_precision():
    found = formats(golf(half_embedding={}))
    assert [name for name, said in found.items() if said == "fp16_post 16"] == ["embedding.weight"]


@pytest.mark.parametrize(("layers", "kept"), [(1, (3,)), (2, (2, 3)), (4, (0, 1, 2, 3))])
def test_the_keys_of_the_last_blocks_stay_in_half_precision(layers, kept):
    found = formats(golf(n_layer=4, late_k={"layers": layers}))
    assert [name for name, said in found.items() if said == "fp16_post 16"] == [
        f"blocks.{layer}.mixer.key.weight" for layer in kept
    ]


@pytest.mark.parametrize(("n_layer", "outer", "middle"), [(4, 1, (1, 2)), (10, 3, (3, 4, 5, 6)), (4, 2, ())])
@pytest.mark.parametrize("precision", GOLFS)
def test_the_middle_blocks_alone_get_bits_of_their_own(precision, n_layer, outer, middle):
    found = formats(golf(precision, n_layer=n_layer, layer_bits={"bits": 4, "outer": outer}))
    coarse = {name for name, said in found.items() if said == f"{precision} 4"}
    assert coarse == {name for name in found if any(name.startswith(f"blocks.{layer}.") for layer in middle)}
    assert {said for name, said in found.items() if name not in coarse} == {f"{precision} 6"}


def test_bits_by_layer_and_by_part_meet_in_the_middle_and_leave_what_is_kept_in_half_precision():
    found = formats(golf(n_layer=4, layer_bits={"bits": 4, "outer": 1}, ffn_bits={"bits": 5}, late_k={"layers": 3}))
    assert found["blocks.0.ffn.up.weight"] == found["blocks.3.ffn.up.weight"] == "sdclip 5"
    assert found["blocks.1.ffn.up.weight"] == found["blocks.2.mixer.query.weight"] == "sdclip 4"
    assert [name for name, said in found.items() if said == "fp16_post 16"] == [
        f"blocks.{layer}.mixer.key.weight" for layer in (1, 2, 3)
    ]


def test_codes_of_a_middle_block_are_the_nearest_of_fewer():
    config = golf("int_rows", layer_bits={"bits": 4, "outer": 1})
    stack = realise(config)
    model = stack.model(16)
    initialise(Params(model), stack.init, seed=1)
    for layer, levels in ((0, 31), (1, 7), (2, 31)):
        (param,) = (p for p in Params(model).all if p.name == f"blocks.{layer}.mixer.query.weight")
        weight = param.tensor.detach().double().numpy()
        scales, codes = read(Packing(stack).precision(param).encode(param.tensor, param.role), *weight.shape)
        for row, step, found in zip(weight, scales, codes, strict=True):
            assert step == largest(row, levels)
            assert found.tolist() == nearest(row, step, levels)


@pytest.mark.parametrize("gate", ["head_gate", "sparse_head_gate", "open_head_gate"])
def test_gates_alone_become_codes_of_eight_bits_with_a_scale_a_head(gate):
    config = golf("int8_clipped", int8_gates={}).replaced("mixer_modifiers", [full_pick("mixer_modifiers", gate, {})])
    stack = realise(config)
    model = stirred(config)
    shipped, plain = unpack(pack(model, config), config), Packing(realise(golf("int8_clipped")))
    gates = [p for p in Params(model).all if p.name.endswith(".gates.0.rows")]
    assert len(gates) == 3
    for param in gates:
        H, C = param.tensor.shape
        packed = Packing(stack).precision(param).encode(param.tensor, param.role)
        assert len(packed) == Packing(stack).bytes_of(param) == H * (2 + C)
        scales, codes = read(packed, H, C)
        rows = param.tensor.detach().double().numpy()
        for row, step, found in zip(rows, scales, codes, strict=True):
            assert step == largest(row, 127)
            assert found.tolist() == nearest(row, step, 127)
        # codes of eight bits times halves are exact in single precision
        expected = torch.from_numpy(codes * scales[:, None]).float()
        assert torch.equal(shipped.get_parameter(param.name), expected)
    for param in Params(model).all:
        assert param in gates or type(Packing(stack).precision(param)) is type(plain.precision(param)), param.name


def test_formats_chosen_together_do_not_hide_each_other():
    found = formats(golf(ffn_bits={}, half_embedding={}, late_k={"layers": 1}))
    assert sorted(found.values()).count("fp16_post 16") == 2
    assert sorted(found.values()).count("sdclip 5") == 6


def test_the_official_baseline_may_keep_its_embedding():
    """In miniature its embedding alone is large enough to be rounded."""
    config = golf("int8_clipped", half_embedding={})
    assert refusals(config) == []
    assert formats(config)["embedding.weight"] == "fp16_post 16"


def test_keys_are_kept_only_where_there_are_some():
    config = golf(late_k={}).replaced("mixer", [full_pick("mixer", "mamba", {})])
    assert "late_k clashes with mamba: it has no key projection to keep (its definition)" in refusals(config)


@pytest.mark.parametrize("modifiers", [{}, {"ffn_bits": {}, "half_embedding": {}, "late_k": {}}], ids=["plain", "all"])
@pytest.mark.parametrize("precision", [*GOLFS, "int8_clipped"])
def test_each_tensor_comes_back_as_its_own_format_gives_it(precision, modifiers):
    if precision == "int8_clipped":
        modifiers = {name: knobs for name, knobs in modifiers.items() if name != "ffn_bits"}
    config = golf(precision, **modifiers)
    stack = realise(config)
    model = stack.model(16)
    initialise(Params(model), stack.init, seed=1)
    shipped = unpack(pack(model, config), config)
    for param in Params(model).all:
        own = Packing(stack).precision(param)
        expected = own.decode(own.encode(param.tensor.detach(), param.role), tuple(param.tensor.shape), param.role)
        assert torch.equal(shipped.get_parameter(param.name), expected), param.name


@pytest.mark.parametrize("name", [*GOLFS, "ffn_bits", "layer_bits", "half_embedding", "late_k", "int8_gates", "gptq"])
def test_golf_may_choose_them_and_featherweight_is_as_it_was(name):
    slot = "precision" if name in GOLFS else "precision_modifiers"
    assert all(division.enters(slot, name) for division in (GOLF_OPEN, GOLF_CPU_OPEN))
    assert all(division.breaches(alone(slot, name, Budget(steps=1))) for division in DIVISIONS)
