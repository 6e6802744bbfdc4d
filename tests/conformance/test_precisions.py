"""What every number format keeps: stated sizes are real, packing twice changes nothing, forward and file agree."""

import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.catalog import CATALOG, full_pick, realise, refusals
from bench.config import Budget
from bench.divisions import baseline
from bench.layers import Params, Role, as_is
from bench.run import run
from bench.techniques.precision.fp32 import Fp32
from bench.techniques.precision.int8_post import SMALLEST_SCALE, Int8Post, int8_rows
from bench.techniques.precision.int8_ste import Int8Ste, straight_through
from bench.training import Moment


@pytest.fixture(params=CATALOG["precision"], ids=lambda t: t.name)
def technique(request):
    return request.param


@st.composite
def weights(draw):
    """A tensor of any small shape whose rows differ wildly in size, zero rows among them."""
    rows, cols, seed = draw(st.integers(1, 7)), draw(st.integers(1, 9)), draw(st.integers(0, 2**32))
    size = draw(
        st.lists(st.sampled_from((0.0, 1e-12, 1e-7, 3e-6, 1e-4, 9e-4, 0.03, 1.0, 300.0)), min_size=rows, max_size=rows)
    )
    noise = torch.Generator().manual_seed(seed)
    return torch.randn(rows, cols, generator=noise) * torch.tensor(size).unsqueeze(1)


def packed_and_back(precision, weight, role):
    return precision.decode(precision.encode(weight, role), tuple(weight.shape), role)


ROLES = st.sampled_from((Role.MATRIX, Role.OUTPUT, Role.EMBEDDING, Role.HEAD))
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(weight=weights(), role=ROLES)
def check_stated_bytes(precision, weight, role):
    assert precision.encoded_bytes(tuple(weight.shape), role) == len(precision.encode(weight, role))


@quick
@given(weight=weights(), role=ROLES)
def check_packing_twice(precision, weight, role):
    once = precision.encode(weight, role)
    assert precision.encode(precision.decode(once, tuple(weight.shape), role), role) == once


@quick
@given(weight=weights(), role=ROLES)
def check_cast_of_shipped(precision, weight, role):
    shipped = packed_and_back(precision, weight, role)
    assert torch.equal(precision.cast(role)(shipped), shipped)


def test_stated_bytes_are_the_real_ones(technique):
    check_stated_bytes(technique())


def test_packing_what_was_unpacked_gives_the_same_bytes(technique):
    check_packing_twice(technique())


def test_the_forward_pass_sees_shipped_weights_as_they_are(technique):
    check_cast_of_shipped(technique())


def test_vectors_pass_through_exactly(technique):
    vector = torch.tensor([0.1, -0.0, 1e-40, 3e38])
    assert packed_and_back(technique(), vector, Role.VECTOR).numpy().tobytes() == vector.numpy().tobytes()
    assert technique().encoded_bytes((4,), Role.VECTOR) == len(technique().encode(vector, Role.VECTOR))


def test_it_keeps_shape_and_dtype(technique):
    shipped = packed_and_back(technique(), torch.randn(3, 5), Role.MATRIX)
    assert (shipped.shape, shipped.dtype) == ((3, 5), torch.float32)


def test_encoding_leaves_the_weight_alone(technique):
    weight = torch.randn(3, 5)
    before = weight.clone()
    technique().encode(weight, Role.MATRIX)
    technique().cast(Role.MATRIX)(weight)
    assert torch.equal(weight, before)


@quick
@given(bits=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=12))
def test_fp32_gives_back_the_very_bits(bits):
    weight = torch.from_numpy(np.array([bits], np.uint32).view(np.float32))
    assert packed_and_back(Fp32(), weight, Role.MATRIX).numpy().tobytes() == weight.numpy().tobytes()


@quick
@given(weight=weights())
def test_int8_errs_by_half_a_scale_at_most(weight):
    error = (packed_and_back(Int8Post(), weight, Role.MATRIX) - weight).abs()
    # a few parts in ten million for the arithmetic in single precision
    bound = 0.5 * int8_rows(weight)[1].unsqueeze(1) * (1 + 127 * 2**-22)
    assert bool((error <= bound).all())


@quick
@given(weight=weights())
def test_int8_codes_are_whole_and_in_range(weight):
    codes, _ = int8_rows(weight)
    assert torch.equal(codes, codes.round())
    assert codes.abs().max() <= 127


@quick
@given(weight=weights())
def test_int8_scales_are_stored_without_loss(weight):
    _, scales = int8_rows(weight)
    assert torch.equal(scales.half().float(), scales)


def test_int8_uses_all_levels_of_a_row():
    codes, _ = int8_rows(torch.tensor([[-1.0, 0.3, 0.99], [5e-3, -1e-3, 0.0]]))
    assert codes.abs().amax(1).tolist() == [127, 127]


def test_int8_leaves_a_row_of_zeros_at_zero():
    assert not packed_and_back(Int8Post(), torch.zeros(2, 3), Role.HEAD).any()


def test_int8_rounds_rows_too_small_for_a_scale_of_their_own():
    """With finer scales the largest weight of such a row missed its own levels by up to a whole one."""
    weight = torch.tensor([[1.49 * 127 * 2**-24, 2**-24]])
    assert int8_rows(weight)[1].item() == SMALLEST_SCALE
    assert (packed_and_back(Int8Post(), weight, Role.MATRIX) - weight).abs().max() <= SMALLEST_SCALE / 2


@quick
@given(weight=weights())
def test_straight_through_trains_what_it_ships(weight):
    assert torch.equal(straight_through(weight), packed_and_back(Int8Ste(), weight, Role.MATRIX))


def test_straight_through_passes_the_gradient_as_it_is():
    weight = torch.randn(3, 5, requires_grad=True)
    incoming = torch.randn(3, 5)
    straight_through(weight).backward(incoming)
    assert torch.equal(weight.grad, incoming)


def test_straight_through_leaves_vectors_alone():
    vector = torch.randn(5)
    assert Int8Ste().cast(Role.VECTOR)(vector) is vector


@pytest.mark.parametrize("lossless", ["fp32", "int8_ste"])
def test_packing_costs_nothing_where_the_forward_pass_saw_it_all_along(lossless, corpus, small_track):
    assert run(trained_in(lossless), 1001, corpus, small_track, lambda point: None).result.quant_gap == 0.0


def test_packing_costs_something_after_training_in_fp32(corpus, small_track):
    result = run(trained_in("int8_post"), 1001, corpus, small_track, lambda point: None).result
    assert result.quant_gap != 0.0
    assert math.isclose(result.quant_gap, 0.0, abs_tol=0.01)


def trained_in(precision, **late_rounding):
    base = baseline(Budget(steps=4, batch=2, seq_len=24))
    config = base.replaced("precision", [full_pick("precision", precision, {})])
    if not late_rounding:
        return config
    return config.replaced("precision_modifiers", [full_pick("precision_modifiers", "late_rounding", late_rounding)])


def test_late_rounding_leaves_the_forward_pass_alone_until_its_start():
    config = trained_in("int8_ste", start=0.5)
    stack = realise(config)
    model = stack.model(24)
    (switch, *_) = stack.hooks(Params(model), None)
    seen = []
    for step in range(4):
        switch.before_gradients(Moment(step, 4, model, None, None, None))
        seen.append({module.cast for module in model.modules() if hasattr(module, "cast")})
    assert seen == [{as_is}, {as_is}, {straight_through}, {straight_through}]


def test_late_rounding_ships_what_the_last_steps_saw(corpus, small_track):
    config = trained_in("int8_ste", start=0.75)
    assert run(config, 1001, corpus, small_track, lambda point: None).result.quant_gap == 0.0


def test_rounding_after_training_has_no_start():
    config = trained_in("int8_post", start=0.75)
    assert refusals(config) == ["late_rounding attaches to a precision's forward, and int8_post has none"]
