"""The metric against an obvious, slow computation of it.

Shapes: B batch, T time, V vocabulary.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from bench.catalog import realise
from bench.config import Budget
from bench.divisions import baseline
from bench.layers import Params
from bench.run import initialise
from bench.techniques.evaluator.windows import WINDOWS_A_BATCH, Windows


def random_text(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, n, dtype=np.uint8)


def untrained_model(seq_len):
    """A model in double precision whose predictions are far from even."""
    stack = realise(baseline(Budget(steps=1, batch=1, seq_len=seq_len)))
    model = stack.model(seq_len)
    initialise(Params(model), stack.init, seed=1)
    noise = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=noise), alpha=0.05)
    return model.double()


@torch.no_grad()
def slowly(model, text, seq_len):
    """Byte by byte: what did the model think of this one, given its window so far?"""
    nats = 0.0
    for position in range(1, len(text)):
        window_start = (position - 1) // seq_len * seq_len
        seen = torch.tensor([text[window_start:position].tolist()])
        logits = model(seen)[0, -1].tolist()
        top = max(logits)
        nats -= logits[text[position]] - top - math.log(sum(math.exp(logit - top) for logit in logits))
    return nats / (len(text) - 1)


@pytest.mark.parametrize("n", [2, 9, 10, 28])
def test_the_evaluator_equals_the_slow_one(n):
    model, text = untrained_model(8), random_text(n)
    assert Windows().nats(model, text, 8) == pytest.approx(slowly(model, text, 8), abs=1e-9)


def test_a_model_that_knows_nothing_scores_the_size_of_the_vocabulary():
    zeros = realise(baseline(Budget(steps=1))).model(24)
    assert Windows().nats(zeros, random_text(200), 24) == pytest.approx(math.log(256), abs=1e-6)


class Opinion(nn.Module):
    """The same chances everywhere, so a score tells which bytes were counted. Keeps the windows it was shown."""

    def __init__(self):
        super().__init__()
        self.logits_V = torch.randn(256, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        self.shown = []

    def forward(self, tokens_BT, progress=1.0):
        self.shown += tokens_BT.tolist()
        return self.logits_V.expand(*tokens_BT.shape, 256)


any_length = given(n=st.integers(2, 600), seq_len=st.integers(1, 40))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@any_length
def test_every_prediction_counts_once(n, seq_len):
    text, model = random_text(n), Opinion()
    nats_V = -model.logits_V.log_softmax(0)
    assert Windows().nats(model, text, seq_len) == pytest.approx(
        nats_V[torch.from_numpy(text[1:]).long()].mean().item()
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@any_length
def test_windows_follow_each_other_without_overlap(n, seq_len):
    text, model = random_text(n), Opinion()
    Windows().nats(model, text, seq_len)
    assert [byte for window in model.shown for byte in window] == text[:-1].tolist()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@any_length
def test_all_windows_but_the_last_are_full(n, seq_len):
    model = Opinion()
    Windows().nats(model, random_text(n), seq_len)
    lengths = [len(window) for window in model.shown if window]
    assert set(lengths[:-1]) <= {seq_len}
    assert lengths[-1] <= seq_len


def test_the_number_of_windows_in_a_batch_changes_nothing(monkeypatch):
    model, text = untrained_model(8), random_text(8 * WINDOWS_A_BATCH + 90)
    together = Windows().nats(model, text, 8)
    monkeypatch.setattr("bench.techniques.evaluator.windows.WINDOWS_A_BATCH", 5)
    assert Windows().nats(model, text, 8) == pytest.approx(together, abs=1e-12)


def test_the_sum_is_kept_in_double_precision():
    """In single precision a sum of this many equal terms drifts in the sixth digit."""

    class Even(nn.Module):
        def forward(self, tokens_BT, progress=1.0):
            return torch.zeros(1).expand(*tokens_BT.shape, 256)

    score = Windows().nats(Even(), random_text(200_001), 96)
    assert score == pytest.approx(float(torch.tensor(256.0).log()), abs=1e-12)


class Peeking(nn.Module):
    """Predicts each byte of its window by looking at it."""

    def forward(self, tokens_BT, progress=1.0):
        logits_BTV = torch.zeros(*tokens_BT.shape, 256)
        logits_BTV[:, :-1].scatter_(-1, tokens_BT[:, 1:, None], 30.0)
        return logits_BTV


def test_a_model_that_peeks_beats_what_is_possible():
    """Even bytes can't be told from the ones before: below ln 256 somebody looked."""
    text = random_text(20_000)
    possible = math.log(256) - 4 * math.log(256) / math.sqrt(len(text))
    assert Windows().nats(Peeking(), text, 96) < possible
    assert Windows().nats(Opinion(), text, 96) > possible


def test_scoring_leaves_the_model_as_it_was():
    model = untrained_model(8).train()
    before = [p.clone() for p in model.parameters()]
    Windows().nats(model, random_text(30), 8)
    assert model.training
    assert all(torch.equal(p, was) for p, was in zip(model.parameters(), before, strict=True))
    assert all(p.grad is None for p in model.parameters())
