"""Number formats one by one: how far they may err, which codes they use, how their bits lie in the file.

Shapes: R rows, C columns, G groups of a row, S weights of a group.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.catalog import CATALOG, realise
from bench.divisions import BASE
from bench.layers import Params, Role
from bench.techniques.precision.binary import BINARY, Binary
from bench.techniques.precision.floats import Floats
from bench.techniques.precision.fp32 import Fp32
from bench.techniques.precision.int4 import INT4
from bench.techniques.precision.int8_post import Int8Post
from bench.techniques.precision.rows import Rows, packed_codes, unpacked_codes
from bench.techniques.precision.ternary import TERNARY, Ternary, packed_trits, unpacked_trits

GROUPS = (Ternary(), Binary())
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def weights(draw, sizes=(0.0, 1e-12, 1e-7, 3e-6, 1e-4, 9e-4, 0.03, 1.0, 300.0)):
    rows, cols = draw(st.integers(1, 5)), draw(st.sampled_from((1, 2, 9, 127, 128, 129, 300)))
    size = draw(st.lists(st.sampled_from(sizes), min_size=rows, max_size=rows))
    return gaussian(rows, cols, draw(st.integers(0, 2**32))) * torch.tensor(size).unsqueeze(1)


def gaussian(rows, cols, seed=0):
    return torch.randn(rows, cols, generator=torch.Generator().manual_seed(seed))


def kind(number_format):
    return type(number_format).__name__


def packed_and_back(number_format, weight):
    return number_format.decode(number_format.encode(weight), tuple(weight.shape))


def groups(row):
    """A row in pieces of 128, the last one shorter."""
    return [row[at : at + 128] for at in range(0, len(row), 128)]


# Rows of whole numbers.

ROWS = pytest.mark.parametrize("rows", [Rows(8), Rows(6), Rows(5), Rows(4)], ids=lambda rows: f"int{rows.bits}")


@quick
@given(weight=weights(), bits=st.sampled_from((8, 6, 5, 4)))
def test_rows_err_by_half_a_scale_at_most(weight, bits):
    error = (packed_and_back(Rows(bits), weight) - weight).abs()
    # a few parts in ten million for the arithmetic in single precision
    bound = 0.5 * Rows(bits).fitted(weight)[1].unsqueeze(1) * (1 + 127 * 2**-22)
    assert bool((error <= bound).all())


@quick
@given(weight=weights(), bits=st.sampled_from((8, 6, 5, 4)))
def test_codes_of_rows_are_whole_and_in_range(weight, bits):
    codes, _ = Rows(bits).fitted(weight)
    assert torch.equal(codes, codes.round())
    assert codes.abs().max() <= 2 ** (bits - 1) - 1


@quick
@given(weight=weights(), bits=st.sampled_from((8, 6, 5, 4)))
def test_scales_of_rows_are_stored_without_loss(weight, bits):
    _, scales = Rows(bits).fitted(weight)
    assert torch.equal(scales.half().float(), scales)


@ROWS
def test_rows_use_every_code(rows):
    codes, _ = rows.fitted(torch.linspace(-3e-3, 3e-3, 2**rows.bits - 1).unsqueeze(0))
    assert codes.tolist() == [list(range(-rows.levels, rows.levels + 1))]


@ROWS
def test_the_largest_weight_of_a_row_gets_the_last_code_down_to_the_smallest_scale(rows):
    """With finer scales the largest weight of such a row missed its own levels by up to a whole one."""
    sizes = rows.levels * rows.smallest_scale * torch.linspace(1, 3, 400)
    codes, _ = rows.fitted(torch.stack((sizes, -sizes / 3), 1))
    assert codes[:, 0].unique().tolist() == [rows.levels]


@ROWS
def test_rows_too_small_for_a_scale_of_their_own_are_rounded_on_the_smallest(rows):
    weight = torch.tensor([[1.49 * rows.levels * 2**-24, 2**-24]])
    assert rows.fitted(weight)[1].item() == rows.smallest_scale
    assert (packed_and_back(rows, weight) - weight).abs().max() <= rows.smallest_scale / 2


@quick
@given(codes=st.lists(st.integers(-7, 7), min_size=1, max_size=40), bits=st.integers(4, 8))
def test_codes_come_back_from_their_bits(codes, bits):
    packed = packed_codes(np.array(codes, np.int8), bits)
    assert len(packed) == math.ceil(len(codes) * bits / 8)
    assert unpacked_codes(packed, len(codes), bits).tolist() == codes


def test_codes_of_four_bits_lie_two_to_a_byte():
    assert packed_codes(np.array([1, -1, 7], np.int8), 4) == bytes([0x1F, 0x70])


def test_codes_of_six_bits_lie_across_bytes():
    assert packed_codes(np.array([-31, 0, 1, 31], np.int8), 6) == bytes([0b100001_00, 0b0000_0000, 0b01_011111])


def test_int8_is_scales_and_then_a_byte_a_code():
    weight = torch.tensor([[-127.0, 1.0], [63.5, 0.0]])
    assert Int8Post().encode(weight, Role.MATRIX) == np.array([1, 0.5], "<f2").tobytes() + bytes([129, 1, 127, 0])


# Floating-point numbers.


@quick
@given(bits=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=12))
def test_fp32_gives_back_the_very_bits(bits):
    weight = torch.from_numpy(np.array([bits], np.uint32).view(np.float32))
    back = Fp32().decode(Fp32().encode(weight, Role.MATRIX), tuple(weight.shape), Role.MATRIX)
    assert back.numpy().tobytes() == weight.numpy().tobytes()


@quick
@given(weight=weights())
def test_bf16_errs_by_a_256th_at_most(weight):
    assert bool(((packed_and_back(Floats(torch.bfloat16), weight) - weight).abs() <= weight.abs() / 256).all())


@quick
@given(weight=weights())
def test_fp16_errs_by_a_2048th_or_half_its_smallest_number_at_most(weight):
    error = (packed_and_back(Floats(torch.float16), weight) - weight).abs()
    assert bool((error <= (weight.abs() / 2048).clamp_min(2**-25)).all())


def test_fp16_holds_what_is_too_large_and_drops_what_is_too_small():
    weight = torch.tensor([[1e6, -65520.0, 65519.0, 2.0**-24, 2.0**-25]])
    assert packed_and_back(Floats(torch.float16), weight).tolist() == [[65504, -65504, 65504, 2.0**-24, 0]]


def test_bf16_keeps_the_upper_half_of_a_number():
    assert Floats(torch.bfloat16).encode(torch.tensor([[1.0, -2.5]])) == bytes([0x80, 0x3F, 0x20, 0xC0])


# Groups.


def ternary_reference(row):
    """b1.58's codes, and the mean over what they keep; numbers one by one in double precision."""
    out = []
    for group in groups([float(w) for w in row]):
        half_mean = sum(map(abs, group)) / len(group) / 2
        kept = [abs(w) for w in group if abs(w) > half_mean]
        scale = math.fsum(kept) / len(kept) if kept else 0.0
        out += [math.copysign(scale, w) if abs(w) > half_mean else 0.0 for w in group]
    return out


def binary_reference(row):
    out = []
    for group in groups([float(w) for w in row]):
        scale = math.fsum(map(abs, group)) / len(group)
        out += [math.copysign(scale, w) for w in group]
    return out


@pytest.mark.parametrize("cols", [1, 7, 128, 300])
@pytest.mark.parametrize(
    ("fast", "slow"), [(Ternary(), ternary_reference), (Binary(), binary_reference)], ids=["ternary", "binary"]
)
def test_groups_agree_with_the_reference(fast, slow, cols):
    weight = gaussian(5, cols) * torch.tensor([0.0, 1e-3, 0.03, 1.0, 300.0]).unsqueeze(1)
    expected = torch.tensor([slow(row) for row in weight])
    # scales are halves: 11 significant bits
    torch.testing.assert_close(fast.rounded(weight), expected, rtol=2**-11, atol=0)


@pytest.mark.parametrize("number_format", GROUPS, ids=kind)
def test_no_other_scale_of_a_group_errs_less(number_format):
    """A hundredth either way is worse; so is b1.58's own, the mean that counts the zeros too."""
    weight = gaussian(4, 128).double()
    rounded = number_format.rounded(weight.float()).double()
    errors = [(rounded * change - weight).square().sum(1) for change in (0.99, 1.01)]
    codes = rounded.sign()
    errors += [(codes * weight.abs().mean(1, keepdim=True) - weight).square().sum(1)]
    # both formats share their scale with the last only where nothing is zero
    assert all(bool(((rounded - weight).square().sum(1) <= error * (1 + 1e-6)).all()) for error in errors)


@pytest.mark.parametrize("number_format", GROUPS, ids=kind)
def test_a_group_does_not_know_its_neighbours(number_format):
    weight = gaussian(2, 300)
    other = weight.clone()
    other[:, 128:256] *= 50
    other[1, 256:] = 0
    unchanged = number_format.rounded(weight)[:, :128], number_format.rounded(weight)[0, 256:]
    rounded = number_format.rounded(other)
    assert torch.equal(rounded[:, :128], unchanged[0])
    assert torch.equal(rounded[0, 256:], unchanged[1])


@pytest.mark.parametrize("number_format", GROUPS, ids=kind)
@pytest.mark.parametrize("size", [2.0**-25, 2.0**-24, 3e-7, 65504.0])
def test_a_rounded_group_is_its_own_rounding_at_the_ends_of_half_precision(number_format, size):
    once = number_format.rounded(gaussian(64, 300) * size)
    assert number_format.rounded(once).numpy().tobytes() == once.numpy().tobytes()


def test_ternary_uses_its_three_codes():
    codes, _ = Ternary().fitted(gaussian(1, 128))
    assert codes.unique().tolist() == [-1, 0, 1]


def test_ternary_drops_what_lies_below_half_the_mean():
    assert Ternary().rounded(torch.tensor([[2.0, -2.0, 0.5, 0.5, -0.55]])).tolist() == [[2, -2, 0, 0, -0.0]]
    assert Ternary().rounded(torch.tensor([[2.0, -1.0, 0.0, 0.0]])).tolist() == [[1.5, -1.5, 0, 0]]


def test_binary_keeps_signs_and_the_mean_size():
    assert Binary().rounded(torch.tensor([[3.0, -1.0, -0.0, 0.0]])).tolist() == [[1, -1, -1, 1]]


def test_five_trits_lie_in_a_byte():
    assert packed_trits(np.array([1, 1, 1, 1, 1, -1, -1, -1, -1, 0], np.int8)) == bytes([242, 81])


@quick
@given(codes=st.lists(st.integers(-1, 1), min_size=1, max_size=23))
def test_trits_come_back_from_their_bytes(codes):
    packed = packed_trits(np.array(codes, np.int8))
    assert len(packed) == math.ceil(len(codes) / 5)
    assert unpacked_trits(packed, len(codes)).tolist() == codes


def test_binary_is_scales_and_then_a_bit_a_weight():
    weight = torch.tensor([[-1.0, 1.0, -1.0], [0.5, 0.5, 0.5]])
    assert Binary().encode(weight) == np.array([1, 0.5], "<f2").tobytes() + bytes([0b10100000])


# What they come to on the baseline.

BITS = {"fp32": 32, "bf16": 16, "fp16": 16, "int8": 8, "int6": 6, "int5": 5, "int4": 4, "ternary": 1.6, "binary": 1}
# Its rule passes what has 65,536 numbers or fewer through in half precision, and no matrix here has more.
BITS["int8_clipped"] = 16
# A byte a code, whatever its bits: the codec makes it small.
BITS |= dict.fromkeys(("int_rows", "clip_search", "sdclip"), 8)


@pytest.mark.parametrize("technique", CATALOG["precision"], ids=lambda t: t.name)
def test_a_weight_inside_the_baselines_blocks_takes_its_bits_and_a_scales_share(technique):
    with torch.device("meta"):
        matrices = Params(realise(BASE).model(96)).matrices
    stated = 8 * sum(technique().encoded_bytes(tuple(p.shape), Role.MATRIX) for p in matrices)
    per_weight = stated / sum(p.numel() for p in matrices)
    # a half for 128 weights at most, and what fills up a tensor's last byte
    own = technique.name if technique.name in BITS else technique.name.split("_")[0]
    assert 0 <= per_weight - BITS[own] <= 16 / 128 + 1e-3


@pytest.mark.parametrize("low", [INT4, TERNARY, BINARY], ids=["int4", "ternary", "binary"])
@pytest.mark.parametrize("role", [Role.EMBEDDING, Role.TABLE, Role.HEAD])
def test_formats_of_four_bits_and_fewer_keep_embedding_tables_and_head_at_int8(low, role):
    weight = gaussian(3, 130)
    assert low.encode(weight, role) == Int8Post().encode(weight, role)
