"""Training at test time: what is learnt from was scored before, and the steps are those of a slow reference.

Shapes: T time, V vocabulary.
"""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from meeting import Meeting
from torch import nn

from bench.artifact import pack, unpack
from bench.catalog import advice, full_pick, realise
from bench.config import Budget
from bench.divisions import baseline
from bench.layers import Params
from bench.run import initialise
from bench.techniques.evaluator import score_first_sgd
from bench.techniques.evaluator.score_first_sgd import ScoreFirstSgd, lent
from bench.techniques.evaluator.sliding import Sliding
from bench.training import mean_nats

V = 7
TEXT = np.random.default_rng(1).integers(0, V, 203).astype(np.uint16)
# chunks that neither windows nor sequences fill evenly
ADAPTING = ScoreFirstSgd(stride=3, chunk=41, passes=2, lr=0.4, momentum=0.8, clip=0.5)
SEQ_LEN = 8


class Memory(nn.Module):
    """Logits from a decaying sum of embeddings: causal, and small enough to write the gradient of."""

    def __init__(self):
        super().__init__()
        noise = torch.Generator().manual_seed(3)
        self.rows = nn.Parameter(torch.randn(V, 5, generator=noise, dtype=torch.float64))
        self.head = nn.Parameter(torch.randn(V, 5, generator=noise, dtype=torch.float64))

    def forward(self, tokens_BT):
        x_BTD, state, out = self.rows[tokens_BT], 0, []
        for t in range(x_BTD.size(1)):
            state = 0.6 * state + x_BTD[:, t]
            out.append(torch.tanh(state) @ self.head.T)
        return torch.stack(out, 1)


class Recorded(Memory):
    """Notes each pass: what it was given, whether it could learn from it."""

    def __init__(self):
        super().__init__()
        self.passes = []

    def forward(self, tokens_BT):
        self.passes.append((torch.is_grad_enabled(), tokens_BT.tolist()))
        return super().forward(tokens_BT)


def by_hand(text, seq_len, of):
    """Losses of every prediction in their order: one window at a time, gradient, clip and momentum written out."""
    model, tokens = Memory(), torch.from_numpy(text.astype(np.int64))
    n = len(text) - 1
    n_chunks = math.ceil(n / of.chunk)
    losses, speed = [], [torch.zeros_like(p) for p in model.parameters()]
    for c in range(n_chunks):
        # a window belongs to the chunk that holds the first prediction it has to make
        while len(losses) < min((c + 1) * of.chunk, n):
            at = len(losses)
            start = 0 if at == 0 else math.ceil((at + 1 - seq_len) / of.stride) * of.stride
            end = min(start + seq_len, n)
            with torch.no_grad():
                told = model(tokens[start:end].unsqueeze(0))[0].log_softmax(-1)
            losses += [-told[place - start, tokens[place + 1]].item() for place in range(at, end)]
        if c == n_chunks - 1:
            break
        rate = of.lr * (1 + math.cos(math.pi * c / (n_chunks - 1))) / 2
        for _ in range(of.passes):
            starts = range(c * of.chunk, (c + 1) * of.chunk - seq_len + 1, seq_len)
            if not starts:  # a chunk shorter than a sequence teaches nothing
                continue
            rows = torch.stack([tokens[s : s + seq_len + 1] for s in starts])
            told = model(rows[:, :-1]).log_softmax(-1)
            loss = -told.gather(2, rows[:, 1:].unsqueeze(2)).mean()
            grads = torch.autograd.grad(loss, list(model.parameters()))
            norm = math.sqrt(sum((g**2).sum().item() for g in grads))
            with torch.no_grad():
                for p, g, v in zip(model.parameters(), grads, speed, strict=True):
                    v.mul_(of.momentum).add_(g * min(1.0, of.clip / (norm + 1e-6)))
                    p -= rate * v
    return losses


@pytest.mark.parametrize(("seq_len", "stride"), [(8, 3), (8, 8), (20, 1), (20, 7), (41, 8), (60, 8)])
def test_it_scores_and_learns_as_the_reference_does(seq_len, stride):
    of = ScoreFirstSgd(stride=stride, chunk=41, passes=2, lr=0.4, momentum=0.8, clip=0.5)
    losses = by_hand(TEXT, seq_len, of)
    assert len(losses) == len(TEXT) - 1
    assert of.nats(Memory(), TEXT, seq_len) == pytest.approx(sum(losses) / len(losses), rel=1e-10)


def test_it_learns():
    repeated = np.tile(TEXT[:20], 10)
    assert ADAPTING.nats(Memory(), repeated, SEQ_LEN) < 0.8 * Sliding(stride=3).nats(Memory(), repeated, SEQ_LEN)


def test_a_text_of_one_chunk_is_only_scored():
    of = ScoreFirstSgd(stride=3, chunk=256)
    assert of.nats(Memory(), TEXT, SEQ_LEN) == Sliding(stride=3).nats(Memory(), TEXT, SEQ_LEN)


def told(text, seq_len, stride=3):
    """Loss of each prediction under the weights it was scored with, in the order of the text."""
    found = {}

    class Noted(Memory):
        def forward(self, tokens_BT):
            logits_BTV = super().forward(tokens_BT)
            if not torch.is_grad_enabled():
                scoring.append((tokens_BT.clone(), logits_BTV.clone()))
            return logits_BTV

    scoring = []
    of = ScoreFirstSgd(stride=stride, chunk=41, passes=2, lr=0.4)
    total = of.nats(Noted(), text, seq_len)
    at = 0
    for tokens_BT, logits_BTV in scoring:
        for row_T, row_TV in zip(tokens_BT, logits_BTV, strict=True):
            # windows come in order: each ends `stride` after the one before, the last at the end
            end = min(at + stride if at else seq_len, len(text) - 1)
            for place in range(at, end):
                assert place not in found
                back = end - place
                assert row_T[-back] == text[place]
                found[place] = -row_TV[-back].log_softmax(-1)[int(text[place + 1])].item()
            at = end
    assert sum(found.values()) / len(found) == pytest.approx(total, rel=1e-10)
    return [found[place] for place in range(len(text) - 1)]


def test_what_comes_later_never_moves_an_earlier_score():
    base = told(TEXT, SEQ_LEN)
    for changed in (5, 41, 42, 83, 130, 164, 165, 202):
        other = TEXT.copy()
        other[changed:] = (other[changed:] + 1) % V
        assert told(other, SEQ_LEN)[: changed - 1] == base[: changed - 1], changed
        # and it does move what follows: the test would see a leak
        assert told(other, SEQ_LEN)[changed - 1] != base[changed - 1]


def test_each_token_is_scored_once_and_no_update_saw_it_before():
    # every token its own, so that a row says which places it holds
    text = np.arange(203).astype(np.uint16)
    model, scored, learnt = Recorded(), set(), set()
    model.rows = nn.Parameter(torch.randn(203, 5, dtype=torch.float64))
    model.head = nn.Parameter(torch.randn(203, 5, dtype=torch.float64))
    ADAPTING.nats(model, text, SEQ_LEN)
    for learning, rows in model.passes:
        for row in rows:
            targets = {place + 1 for place in row}
            if learning:
                assert targets <= scored, "learnt from what was not scored yet"
                learnt |= targets
            else:
                fresh = targets - scored
                assert fresh, "a window without anything new"
                assert fresh.isdisjoint(learnt), "scored by weights that had seen it"
                scored |= fresh
    assert scored == set(range(1, 203))
    assert learnt
    assert max(learnt) < 4 * 41 + 1, "the last chunk teaches nothing"


def test_to_learn_before_all_of_a_chunk_is_scored_is_no_possibility(monkeypatch):
    short = [(0, 8, 0), (3, 11, 8), (38, 46, 43)]
    monkeypatch.setattr(score_first_sgd, "windows", lambda n, seq_len, stride: iter(short))
    with pytest.raises(AssertionError, match="11 predictions scored, learning would see 41"):
        ADAPTING.nats(Memory(), TEXT, SEQ_LEN)


# on real models


CONFIG = baseline(Budget(steps=2, batch=2, seq_len=24), "golf-cpu").replaced(
    "shape", [full_pick("shape", "sized", {"n_layer": 2, "n_head": 4, "head_width": 16})]
)
WORDS = np.random.default_rng(4).integers(0, 60, 700).astype(np.uint16)
CHUNKED = ScoreFirstSgd(stride=12, chunk=256, lr=0.1)


def started(config):
    stack = realise(config)
    model = stack.model(24)
    initialise(Params(model), stack.init, 1)
    return model


def state(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


@pytest.mark.parametrize("precision", ["int8_clipped", "int6_ste", "ternary_ste"])
def test_a_model_is_what_it_was_afterwards_and_answers_the_same_again(precision):
    config = CONFIG.replaced("precision", [full_pick("precision", precision, {})])
    model = unpack(pack(started(config), config), config).train()
    before, casts = state(model), [m.cast for m in model.modules() if hasattr(m, "cast")]
    first = CHUNKED.nats(model, WORDS, 24)
    assert all(torch.equal(before[name], p) for name, p in state(model).items())
    assert [m.cast for m in model.modules() if hasattr(m, "cast")] == casts
    assert all(p.grad is None for p in model.parameters())
    assert model.training
    assert CHUNKED.nats(model, WORDS, 24) == first
    assert first != Sliding(stride=12).nats(model, WORDS, 24)


def test_weights_are_lent_as_the_forward_pass_has_them():
    config = CONFIG.replaced("precision", [full_pick("precision", "int6_ste", {})])
    model, tokens_BT = started(config), torch.from_numpy(WORDS[:48].astype(np.int64)).view(2, 24)
    expected = model(tokens_BT)
    with lent(model):
        assert torch.equal(model(tokens_BT), expected)
        # a small step counts, where rounding would have swallowed it
        with torch.no_grad():
            model.embedding.weight[0, 0] += 1e-5
        assert torch.equal(model.embedding.rows(), model.embedding.weight)
    assert torch.equal(model(tokens_BT), expected)


def test_a_failure_gives_the_weights_back(monkeypatch):
    model = started(CONFIG)
    before = state(model)
    monkeypatch.setattr(nn.utils, "clip_grad_norm_", lambda weights, most: weights[0].data.zero_() / most.missing)
    with pytest.raises(AttributeError, match="missing"):
        CHUNKED.nats(model, WORDS, 24)
    assert all(torch.equal(before[name], p) for name, p in state(model).items())


def test_gradients_of_training_are_left_alone_between_its_steps():
    """A probe stands between two steps: the next one must be what it would have been."""
    models = [started(CONFIG), started(CONFIG)]
    CHUNKED.nats(models[1], WORDS, 24)
    rows = torch.from_numpy(WORDS[:100].astype(np.int64)).view(4, 25)
    for model in models:
        mean_nats(model(rows[:, :-1]), rows[:, 1:]).backward()
    for one, other in zip(*(model.parameters() for model in models), strict=True):
        assert torch.equal(one.grad, other.grad)


@pytest.mark.parametrize("size", [2, 3, 8])
def test_ranks_share_windows_and_sequences_and_agree_to_rounding(size, monkeypatch):
    monkeypatch.setattr("bench.techniques.evaluator.sliding.WINDOWS_A_BATCH", 2)
    alone = ADAPTING.nats(Memory(), TEXT, SEQ_LEN)
    with ThreadPoolExecutor(size) as threads:
        found = list(threads.map(lambda r: ADAPTING.nats(Memory(), TEXT, SEQ_LEN, r), Meeting(size).ranks()))
    assert found == pytest.approx([alone] * size, rel=1e-12)
    assert len(set(found)) == 1


def test_beside_exclusive_attention_it_is_advised_against_with_its_source():
    config = CONFIG.replaced("evaluator", [full_pick("evaluator", "score_first_sgd", {})])
    config = config.replaced("mixer_modifiers", [full_pick("mixer_modifiers", "xsa", {})])
    assert any("score_first_sgd clashes with xsa" in text and "#303" in text for text in advice(config))
