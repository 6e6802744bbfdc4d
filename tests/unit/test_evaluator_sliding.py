"""Sliding windows against one prediction at a time, and windows of both kinds shared out among ranks."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from meeting import Meeting
from torch import nn

from bench.techniques.evaluator.sliding import Sliding, windows
from bench.techniques.evaluator.windows import Windows


class Sums(nn.Module):
    """Logits that depend on every token of the window so far, so that each context has its own loss."""

    def forward(self, tokens_BT):
        sums_BT = (tokens_BT * torch.arange(1, tokens_BT.size(1) + 1)).cumsum(1)
        return torch.sin(sums_BT.unsqueeze(-1) * torch.arange(1, 8) / 7.0) * 3


def one_at_a_time(text, seq_len, stride):
    """Each prediction with the context it has: that of the first window that reaches it."""
    tokens = torch.from_numpy(text.astype(np.int64))
    total = 0.0
    for place in range(len(text) - 1):
        start = 0
        while start + seq_len <= place:
            start += stride
        told = Sums()(tokens[start : place + 1].unsqueeze(0))[0, -1].double().log_softmax(-1)
        total -= told[tokens[place + 1]].item()
    return total / (len(text) - 1)


TEXT = np.random.default_rng(1).integers(0, 7, 61).astype(np.uint16)


@pytest.mark.parametrize("seq_len", [5, 8, 60, 100])
@pytest.mark.parametrize("stride", [1, 2, 3, 5, 8, 64])
def test_each_prediction_is_scored_once_with_its_context(seq_len, stride):
    found = Sliding(stride=stride).nats(Sums(), TEXT, seq_len)
    assert found == pytest.approx(one_at_a_time(TEXT, seq_len, min(stride, seq_len)), rel=1e-5)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 300])
@pytest.mark.parametrize("stride", [1, 3, 8])
def test_the_fresh_stretches_cover_everything_once(n, stride):
    covered = [place for _, end, fresh in windows(n, 8, stride) for place in range(fresh, end)]
    assert covered == list(range(n))
    assert all(end - start <= 8 and start <= fresh for start, end, fresh in windows(n, 8, stride))


def test_a_stride_of_a_window_is_the_fixed_evaluator():
    text = TEXT[:41]
    assert Sliding(stride=8).nats(Sums(), text, 8) == pytest.approx(Windows().nats(Sums(), text, 8), rel=1e-7)


def test_a_model_keeps_its_mode():
    model = Sums().train()
    Sliding(stride=2).nats(model, TEXT, 8)
    assert model.training


class Shown(Sums):
    """Keeps the windows it was given."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def forward(self, tokens_BT):
        self.rows += tokens_BT.tolist()
        return super().forward(tokens_BT)


@pytest.mark.parametrize("size", [2, 3, 8])
@pytest.mark.parametrize("evaluator", [Windows(), Sliding(stride=3)], ids=lambda e: e.name)
def test_ranks_share_the_windows_and_each_is_scored_once(evaluator, size, monkeypatch):
    monkeypatch.setattr("bench.techniques.evaluator.windows.WINDOWS_A_BATCH", 2)
    monkeypatch.setattr("bench.techniques.evaluator.sliding.WINDOWS_A_BATCH", 2)
    alone = Shown()
    expected = evaluator.nats(alone, TEXT, 7)
    models = [Shown() for _ in range(size)]
    with ThreadPoolExecutor(size) as threads:
        found = list(threads.map(lambda m, r: evaluator.nats(m, TEXT, 7, r), models, Meeting(size).ranks()))
    assert found == pytest.approx([expected] * size, rel=1e-14)
    assert len(set(found)) == 1
    assert sorted(row for model in models for row in model.rows) == sorted(alone.rows)
    assert max(len(model.rows) for model in models) < len(alone.rows)
