"""What every number format keeps: stated sizes are real, packing twice changes nothing, forward and file agree."""

import math
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.catalog import CATALOG, alone, full_pick, realise, refusals
from bench.config import Budget
from bench.divisions import baseline
from bench.errors import ArtifactError
from bench.examine import stirred, text
from bench.layers import ROUNDED, Params, Role, as_is
from bench.packing import Packing
from bench.ranks import ALONE
from bench.run import run
from bench.techniques.precision.by_role import ByRole, StraightThrough
from bench.techniques.precision.groups import grouped, mean_sizes
from bench.techniques.precision.rows import Rows
from bench.techniques.precision.ternary import Ternary
from bench.training import Moment

THROUGH = [t for t in CATALOG["precision"] if "forward" in t.points]


@pytest.fixture(params=CATALOG["precision"], ids=lambda t: t.name)
def technique(request):
    return request.param


@pytest.fixture(params=THROUGH, ids=lambda t: t.name)
def through(request):
    """A technique whose forward pass sees rounded weights."""
    return request.param


@st.composite
def weights(draw):
    """A tensor of any small shape whose rows differ wildly in size, zero rows among them; some have several groups."""
    rows, seed = draw(st.integers(1, 7)), draw(st.integers(0, 2**32))
    cols = draw(st.one_of(st.integers(1, 9), st.sampled_from((127, 128, 129, 256, 300))))
    size = draw(
        st.lists(st.sampled_from((0.0, 1e-12, 1e-7, 3e-6, 1e-4, 9e-4, 0.03, 1.0, 300.0)), min_size=rows, max_size=rows)
    )
    noise = torch.Generator().manual_seed(seed)
    return torch.randn(rows, cols, generator=noise) * torch.tensor(size).unsqueeze(1)


def packed_and_back(precision, weight, role):
    return precision.decode(precision.encode(weight, role), tuple(weight.shape), role)


ROLES = st.sampled_from(sorted(ROUNDED))
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def states_its_bytes(precision, weight, role):
    return precision.encoded_bytes(tuple(weight.shape), role) == len(precision.encode(weight, role))


def packs_to_itself(precision, weight, role):
    once = precision.encode(weight, role)
    return precision.encode(precision.decode(once, tuple(weight.shape), role), role) == once


def leaves_what_it_shipped(precision, weight, role):
    shipped = packed_and_back(precision, weight, role)
    return torch.equal(precision.cast(role)(shipped), shipped)


def trains_what_it_ships(precision, weight, role):
    return torch.equal(precision.cast(role)(weight), packed_and_back(precision, weight, role))


@quick
@given(weight=weights(), role=ROLES)
def holds(rule, precision, weight, role):
    """Checks one of the rules above on any weight in any role."""
    assert rule(precision, weight, role)


def test_stated_bytes_are_the_real_ones(technique):
    holds(states_its_bytes, technique())


def test_packing_what_was_unpacked_gives_the_same_bytes(technique):
    if getattr(technique, "refits", False):
        with pytest.raises(AssertionError):
            holds(packs_to_itself, technique())
    else:
        holds(packs_to_itself, technique())


def test_the_forward_pass_sees_shipped_weights_as_they_are(technique):
    holds(leaves_what_it_shipped, technique())


def test_straight_through_trains_what_it_ships(through):
    holds(trains_what_it_ships, through())


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


def test_straight_through_passes_the_gradient_as_it_is(through):
    for role in ROUNDED:
        weight, incoming = torch.randn(3, 130, requires_grad=True), torch.randn(3, 130)
        through().cast(role)(weight).backward(incoming)
        assert torch.equal(weight.grad, incoming)


def test_what_no_format_may_round_comes_through_the_forward_pass_as_it_is(technique):
    vector = torch.randn(5)
    assert all(technique().cast(role)(vector) is vector for role in set(Role) - ROUNDED)


def test_zeros_stay_zeros(technique):
    for role in ROUNDED:
        assert not packed_and_back(technique(), torch.zeros(2, 130), role).any()


def test_no_artifact_holds_an_infinity(technique):
    # no healthy run has such weights; one on its way to diverging may
    weight = torch.tensor([[1e30, -3e6, 65536.0, 1.0], [-3.402e38, 1.0, 1.0, 1.0]])
    for role in ROUNDED:
        assert packed_and_back(technique(), weight, role).isfinite().all()


def test_a_format_is_smaller_than_single_precision(technique):
    stated = technique().encoded_bytes((128, 512), Role.MATRIX)
    assert stated <= (4 if technique.name == "fp32" else 2) * 128 * 512


@pytest.mark.parametrize("lossless", ["fp32", *(t.name for t in THROUGH)])
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
    assert seen == [{as_is}, {as_is}, {StraightThrough(Rows(8))}, {StraightThrough(Rows(8))}]


def test_late_rounding_ships_what_the_last_steps_saw(corpus, small_track):
    config = trained_in("int8_ste", start=0.75)
    assert run(config, 1001, corpus, small_track, lambda point: None).result.quant_gap == 0.0


def test_rounding_after_training_has_no_start():
    config = trained_in("int8_post", start=0.75)
    assert refusals(config) == ["late_rounding attaches to a precision's forward, and int8_post has none"]


@pytest.mark.parametrize("modifier", CATALOG["precision_modifiers"], ids=lambda t: t.name)
def test_a_modified_format_reads_all_that_it_writes_and_nothing_else(modifier):
    config = alone("precision_modifiers", modifier.name, Budget(steps=1, batch=2, seq_len=24))
    stack, model = realise(config), stirred(config)
    hook = modifier().hook(stack.precision)
    x_BT = text(2, 25)
    hook.before_gradients(Moment(0, 1, model, x_BT[:, :-1], x_BT[:, 1:], torch.Generator()))
    hook.at_end(model, ALONE)
    packing, params = Packing(stack), Params(model).all
    body = packing.encode(params, model.moments)
    tensors = packing.decode(body, params)
    assert [t.shape for t in tensors] == [p.tensor.shape for p in params]
    assert all(t.isfinite().all() for t in tensors)
    for damaged in (body[:-1], body + b"\x00", b""):
        with pytest.raises(ArtifactError):
            packing.decode(damaged, params)


# The examiners, examined.


@dataclass(frozen=True)
class Padded(Rows):
    """States a byte fewer than it writes."""

    def encode(self, weight):
        return super().encode(weight) + b"\x00"


class Shrinking(Ternary):
    """b1.58 as published: the scale is the mean over all weights, so every rounding shrinks a group."""

    def fitted(self, weight):
        codes_RGS, _ = super().fitted(weight)
        return codes_RGS, mean_sizes(grouped(weight), weight.size(1)).half().float()


@dataclass(frozen=True)
class Jumpy(Rows):
    """The forward pass sees finer steps than the file holds."""

    def rounded(self, weight):
        return Rows(self.bits + 1).rounded(weight)


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A quantiser that breaks the rule under test."""

    points: ClassVar = frozenset({"forward"})
    formats: ByRole

    def __getattr__(self, name):
        return getattr(self.formats, "straight_through" if name == "cast" else name)


def broken_by(number_format):
    """The rules that a format breaks on a plain weight; without hypothesis, which would look for the smallest one."""
    precision = Planted(formats=ByRole(blocks=number_format, sensitive=number_format))
    weight = torch.randn(3, 130, generator=torch.Generator().manual_seed(0))
    rules = (states_its_bytes, packs_to_itself, leaves_what_it_shipped, trains_what_it_ships)
    return [rule for rule in rules if not rule(precision, weight, Role.MATRIX)]


def test_wrongly_stated_bytes_are_caught():
    assert broken_by(Padded(4)) == [states_its_bytes]


def test_a_scale_that_shrinks_with_every_rounding_is_caught():
    assert broken_by(Shrinking()) == [packs_to_itself, leaves_what_it_shipped]


def test_a_forward_pass_finer_than_the_file_is_caught():
    assert trains_what_it_ships in broken_by(Jumpy(4))


@pytest.mark.parametrize("sound", [Rows(4), Ternary()], ids=lambda sound: type(sound).__name__)
def test_what_the_plants_are_made_of_is_sound(sound):
    assert broken_by(sound) == []
