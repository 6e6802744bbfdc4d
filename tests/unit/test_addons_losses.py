"""Added losses and curricula against sums written out by hand.

Shapes: B batch, T time, V vocabulary.
"""

import math

import pytest
import torch
from reference import assert_same, noise

from bench.layers import Linear, Params
from bench.techniques.addons.batch_curriculum import BatchCurriculum
from bench.techniques.addons.multi_token import MultiToken
from bench.techniques.addons.seq_curriculum import SeqCurriculum
from bench.techniques.addons.z_loss import ZLoss
from bench.training import Moment

B, V = 2, 5


def hook_of(technique):
    return technique.hook(Params(Linear(2, 2)))


def moment(T, step=0, n_steps=100):
    y_BT = torch.randint(V, (B, T), generator=torch.Generator().manual_seed(3))
    return Moment(step, n_steps, torch.nn.Identity(), y_BT, y_BT, torch.Generator())


def nats_ahead(logits_BTV, y_BT, further):
    """Mean over the positions that have a byte so far ahead, one by one."""
    chances = torch.exp(logits_BTV) / torch.exp(logits_BTV).sum(-1, keepdim=True)
    T = y_BT.size(1)
    found = [-chances[b, t, y_BT[b, t + further]].log() for b in range(B) for t in range(T - further)]
    return torch.stack(found).mean()


@pytest.mark.parametrize("T", [3, 7, 13])
def test_multi_token_adds_the_losses_two_and_three_ahead(T):
    logits_BTV, now = noise(B, T, V), moment(T)
    slow = 0.5 * nats_ahead(logits_BTV, now.y_BT, 1) + 0.25 * nats_ahead(logits_BTV, now.y_BT, 2)
    fast = hook_of(MultiToken(second=0.5, third=0.25)).added_loss(logits_BTV, now)
    assert_same(fast, slow, [logits_BTV])


def test_multi_token_in_a_window_of_two_bytes_looks_two_ahead_only():
    logits_BTV, now = noise(B, 2, V), moment(2)
    torch.testing.assert_close(
        hook_of(MultiToken(second=0.5)).added_loss(logits_BTV, now), 0.5 * nats_ahead(logits_BTV, now.y_BT, 1)
    )


def test_multi_token_in_a_window_of_one_byte_adds_nothing():
    assert hook_of(MultiToken()).added_loss(noise(B, 1, V), moment(1)) is None


def test_multi_token_adds_nothing_once_it_is_over():
    hook = hook_of(MultiToken(until=0.6))
    assert hook.added_loss(noise(B, 7, V), moment(7, step=59)) is not None
    assert hook.added_loss(noise(B, 7, V), moment(7, step=60)) is None


def test_the_weights_of_multi_token_fall_one_after_the_other():
    weights = [MultiToken(second=0.5, third=0.25, until=0.8).weights(p) for p in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    assert [w for pair in weights for w in pair] == pytest.approx([0.5, 0.25, 0.5, 0.125, 0.5, 0, 0.25, 0, 0, 0, 0, 0])


@pytest.mark.parametrize("T", [1, 7])
def test_z_loss_is_the_mean_squared_log_of_the_normaliser(T):
    logits_BTV = noise(B, T, V)
    slow = 0.01 * (torch.exp(logits_BTV).sum(-1).log() ** 2).sum() / (B * T)
    assert_same(hook_of(ZLoss(weight=0.01)).added_loss(logits_BTV, moment(T)), slow, [logits_BTV])


def test_z_loss_of_normed_logits_is_zero():
    logs_BTV = noise(B, 7, V).detach().log_softmax(-1)
    assert hook_of(ZLoss()).added_loss(logs_BTV, moment(7)).item() == pytest.approx(0, abs=1e-12)


def test_the_batch_grows_in_a_straight_line():
    plans = [BatchCurriculum(start=0.25, until=0.6).plan(p, 32, 96) for p in (0, 0.2, 0.4, 0.6, 1)]
    assert plans == [(8, 96), (16, 96), (24, 96), (32, 96), (32, 96)]


def test_the_length_doubles_and_the_bytes_of_a_step_stay():
    plans = [SeqCurriculum(halvings=2, until=0.5).plan(p, 32, 96) for p in (0, 0.2, 0.25, 0.4, 0.5, 1)]
    assert plans == [(128, 24), (128, 24), (64, 48), (64, 48), (32, 96), (32, 96)]


@pytest.mark.parametrize("seq_len", [1, 3, 13])
def test_a_length_that_does_not_halve_evenly_loses_less_than_a_piece(seq_len):
    batch, length = SeqCurriculum(halvings=3).plan(0.0, 2, seq_len)
    assert 2 * seq_len - 2 * length < batch * length <= 2 * seq_len
    assert length == max(1, math.floor(seq_len / 8))
