"""What modifies blocks against hand-written models: canon, x0 mixing, U-Net skips, their gates, layer scale, backout.

Shapes: B batch, T time, D width.
"""

from dataclasses import replace

import pytest
import torch
from reference import HERE, assert_same, by_formula_rms, noise, text
from torch import nn

from bench.layers import Params, Role
from bench.skeleton import Block
from bench.stack import block_parts
from bench.techniques.block_modifiers.backout import Backout
from bench.techniques.block_modifiers.canon import Canon
from bench.techniques.block_modifiers.layer_scale import LayerScale
from bench.techniques.block_modifiers.skip_gates import SkipGates
from bench.techniques.block_modifiers.unet_skips import UnetSkips, encoder_of
from bench.techniques.block_modifiers.wavelet import Wavelet
from bench.techniques.block_modifiers.x0_mix import X0Mix
from bench.techniques.residual.pre_norm import PreNorm

N_LAYER = HERE.n_layer


class Turn(nn.Module):
    """A part that is easy to write by hand and differs from layer to layer."""

    def __init__(self, seed):
        super().__init__()
        self.weight_DD = noise(HERE.width, HERE.width, seed=seed).detach() / 4

    def forward(self, x_BTD, context):
        return torch.tanh(x_BTD @ self.weight_DD)


def part_by_hand(seed, x_BTD):
    return torch.tanh(by_formula_rms(x_BTD) @ Turn(seed).weight_DD)


def block(layer, *modifiers):
    """A block with two known parts and each modifier where its point says, weights stirred."""
    attached = {}
    for modifier in modifiers:
        for part in block_parts(modifier):
            if (module := modifier.build(replace(HERE, layer=layer, part=part))) is not None:
                place = f"{modifier.point}_{part}" if part else modifier.point
                attached.setdefault(place, []).append(module.double())
    built = Block(PreNorm().build(HERE), Turn(10 + layer), Turn(20 + layer), attached)
    for seed, p in enumerate(built.parameters()):
        p.data = noise(*p.shape, seed=30 + layer + seed).detach()
    return built


def through(blocks, x_BTD, context):
    context.x0_BTD = context.streams[0] = x_BTD
    for layer, one in enumerate(blocks):
        x_BTD = context.streams[layer + 1] = one(x_BTD, context)
    return x_BTD


def plain_block(layer, x_BTD):
    x_BTD = x_BTD + part_by_hand(10 + layer, x_BTD)
    return x_BTD + part_by_hand(20 + layer, x_BTD)


def weights_of(blocks):
    return [p for one in blocks for p in one.parameters()]


@pytest.mark.parametrize("T", [1, 7, 13])
@pytest.mark.parametrize("taps", [2, 4, 8])
def test_canon_adds_a_causal_convolution_to_what_a_part_reads(taps, T):
    canon, h_BTD = Canon(taps=taps).build(HERE).double(), noise(2, T, HERE.width)
    canon.filter.weight.data = noise(HERE.width, taps, seed=1).detach()
    kernel = canon.filter.weight.flip(1).unsqueeze(1)
    padded_BDT = nn.functional.pad(h_BTD.mT, (taps - 1, 0))
    slow_BTD = h_BTD + nn.functional.conv1d(padded_BDT, kernel, groups=HERE.width).mT
    assert_same(canon(h_BTD, text(2, T)), slow_BTD, [h_BTD, canon.filter.weight])


def test_canon_adds_nothing_at_the_start_and_no_initialiser_touches_it():
    canon = Canon().build(HERE)
    (taps,) = Params(canon).all
    assert taps.role is Role.VECTOR
    assert not taps.tensor.any()


def test_canon_stands_before_both_parts():
    assert set(block(0, Canon()).attached) == {"read_mixer", "read_ffn"}


@pytest.mark.parametrize("T", [1, 7])
def test_every_block_mixes_the_embedding_into_what_it_is_given(T):
    x_BTD, blocks = noise(2, T, HERE.width), [block(layer, X0Mix()) for layer in range(N_LAYER)]
    slow_BTD = x_BTD
    for layer, one in enumerate(blocks):
        (mix,) = one.attached["stream"]
        slow_BTD = plain_block(layer, mix.stream * slow_BTD + mix.embedding * x_BTD)
    assert_same(through(blocks, x_BTD, text(2, T)), slow_BTD, [x_BTD, *weights_of(blocks)])


@pytest.mark.parametrize("start", [0.0, 0.3])
def test_x0_mix_starts_at_its_knob(start):
    mix = X0Mix(start=start).build(HERE)
    assert mix.embedding.tolist() == pytest.approx([start] * HERE.width)
    assert mix.stream.tolist() == pytest.approx([1 - start] * HERE.width)


@pytest.mark.parametrize("T", [1, 7])
def test_unet_skips_bring_the_first_half_back_last_in_first_out(T):
    x_BTD, blocks = noise(2, T, HERE.width), [block(layer, UnetSkips()) for layer in range(N_LAYER)]
    third, fourth = (one.attached["stream"][0].weight for one in blocks[2:])
    first_out = plain_block(0, x_BTD)
    second_out = plain_block(1, first_out)
    third_out = plain_block(2, second_out + third * second_out)
    slow_BTD = plain_block(3, third_out + fourth * first_out)
    assert_same(through(blocks, x_BTD, text(2, T)), slow_BTD, [x_BTD, *weights_of(blocks)])


@pytest.mark.parametrize("T", [1, 7])
def test_a_gate_shares_what_a_block_is_given_between_stream_and_skip(T):
    x_BTD, blocks = noise(2, T, HERE.width), [block(layer, SkipGates()) for layer in range(N_LAYER)]
    third, fourth = (one.attached["stream"][0] for one in blocks[2:])

    def shared(of, stream_BTD, skip_BTD):
        share_D = 1 / (1 + torch.exp(-of.gate))
        return share_D * stream_BTD + (1 - share_D) * of.skip * skip_BTD

    first_out = plain_block(0, x_BTD)
    second_out = plain_block(1, first_out)
    third_out = plain_block(2, shared(third, second_out, second_out))
    slow_BTD = plain_block(3, shared(fourth, third_out, first_out))
    assert_same(through(blocks, x_BTD, text(2, T)), slow_BTD, [x_BTD, *weights_of(blocks)])


def test_a_gated_skip_starts_as_an_equal_blend_or_at_its_knob():
    sites = [replace(HERE, layer=layer) for layer in range(N_LAYER)]
    assert [SkipGates().build(here) is None for here in sites] == [True, True, False, False]
    equal, open_wide = SkipGates().build(sites[2]), SkipGates(start=3.0).build(sites[2])
    assert (equal.skip.tolist(), equal.gate.tolist()) == ([1.0] * HERE.width, [0.0] * HERE.width)
    assert open_wide.gate.tolist() == [3.0] * HERE.width


@pytest.mark.parametrize(
    ("n_layer", "partners"),
    [
        (1, [None]),
        (4, [None, None, 1, 0]),
        (5, [None, None, 1, 0, None]),
        # four in the first half push, five in the second pop until nothing is left
        (9, [None, None, None, None, 3, 2, 1, 0, None]),
    ],
)
def test_each_block_of_the_second_half_has_its_partner(n_layer, partners):
    sites = [replace(HERE, layer=layer, n_layer=n_layer) for layer in range(n_layer)]
    assert [encoder_of(here) for here in sites] == partners


@pytest.mark.parametrize("T", [1, 7])
def test_layer_scale_scales_what_each_part_adds(T):
    x_BTD, one = noise(2, T, HERE.width), block(1, LayerScale())
    mixer, ffn = one.attached["added_mixer"][0].scale, one.attached["added_ffn"][0].scale
    middle_BTD = x_BTD + mixer * part_by_hand(11, x_BTD)
    slow_BTD = middle_BTD + ffn * part_by_hand(21, middle_BTD)
    assert_same(one(x_BTD, text(2, T)), slow_BTD, [x_BTD, mixer, ffn])


@pytest.mark.parametrize("T", [1, 7])
def test_backout_takes_a_share_of_the_middle_from_what_the_head_reads(T):
    x_BTD, blocks = noise(2, T, HERE.width), [block(layer, Backout()) for layer in range(N_LAYER)]
    (share,) = weights_of(blocks)
    middle_BTD = plain_block(1, plain_block(0, x_BTD))
    slow_BTD = plain_block(3, plain_block(2, middle_BTD)) - share * middle_BTD
    assert_same(through(blocks, x_BTD, text(2, T)), slow_BTD, [x_BTD, share])


@pytest.mark.parametrize("technique", [Canon(), LayerScale(), X0Mix()], ids=lambda t: t.name)
def test_a_block_is_at_the_start_what_it_is_without(technique):
    """So that what a modifier changes is what training makes of it."""
    plain, modified = block(0), block(0, technique)
    for place in modified.attached.values():
        for module in place:
            fresh = technique.build(HERE).double()
            for p, start in zip(module.parameters(), fresh.parameters(), strict=True):
                p.data = start.data
    x_BTD = noise(2, 7, HERE.width).detach()
    torch.testing.assert_close(through([modified], x_BTD, text(2, 7)), through([plain], x_BTD, text(2, 7)))


def means_by_hand(x_TD, tokens, scales):
    """Each channel of the upper half, each position: the mean over its own story's last few values."""
    T, D = x_TD.shape
    first, rows = D // 2, []
    for t in range(T):
        begin = max([0, *(s + 1 for s in range(t) if tokens[s] == 0)])
        row = list(x_TD[t, :first])
        for j in range(scales):
            for d in range(first + (D - first) * j // scales, first + (D - first) * (j + 1) // scales):
                row.append(x_TD[max(begin, t - 2 ** (j + 1) + 1) : t + 1, d].mean())
        rows.append(torch.stack(row))
    return torch.stack(rows)


@pytest.mark.parametrize("T", [1, 2, 13])
@pytest.mark.parametrize("scales", [1, 4, 6])
def test_wavelet_replaces_the_upper_half_by_running_means_within_a_story(scales, T):
    means, x_BTD, context = Wavelet(scales=scales).build(replace(HERE, layer=1)), noise(2, T, HERE.width), text(2, T)
    context.tokens_BT[1, 3::6] = 0
    slow_BTD = torch.stack(
        [means_by_hand(x, tokens, scales) for x, tokens in zip(x_BTD, context.tokens_BT.tolist(), strict=True)]
    )
    assert_same(means(x_BTD, context), slow_BTD, [x_BTD])


def test_wavelet_stands_between_blocks():
    assert [Wavelet().build(replace(HERE, layer=layer)) is None for layer in range(N_LAYER)] == [True] + [False] * 3
