"""Each fast form against its slow one: float64, odd lengths, outputs and gradients.

Shapes: B batch, T time, D width, H heads, K head width.
"""

import math

import pytest
import torch
from reference import HERE, assert_same, by_formula_rms, noise, site, text
from torch import Tensor, nn

from bench.layers import Filter, Linear, Params, rms
from bench.ranks import ALONE
from bench.skeleton import Block, Site
from bench.techniques.addons.grad_clip import GradClip
from bench.techniques.averaging.ema import Ema
from bench.techniques.averaging.last import Last
from bench.techniques.block_modifiers.ln_scale import LnScale
from bench.techniques.features.smear_gate import SmearGate
from bench.techniques.ffn.relu2 import Relu2, _SquaredRelu
from bench.techniques.logits.softcap import Softcap
from bench.techniques.mixer.softmax import Rotation, Softmax, softmax_reference
from bench.techniques.mixer_modifiers.nope import Nope
from bench.techniques.mixer_modifiers.partial_rope import PartialRope
from bench.techniques.mixer_modifiers.xsa import Exclusion, Xsa
from bench.techniques.residual.pre_norm import PreNorm
from bench.techniques.schedule.linear import Linear as LinearSchedule
from bench.training import Moment


def turned_by_hand(x_BHTK: Tensor, turned: int) -> Tensor:
    """Channel j and channel j + turned/2 as one complex number, turned by -t * 10000^(-2j/turned)."""
    half, T = turned // 2, x_BHTK.size(-2)
    z = torch.complex(x_BHTK[..., :half], x_BHTK[..., half:turned])
    angle = torch.tensor(
        [[t * 10_000 ** (-2 * j / turned) for j in range(half)] for t in range(T)], dtype=torch.float64
    )
    z = z * torch.polar(torch.ones_like(angle), -angle)
    return torch.cat((z.real, z.imag, x_BHTK[..., turned:]), -1)


# the tables of angles are kept in single precision
TABLE = {"rtol": 1e-5, "atol": 1e-6}


@pytest.mark.parametrize("T", [1, 7, 13])
def test_attention_equals_its_formula(T):
    mixer = Softmax().build(HERE).double()
    for seed, p in enumerate(mixer.parameters()):
        p.data = noise(*p.shape, seed=seed).detach() / 4
    x_BTD = noise(2, T, HERE.width, seed=7)
    q, k, v = (
        (x_BTD @ part.weight.T).unflatten(-1, (HERE.n_head, HERE.head_width)).transpose(1, 2)
        for part in (mixer.query, mixer.key, mixer.value)
    )
    q, k = (turned_by_hand(by_formula_rms(part), HERE.head_width) for part in (q, k))
    slow_BTD = softmax_reference(q, k, v).transpose(1, 2).flatten(2) @ mixer.output.weight.T
    assert_same(mixer(x_BTD, text(2, T)), slow_BTD, [x_BTD, *mixer.parameters()], **TABLE)


def test_fused_attention_equals_the_reference_closely():
    q, k, v = (noise(2, 3, 13, 5, seed=seed) for seed in range(3))
    fast = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert_same(fast, softmax_reference(q, k, v), [q, k, v], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("width", "turned"), [(6, 6), (32, 8), (32, 16), (32, 24), (32, 32)])
def test_rotation_is_multiplication_by_a_complex_number(width, turned):
    x = noise(2, 3, 13, width)
    assert_same(Rotation(width, turned, 13)(x), turned_by_hand(x, turned), [x], **TABLE)


@pytest.mark.parametrize("turned", [4, 6])
def test_rotations_way_back_is_its_gradient(turned):
    assert torch.autograd.gradcheck(Rotation(6, turned, 5), noise(1, 2, 5, 6))


def test_rotated_products_depend_on_distance_alone():
    q_K, k_K = noise(8, seed=0).detach(), noise(8, seed=1).detach()
    turn = Rotation(8, 8, 40)
    q_TK, k_TK = turn(q_K.expand(1, 1, 40, 8))[0, 0], turn(k_K.expand(1, 1, 40, 8))[0, 0]
    scores = q_TK @ k_TK.T
    torch.testing.assert_close(scores[1:, 1:], scores[:-1, :-1], **TABLE)


def test_rotation_keeps_lengths():
    x = noise(1, 2, 13, 8)
    torch.testing.assert_close(Rotation(8, 8, 13)(x).norm(dim=-1), x.norm(dim=-1), **TABLE)


@pytest.mark.parametrize("turned", [8, 16, 24])
def test_partial_rope_leaves_the_other_channels_alone(turned):
    x = noise(1, 4, 13, 32)
    assert torch.equal(PartialRope(turned=turned).build(site(13))(x)[..., turned:], x[..., turned:])


@pytest.mark.parametrize("turned", [8, 16, 24])
def test_partial_rope_turns_its_channels_as_a_narrower_head_would(turned):
    x = noise(1, 4, 13, 32)
    narrow = Rotation(turned, turned, 13)(x[..., :turned])
    assert torch.equal(PartialRope(turned=turned).build(site(13))(x)[..., :turned], narrow)


def last_output(modifiers, order):
    """What one layer gives at the last position when the bytes before it stand in another order."""
    mixer = Softmax().build(HERE, modifiers).double()
    for seed, p in enumerate(mixer.parameters()):
        p.data = noise(*p.shape, seed=seed).detach() / 4
    x_BTD = noise(1, 5, HERE.width, seed=7).detach()
    return mixer(x_BTD[:, [*order, 4]], text(1, 5))[:, -1]


def test_without_rotation_one_layer_does_not_see_order():
    nope = [Nope().build(HERE)]
    torch.testing.assert_close(last_output(nope, [0, 1, 2, 3]), last_output(nope, [2, 0, 3, 1]))


def test_with_rotation_one_layer_sees_order():
    assert not torch.allclose(last_output([], [0, 1, 2, 3]), last_output([], [2, 0, 3, 1]), rtol=1e-3)


@pytest.mark.parametrize("width", [1, 7, 128])
def test_rms_equals_its_formula(width):
    x = noise(3, 5, width)
    assert_same(rms(x), by_formula_rms(x), [x], rtol=1e-12, atol=1e-14)


def test_the_gradient_of_rms_is_its_slope():
    assert torch.autograd.gradcheck(rms, noise(3, 7))


def test_rms_of_zeros_is_zero():
    assert not rms(torch.zeros(2, 5)).any()


def test_the_gradient_of_squared_relu_is_its_slope():
    assert torch.autograd.gradcheck(_SquaredRelu.apply, noise(5, 7))


def test_the_feed_forward_equals_its_formula():
    ffn = Relu2(mult=3).build(HERE).double()
    for seed, p in enumerate(ffn.parameters()):
        p.data = noise(*p.shape, seed=seed).detach() / 4
    x_BTD = noise(2, 5, HERE.width)
    slow_BTD = (x_BTD @ ffn.up.weight.T).clamp_min(0).square() @ ffn.down.weight.T
    assert_same(ffn(x_BTD, text(2, 5)), slow_BTD, [x_BTD, *ffn.parameters()])


def test_exclusion_takes_away_the_projection_on_the_own_value():
    y, v = noise(2, 3, 5, 7, seed=0), noise(2, 3, 5, 7, seed=1)
    own = v.unsqueeze(-1) @ v.unsqueeze(-2) / (v * v).sum(-1)[..., None, None]
    slow = ((torch.eye(7, dtype=torch.float64) - own) @ y.unsqueeze(-1)).squeeze(-1)
    assert_same(Exclusion()(y, v), slow, [y, v], rtol=1e-9, atol=1e-12)


def test_exclusion_leaves_nothing_along_the_own_value():
    y, v = noise(2, 3, 5, 7, seed=0), noise(2, 3, 5, 7, seed=1)
    along = (Exclusion()(y, v) * v).sum(-1)
    torch.testing.assert_close(along, torch.zeros_like(along), rtol=0, atol=1e-12)


def test_exclusion_of_a_value_of_zero_takes_nothing_away():
    y = noise(1, 1, 2, 3)
    assert torch.equal(Exclusion()(y, torch.zeros_like(y)), y)


@pytest.mark.parametrize("layers", [1, 3, 4])
def test_exclusion_acts_on_the_last_layers(layers):
    acting = [Xsa(layers=layers).build(site(8, layer)) is not None for layer in range(4)]
    assert acting == [False] * (4 - layers) + [True] * layers


def smeared_by_hand(x_BTD, gate, tokens_BT):
    share = 1 / (1 + (-gate).exp())
    rows = []
    for row, tokens in zip(x_BTD, tokens_BT.tolist(), strict=True):
        blended = [row[0]]
        for t in range(1, len(tokens)):
            # the byte before ended a story, so this one begins the next and looks at nothing
            blended.append(row[t] if tokens[t - 1] == 0 else (1 - share) * row[t] + share * row[t - 1])
        rows.append(torch.stack(blended))
    return torch.stack(rows)


@pytest.mark.parametrize("T", [2, 13])
def test_smear_gate_equals_its_loop(T):
    gate = SmearGate().build(HERE).double()
    gate.gate.data = noise(HERE.width, seed=3).detach()
    x_BTD, context = noise(3, T, HERE.width), text(3, T)
    context.tokens_BT[:, 3::4] = 0
    assert_same(gate(x_BTD, context), smeared_by_hand(x_BTD, gate.gate, context.tokens_BT), [x_BTD, gate.gate])


def test_smear_gate_keeps_stories_apart():
    gate, x_BTD, context = SmearGate().build(HERE).double(), noise(1, 6, HERE.width), text(1, 6)
    context.tokens_BT[0] = torch.tensor([65, 66, 0, 67, 0, 0])
    y_BTD = gate(x_BTD, context)
    untouched = [torch.equal(y_BTD[0, t], x_BTD[0, t]) for t in range(6)]
    assert untouched == [True, False, False, True, False, True]


def test_smear_gate_starts_where_its_knob_says():
    assert SmearGate(start=-3.0).build(HERE).gate.tolist() == [-3.0] * HERE.width


class Reader(nn.Module):
    """Keeps what it was given to read."""

    def forward(self, x_BTD, context):
        self.read = x_BTD
        return torch.zeros_like(x_BTD)


@pytest.mark.parametrize("layer", [0, 1, 3])
def test_ln_scale_shrinks_what_both_parts_read(layer):
    here = Site(18, 3, layer, 4, 13, 256)
    mixer, ffn, x_BTD = Reader(), Reader(), noise(2, 3, 18)
    scale = LnScale().build(here)
    Block(PreNorm().build(here), mixer, ffn, {"read_mixer": [scale], "read_ffn": [scale]})(x_BTD, text(2, 3))
    for part in (mixer, ffn):
        torch.testing.assert_close(part.read, by_formula_rms(x_BTD) / math.sqrt(layer + 1))


def test_a_block_adds_each_part_to_the_stream():
    class Tenth(nn.Module):
        def forward(self, x_BTD, context):
            return x_BTD / 10

    x_BTD = noise(2, 3, 18)
    middle = x_BTD + by_formula_rms(x_BTD) / 10
    torch.testing.assert_close(
        Block(PreNorm().build(HERE), Tenth(), Tenth(), {})(x_BTD, text(2, 3)), middle + by_formula_rms(middle) / 10
    )


def one_layer():
    model = Linear(3, 2).double()
    model.weight.data = noise(2, 3).detach()
    return model


def moment(model, step=0):
    return Moment(step, 5, model, torch.zeros(1), torch.zeros(1), torch.Generator())


def test_ema_is_the_weighted_mean_of_the_steps():
    model = one_layer()
    hook = Ema(decay=0.8).hook(Params(model))
    steps = [noise(2, 3, seed=step).detach() for step in range(5)]
    for step, weight in enumerate(steps):
        model.weight.data.copy_(weight)
        hook.after_step(moment(model, step))
    hook.at_end(model, ALONE)
    shares = [0.8 ** (4 - step) for step in range(5)]
    expected = sum(share * weight for share, weight in zip(shares, steps, strict=True)) / sum(shares)
    torch.testing.assert_close(model.weight.detach(), expected)


def test_ema_leaves_training_alone():
    model = one_layer()
    before = model.weight.detach().clone()
    hook = Ema().hook(Params(model))
    hook.after_step(moment(model))
    assert torch.equal(model.weight, before)


def test_no_averaging_keeps_the_last_step():
    model = one_layer()
    before = model.weight.detach().clone()
    hook = Last().hook(Params(model))
    hook.after_step(moment(model))
    hook.at_end(model, ALONE)
    assert torch.equal(model.weight, before)


@pytest.mark.parametrize("size", [0.1, 0.99, 7.0])
def test_clipping_scales_gradients_down_to_the_limit_together(size):
    model = nn.ModuleList([one_layer(), one_layer()])
    grads = [noise(2, 3, seed=seed).detach() for seed in range(2)]
    norm = math.sqrt(sum(float((g**2).sum()) for g in grads))
    for part, g in zip(model, grads, strict=True):
        part.weight.grad = g * size / norm
    GradClip(limit=0.5).hook(Params(model)).after_gradients(moment(model))
    for part, g in zip(model, grads, strict=True):
        # torch adds a millionth to the norm
        torch.testing.assert_close(part.weight.grad, g * min(size, 0.5) / norm, rtol=1e-5, atol=0)


def scales(n_steps, **knobs):
    return [LinearSchedule(**knobs).lr_scale(step, n_steps) for step in range(n_steps)]


def test_the_schedule_by_hand():
    assert scales(10, warmup=0.2, hold=0.0, floor=0.0) == pytest.approx(
        [0.5, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]
    )


def test_the_schedule_with_a_stretch_at_the_peak():
    assert scales(10, warmup=0.1, hold=0.5, floor=0.0) == pytest.approx([1] * 7 + [3 / 4, 2 / 4, 1 / 4])


def test_the_schedule_with_a_floor():
    assert scales(5, warmup=0.0, hold=0.0, floor=0.2) == pytest.approx([1, 0.84, 0.68, 0.52, 0.36])


def test_the_schedule_rises_over_its_share_of_the_steps():
    assert scales(500, warmup=0.04)[:21] == pytest.approx([step / 20 for step in range(1, 21)] + [1])


GRID = [
    {"warmup": warmup, "hold": hold, "floor": floor}
    for warmup in (0.0, 0.04, 0.2)
    for hold in (0.0, 0.3, 0.8)
    for floor in (0.0, 0.2)
]


@pytest.mark.parametrize("n_steps", [1, 2, 3, 12, 500])
@pytest.mark.parametrize("knobs", GRID, ids=str)
def test_the_schedule_reaches_its_peak_and_never_stands_still(knobs, n_steps):
    factors = scales(n_steps, **knobs)
    assert max(factors) == 1
    assert min(factors) > 0


@pytest.mark.parametrize("knobs", GRID, ids=str)
def test_the_schedule_rises_then_falls(knobs):
    factors = scales(100, **knobs)
    peak = factors.index(1)
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)


def test_the_last_step_is_the_last_one_above_the_floor():
    assert scales(500, warmup=0.0, floor=0.0)[-1] == pytest.approx(1 / 500)


@pytest.mark.parametrize(("taps", "spacing", "T"), [(1, 1, 5), (3, 1, 13), (4, 2, 13), (8, 4, 13), (4, 2, 3)])
def test_a_filter_is_a_causal_convolution_of_each_channel(taps, spacing, T):
    filter = Filter(6, taps, spacing).double()
    filter.weight.data = noise(6, taps, seed=1).detach()
    x_BTD = noise(2, T, 6)
    padded_BDT = nn.functional.pad(x_BTD.mT, ((taps - 1) * spacing, 0))
    # torch's convolution does not flip its taps: the last one meets the byte itself
    kernel = filter.weight.flip(1).unsqueeze(1)
    slow_BTD = nn.functional.conv1d(padded_BDT, kernel, groups=6, dilation=spacing).mT
    assert_same(filter(x_BTD), slow_BTD, [x_BTD, filter.weight], rtol=1e-10, atol=1e-12)


def test_softcap_equals_its_formula():
    logits = 40 * noise(2, 3, 7)
    slow = 15 * (torch.exp(2 * logits / 15) - 1) / (torch.exp(2 * logits / 15) + 1)
    assert_same(Softcap().build(HERE)(logits, None), slow, [logits], rtol=1e-10, atol=1e-12)
