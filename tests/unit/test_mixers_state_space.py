"""RWKV-6, Hyena, the diagonal state space and Mamba against their recurrences: float64, odd lengths, gradients too.

Shapes: B batch, T time, D width, H heads, K head width, C channels, I inner channels, N states.
"""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from elementwise import elementwise
from reference import HERE, assert_same, noise, text
from torch.utils.flop_counter import FlopCounterMode

from bench.catalog import CATALOG, full_pick
from bench.config import Budget
from bench.divisions import STATE_SPACE, baseline
from bench.estimate import over_caps, unseen_flops
from bench.knobs import Choice, knobs_of
from bench.techniques.mixer.hyena import Hyena
from bench.techniques.mixer.long_convolution import long_convolution, long_convolution_reference
from bench.techniques.mixer.mamba import Mamba, mamba_reference, selective_scan
from bench.techniques.mixer.rwkv6 import FASTEST, NORM_EPS, REACH, Rwkv6, chunk_of, fading_memory, rwkv6_reference
from bench.techniques.mixer.s4d import S4d, s4d_reference
from bench.tracks import FEATHERWEIGHT

# long enough for several blocks and chunks
LONG = replace(HERE, seq_len=35)
FIGHTERS = (Rwkv6, Hyena, S4d, Mamba)


def stirred(technique, site=LONG):
    """The mixer in float64, no parameter at its start and none far from it."""
    mixer = technique().build(site).double()
    for seed, p in enumerate(mixer.parameters()):
        p.data += noise(*p.shape, seed=seed).detach() / 4
    return mixer


def filtered_by_hand(x_BTC, taps_CJ):
    """Each position's sum over the taps that reach back no further than the first byte."""
    rows = [
        sum(taps_CJ[:, j] * x_BTC[:, t - j] for j in range(min(t + 1, taps_CJ.size(1)))) for t in range(x_BTC.size(1))
    ]
    return torch.stack(rows, 1)


def scan_inputs(T, B=2, inner=5, n_state=3):
    step, u = F.softplus(noise(B, T, inner, seed=0)), noise(B, T, inner, seed=1)
    rate = -noise(n_state, inner, seed=2).exp()
    return [
        x.detach().requires_grad_() for x in (step, u, rate, noise(B, T, n_state, seed=3), noise(B, T, n_state, seed=4))
    ]


@pytest.mark.parametrize("T", [1, 7, 8, 13, 35])
def test_the_selective_scan_equals_its_recurrence(T):
    inputs = scan_inputs(T)
    assert_same(selective_scan(*inputs), mamba_reference(*inputs), inputs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("T", [1, 13])
def test_mamba_equals_its_formula(T):
    mixer, x_BTD = stirred(Mamba), noise(2, T, LONG.width, seed=99)
    u, gate = (x_BTD @ mixer.input.weight.T).chunk(2, -1)
    u = filtered_by_hand(u, mixer.short.weight)
    u = u * torch.sigmoid(u)
    low, take, read = (u @ mixer.select.weight.T).split([8, 8, 8], -1)
    step = (1 + (low @ mixer.step.weight.T + mixer.step_bias_I).exp()).log()
    y = mamba_reference(step, u, -mixer.rate_log_NI.exp(), take, read) + mixer.skip_I * u
    slow_BTD = (y * gate * torch.sigmoid(gate)) @ mixer.output.weight.T
    assert_same(mixer(x_BTD, text(2, T)), slow_BTD, [x_BTD, *mixer.parameters()], rtol=1e-9, atol=1e-11)


def test_mamba_starts_with_steps_from_a_thousandth_to_a_tenth():
    steps = F.softplus(Mamba().build(LONG).step_bias_I)
    torch.testing.assert_close(steps[[0, -1]], torch.tensor([1e-3, 1e-1]))
    assert (steps.diff() > 0).all()


def memory_inputs(T, log_decay=None, dtype=torch.float64):
    shape = (2, T, 3, 6)
    r, k, v = (noise(*shape, seed=seed) for seed in range(3))
    decay = -FASTEST * noise(*shape, seed=3).sigmoid() if log_decay is None else torch.full(shape, log_decay)
    return [x.detach().to(dtype).requires_grad_() for x in (r, k, v, decay, noise(3, 6, seed=4))]


@pytest.mark.parametrize("T", [7, 13, 17, 27, 35])
def test_the_fading_memory_equals_its_recurrence(T):
    inputs = memory_inputs(T)
    assert_same(fading_memory(*inputs), rwkv6_reference(*inputs), inputs, rtol=1e-10, atol=1e-12)


def test_the_fading_memory_of_one_byte_is_its_bonus():
    inputs = memory_inputs(1)
    torch.testing.assert_close(fading_memory(*inputs), rwkv6_reference(*inputs))


@pytest.mark.parametrize("log_decay", [-FASTEST, 0.0])
def test_single_precision_carries_the_memory_at_both_ends_of_the_decay(log_decay):
    single, double = memory_inputs(96, log_decay, torch.float32), memory_inputs(96, log_decay)
    fast, slow = fading_memory(*single), rwkv6_reference(*double)
    torch.testing.assert_close(fast.double(), slow, rtol=1e-3, atol=1e-4)
    grads = [torch.autograd.grad(y.square().sum(), x) for y, x in ((fast, single), (slow, double))]
    for fast_grad, slow_grad in zip(*grads, strict=True):
        torch.testing.assert_close(fast_grad.double(), slow_grad, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(("T", "chunk"), [(96, 16), (24, 12), (35, 7), (13, 13), (17, 1)])
def test_chunks_cover_a_window_without_padding(T, chunk):
    assert chunk_of(T) == chunk


@pytest.mark.parametrize("T", [7, 35])
def test_rwkv_equals_its_formula(T):
    mixer, x_BTD = stirred(Rwkv6), noise(2, T, LONG.width, seed=99)
    before = torch.cat((torch.zeros_like(x_BTD[:, :1]), x_BTD[:, :-1]), 1)
    blend = x_BTD + (before - x_BTD) * mixer.first_share_D
    low = torch.tanh(blend @ mixer.mix_down.weight.T).unflatten(-1, (5, -1))
    shares = [
        share + REACH * low[:, :, use] @ up.weight.T
        for use, (share, up) in enumerate(zip(mixer.share_5D, mixer.mix_up, strict=True))
    ]
    for_r, for_k, for_v, for_g, for_w = (x_BTD + (before - x_BTD) * share for share in shares)
    decay = mixer.decay_D + REACH * torch.tanh(for_w @ mixer.decay_down.weight.T) @ mixer.decay_up.weight.T
    r, k, v, log_decay = (
        part.unflatten(-1, (LONG.n_head, -1))
        for part in (
            *(read @ m.weight.T for read, m in ((for_r, mixer.receptance), (for_k, mixer.key), (for_v, mixer.value))),
            -FASTEST / (1 + (-decay).exp()),
        )
    )
    y = rwkv6_reference(r, k, v, log_decay, mixer.bonus_D.unflatten(-1, (LONG.n_head, -1)))
    y = (y - y.mean(-1, keepdim=True)) / (y.var(-1, keepdim=True, correction=0) + NORM_EPS).sqrt()
    gate = for_g @ mixer.gate.weight.T
    slow_BTD = (
        (y.flatten(2) * mixer.norm_gain_D + mixer.norm_shift_D) * gate * torch.sigmoid(gate)
    ) @ mixer.output.weight.T
    assert_same(mixer(x_BTD, text(2, T)), slow_BTD, [x_BTD, *mixer.parameters()], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("T", [1, 7, 13])
def test_the_long_convolution_equals_its_sum(T):
    h_CT, x_CTB = noise(5, T, seed=0), noise(5, T, 3, seed=1)
    assert_same(long_convolution(h_CT, x_CTB), long_convolution_reference(h_CT, x_CTB), [h_CT, x_CTB])


@pytest.mark.parametrize("T", [1, 13])
def test_hyena_equals_its_formula(T):
    mixer, x_BTD = stirred(Hyena), noise(2, T, LONG.width, seed=99)
    read = filtered_by_hand(x_BTD @ mixer.input.weight.T, mixer.short.weight).permute(2, 1, 0)
    y, first, second = read.unflatten(0, (3, -1))
    writer = mixer.filters
    sines = torch.sin(writer.features_TE[:T].double() @ writer.inward.weight.T * writer.frequency_F)
    h_CT = ((sines @ writer.outward.weight.T) * writer.window_TC[:T]).T
    for gate, h, skip in zip((first, second), h_CT.chunk(2), mixer.skip_C.chunk(2), strict=True):
        y = gate * (long_convolution_reference(h, y) + skip[:, None, None] * y)
    slow_BTD = y.permute(2, 1, 0) @ mixer.output.weight.T
    assert_same(mixer(x_BTD, text(2, T)), slow_BTD, [x_BTD, *mixer.parameters()], rtol=1e-9, atol=1e-11)


def test_hyenas_windows_start_with_equal_energy_and_only_fall():
    window_TC = Hyena().build(LONG).filters.window_TC
    torch.testing.assert_close(window_TC.square().sum(0), torch.ones(2 * LONG.width))
    assert (window_TC.diff(dim=0) < 0).all()


@pytest.mark.parametrize("T", [1, 13])
def test_the_diagonal_state_space_equals_its_recurrence(T):
    mixer, x_BTD = stirred(S4d), noise(2, T, LONG.width, seed=99)
    states = mixer.states
    decay, turn = states.decay_log_IN.exp(), states.turn_IN
    gain = (1 - torch.exp(-decay) ** 2).sqrt()
    u, gate = (x_BTD @ mixer.input.weight.T).chunk(2, -1)
    y = s4d_reference(decay, turn, *(gain * part for part in states.weight.chunk(2, 1)), u) + mixer.skip_I * u
    slow_BTD = (y * gate * torch.sigmoid(gate)) @ mixer.output.weight.T
    if T == 1:
        # nothing has turned yet
        torch.testing.assert_close(mixer(x_BTD, text(2, T)), slow_BTD)
    else:
        assert_same(mixer(x_BTD, text(2, T)), slow_BTD, [x_BTD, *mixer.parameters()], rtol=1e-8, atol=1e-10)


def test_mamba_declares_its_whole_recurrence():
    """Products that torch's counter sees in the scan and what is declared beside them make the plain recurrence."""
    T, B, inner, n_state = 13, 2, int(1.5 * LONG.width), 8
    inputs = scan_inputs(T, B, inner, n_state)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        selective_scan(*inputs)
    seen = counter.get_total_flops() / (B * T)
    assert seen + unseen_flops(Mamba(), LONG) == elementwise(lambda: mamba_reference(*inputs)) / (B * T)


@pytest.mark.parametrize(("technique", "writer"), [(Hyena, "filters"), (S4d, "states")])
def test_written_filters_are_declared_by_the_position(technique, writer):
    write = getattr(technique().build(LONG), writer)
    # the difference leaves out what is done once, whatever the length
    per_position = (elementwise(lambda: write(35)) - elementwise(lambda: write(7))) / 28
    assert per_position == unseen_flops(technique(), LONG)


def test_the_counter_counts_every_element_once():
    x = torch.ones(3, 5)
    assert elementwise(lambda: (x * x + x).sum(1)) == 3 * 15


def test_the_counter_refuses_what_it_does_not_know():
    with pytest.raises(NotImplementedError, match="tanh is neither counted nor known to be free"):
        elementwise(torch.ones(3).tanh)


@pytest.mark.parametrize("technique", FIGHTERS, ids=lambda t: t.name)
@pytest.mark.parametrize("end", [0, -1], ids=["low", "high"])
def test_a_fighter_keeps_the_caps_at_both_ends_of_its_knobs(technique, end):
    knobs = {
        knob.name: knob.range.options[end] if isinstance(knob.range, Choice) else (knob.range.low, knob.range.high)[end]
        for knob in knobs_of(technique)
    }
    config = baseline(Budget(steps=500)).replaced("mixer", [full_pick("mixer", technique.name, knobs)])
    assert over_caps(config, FEATHERWEIGHT) == []


@pytest.mark.parametrize("technique", FIGHTERS, ids=lambda t: t.name)
def test_a_fighter_may_enter_the_state_space_division(technique):
    assert technique in CATALOG["mixer"]
    config = baseline(Budget(steps=500)).replaced("mixer", [full_pick("mixer", technique.name, {})])
    assert STATE_SPACE.breaches(config) == []
