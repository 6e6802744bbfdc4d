"""Low-rank updates of each document: scored first, each document by itself, and the steps of a slow reference.

Shapes: S documents, T time, D width, V vocabulary.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from golf_reference import ByFormula, rms
from meeting import Meeting

from bench.artifact import pack, unpack
from bench.catalog import CATALOG, displaced, full_pick, realise, refusals
from bench.config import Budget, slot_named
from bench.divisions import GOLF_BASE, baseline, division_named
from bench.errors import ConfigError
from bench.layers import Linear
from bench.techniques.evaluator import lora
from bench.techniques.evaluator.lora import PerDocumentLora, adapted, batches, longest_first
from bench.techniques.evaluator.windows import Windows
from bench.tracks import FEATHERWEIGHT, GOLF_CPU

SEQ_LEN = 16
BOUNDARY = GOLF_CPU.boundary.token
# shorter than a chunk, a chunk to the token, longer than a window, one without a token of its own
LENGTHS = (21, 4, 30, 1, 6, 37, 12)
STARTS = (0, *np.cumsum(LENGTHS).tolist())
ADAPTING = PerDocumentLora(rank=3, alpha=6.0, chunk=6, lr=0.02, beta1=0.5, beta2=0.9, weight_decay=0.5)


def config_with(*changes, track=GOLF_CPU):
    """A track's baseline with techniques in the place of what they displace."""
    config = baseline(Budget(steps=2, batch=2, seq_len=SEQ_LEN), track.name)
    shape = {"n_layer": 3, "n_head": 4, "head_width": 16}
    config = config.replaced("shape", [full_pick("shape", "sized", shape)])
    for technique in changes:
        slot, gone = technique.slot, {technique.name, *displaced(technique)}
        kept = [p for p in config.picks[slot] if p.name not in gone] if slot_named(slot).many else []
        config = config.replaced(slot, [*kept, full_pick(slot, technique.name, {})])
    return config


def stirred(config):
    model = realise(config).model(SEQ_LEN).double()
    drawn = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=drawn, dtype=torch.float64), alpha=0.2)
    return model


def text_of(lengths=LENGTHS, boundary=BOUNDARY, vocab=1024, seed=1):
    """Documents of so many predictions, no token but the boundary twice."""
    rng = np.random.default_rng(seed)
    text = (boundary + 1 + rng.permutation(vocab - 2)[: sum(lengths) + 1]).astype(np.uint16)
    text[[0, *np.cumsum(lengths[:-1])]] = boundary
    return text


TEXT = text_of()


@pytest.fixture(scope="module")
def model():
    return stirred(config_with())


# by hand


class Adapted(ByFormula):
    """The baseline by formula with a product of low rank added to what adapters stand beside, and its steps."""

    def __init__(self, model, of):
        super().__init__(model)
        self.order, self.gain, self.turn = model.order, of.alpha / of.rank, 0
        drawn = torch.Generator().manual_seed(0)
        self.low = {}
        sizes = {"query": (64, 64), "key": (64, 32), "value": (64, 32), "output": (64, 64), "ffn": (64, 64)}
        for turn in range(len(self.order)):
            self.low |= {(turn, part): self.pair(drawn, *size, of.rank) for part, size in sizes.items()}
        self.low["head"] = self.pair(drawn, 64, 1024, of.rank)

    def pair(self, drawn, n_in, n_out, rank):
        inner = (torch.rand(rank, n_in, generator=drawn) * 2 - 1) / math.sqrt(n_in)
        return [inner.double().requires_grad_(), torch.zeros(n_out, rank, dtype=torch.float64, requires_grad=True)]

    def change(self, place):
        inner, outer = self.low[place]
        return self.gain * outer @ inner

    def of(self, i, name):
        weight = super().of(i, name)
        part = name.split(".")[1]
        matrix = name.startswith("mixer.") and name.endswith(".weight")
        return weight + self.change((self.turn, part)) if matrix else weight

    def fed(self, i, x):
        round_it = rms(x) @ self.change((self.turn, "ffn")).T
        return super().fed(i, x) + self.weights[f"blocks.{i}.modifiers.added_ffn.0.scale"] * round_it

    def told(self, tokens_T):
        """Logits of a window."""
        x = x0 = self.embedded(tokens_T)
        given = {}
        for turn, i in enumerate(self.order):
            self.turn = turn
            x = self.with_x0(i, self.with_skip(i, x, given), x0)
            x = x + self.mixed(i, x)
            x = x + self.fed(i, x)
            given[i] = x
        embedding = self.weights["embedding.weight"]
        return 30 * torch.tanh(rms(x) @ (embedding + self.change("head")).T / 30)


def by_hand(model, tokens, seq_len, of):
    """Losses of a document's predictions: one window at a time, with Adam and its decay written out."""
    hand, losses = Adapted(model, of), []
    moving = [w for pair in hand.low.values() for w in pair]
    first, second = ([torch.zeros_like(w) for w in moving] for _ in range(2))
    n, step = len(tokens) - 1, 0
    while len(losses) < n:
        at, end = len(losses), min(len(losses) + of.chunk, n)
        start = max(0, end - seq_len)
        shares = hand.told(tokens[start:end]).log_softmax(-1)
        chunk = torch.stack([-shares[place - start, tokens[place + 1]] for place in range(at, end)])
        losses += chunk.tolist()
        if end == n:
            break
        step += 1
        grads = torch.autograd.grad(chunk.mean(), moving)
        with torch.no_grad():
            for w, g, m, v in zip(moving, grads, first, second, strict=True):
                m.copy_(of.beta1 * m + (1 - of.beta1) * g)
                v.copy_(of.beta2 * v + (1 - of.beta2) * g * g)
                w -= of.lr * of.weight_decay * w
                w -= of.lr * (m / (1 - of.beta1**step)) / ((v / (1 - of.beta2**step)).sqrt() + 1e-10)
    return losses


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 1, 1, 2)], ids=str)
def test_whole_documents_are_scored_and_learnt_from_as_the_reference_does(order):
    model = stirred(config_with())
    model.order = order
    lengths = (27, 5, 18)
    text = text_of(lengths)
    tokens = torch.from_numpy(text.astype(np.int64))
    losses = []
    for start, end in pairwise((0, *np.cumsum(lengths).tolist())):
        losses += by_hand(model, tokens[start : end + 1], SEQ_LEN, ADAPTING)
    assert len(losses) == len(text) - 1
    found = ADAPTING.nats(model, text, SEQ_LEN)
    assert found == pytest.approx(sum(losses) / len(losses), rel=1e-9)
    # what the steps do is far beyond that tolerance
    assert abs(found - replace(ADAPTING, lr=0.0).nats(model, text, SEQ_LEN)) > 1e-3


# scored first, each once


def alone_nats(model, text, seq_len, chunk):
    """Every chunk with as much of its document before it as a window holds, one at a time and never learnt from."""
    tokens, total = torch.from_numpy(text.astype(np.int64)), 0.0
    starts = [0, *((tokens[1:-1] == model.boundary.token).nonzero().flatten() + 1).tolist(), len(text) - 1]
    for begin, stop in pairwise(starts):
        for at in range(begin, stop, chunk):
            end = min(at + chunk, stop)
            opened = max(begin, end - seq_len)
            with torch.no_grad():
                logits_TV = model(tokens[opened:end].unsqueeze(0))[0, at - opened :]
            total += F.cross_entropy(logits_TV, tokens[at + 1 : end + 1], reduction="sum").item()
    return total / (len(text) - 1)


@pytest.mark.parametrize("chunk", [1, 6, 16, 500])
def test_without_a_rate_it_is_a_plain_evaluation_of_each_document_alone(model, chunk):
    still = replace(ADAPTING, lr=0.0, chunk=chunk)
    expected = alone_nats(model, TEXT, SEQ_LEN, min(chunk, SEQ_LEN))
    assert still.nats(model, TEXT, SEQ_LEN) == pytest.approx(expected, rel=1e-12)


class Watched:
    """Losses by target and what was learnt from, in their order. A target that starts a document has no name."""

    def __init__(self, monkeypatch):
        self.scored, self.starts, self.learnt = {}, 0, set()
        self.plain = F.cross_entropy
        monkeypatch.setattr(F, "cross_entropy", self)

    def __call__(self, logits, targets, reduction):
        losses = self.plain(logits, targets, reduction=reduction)
        if reduction == "sum":
            fresh = set(targets.tolist()) - {BOUNDARY} - self.scored.keys()
            assert not fresh, f"learnt from {fresh} before they were scored"
            self.learnt |= set(targets.tolist())
            return losses
        for target, loss in zip(targets.tolist(), losses.tolist(), strict=True):
            if target == BOUNDARY:
                self.starts += 1
                continue
            assert target not in self.scored, f"{target} is scored twice"
            self.scored[target] = loss
        return losses


def told(model, text, of, seq_len=SEQ_LEN):
    """The loss of every token but those that start a document, by the token."""
    with pytest.MonkeyPatch.context() as patch:
        watched = Watched(patch)
        of.nats(model, text, seq_len)
        return watched.scored


@pytest.mark.parametrize("phases", [0, 2])
def test_each_token_is_scored_once(model, phases, monkeypatch):
    monkeypatch.setattr(lora, "PHASE_CHUNK", 32)
    watched = Watched(monkeypatch)
    total = replace(ADAPTING, phases=phases, documents=4).nats(model, TEXT, SEQ_LEN)
    assert watched.scored.keys() == set(TEXT[1:].tolist()) - {BOUNDARY}
    assert watched.starts == len(LENGTHS) - 1
    assert bool(watched.learnt) == bool(phases)
    named = sum(watched.scored.values())
    assert 0 < total * (len(TEXT) - 1) - named < 30 * watched.starts


def place_of(document, offset):
    return STARTS[document] + offset


@pytest.mark.parametrize(("document", "offset"), [(0, 5), (0, 6), (0, 20), (2, 11), (2, 12), (5, 1), (5, 36)])
def test_a_token_changed_later_moves_no_score_before_it_nor_one_of_another_document(model, document, offset):
    other, place = TEXT.copy(), place_of(document, offset)
    unseen = np.setdiff1d(np.arange(2, 1024), TEXT)
    other[place : STARTS[document + 1]] = unseen[: STARTS[document + 1] - place]
    base, changed = (told(model, text, ADAPTING) for text in (TEXT, other))
    kept = [token for token in base if token in changed]
    assert len(kept) == len(base) - (STARTS[document + 1] - place)
    assert [base[token] for token in kept] == [changed[token] for token in kept]


def test_one_changed_token_moves_what_its_document_learns_from_it(model):
    """Without this the test above could not see a leak: the change is learnt from, and reaches beyond the window."""
    other, place = TEXT.copy(), place_of(5, 3)
    other[place] = np.setdiff1d(np.arange(2, 1024), TEXT)[0]
    base, changed = (told(model, text, ADAPTING) for text in (TEXT, other))
    far = TEXT[place_of(5, 3 + SEQ_LEN + ADAPTING.chunk) : STARTS[6]].tolist()
    assert all(base[token] != changed[token] for token in far)
    still = replace(ADAPTING, lr=0.0)
    base, changed = (told(model, text, still) for text in (TEXT, other))
    assert all(base[token] == changed[token] for token in far)


def test_it_learns_what_a_document_repeats(model):
    once = text_of((20,))[:20]
    text = np.concatenate([once[:1], np.tile(once[1:], 6)])
    of = replace(ADAPTING, lr=0.003, weight_decay=0.0)
    assert of.nats(model, text, SEQ_LEN) < 0.95 * replace(of, lr=0.0).nats(model, text, SEQ_LEN)


def test_a_document_scores_the_same_with_others_and_alone(model, monkeypatch):
    together = told(model, TEXT, ADAPTING)
    for start, end in pairwise(STARTS):
        alone = told(model, TEXT[start : end + 1], ADAPTING)
        assert alone == pytest.approx({token: together[token] for token in alone}, rel=1e-9)
    monkeypatch.setattr(lora, "DOCUMENTS_A_BATCH", 2)
    assert told(model, TEXT, ADAPTING) == pytest.approx(together, rel=1e-9)


# documents and batches


def test_documents_start_at_the_boundary_and_at_the_first_token():
    row = torch.tensor([5, 1, 1, 7, 8, 1, 9, 1])
    assert longest_first(row, 1) == [(2, 3), (5, 2), (0, 1), (1, 1)]
    assert sum(length for _, length in longest_first(row, 1)) == len(row) - 1


def test_a_text_in_which_no_document_starts_is_refused(model):
    with pytest.raises(ConfigError) as refusal:
        ADAPTING.nats(model, TEXT[1:20], SEQ_LEN)
    said = "test_time_lora takes documents one by one, and none starts in 19 tokens: 1 is not there"
    assert refusal.value.problem == said


def test_featherweight_keeps_its_evaluation():
    config = baseline(Budget(steps=500)).replaced("evaluator", [full_pick("evaluator", "test_time_lora", {})])
    breaches = division_named("open").breaches(config)
    assert breaches[0].startswith("evaluator is test_time_lora(")
    assert breaches[0].endswith("but open fixes it at windows")
    assert breaches[1:] == ["evaluator is test_time_lora, which the golf track alone has"]
    golf = GOLF_BASE.replaced("evaluator", [full_pick("evaluator", "test_time_lora", {})])
    assert division_named("open", "golf").breaches(golf) == []


def test_batches_are_bounded_in_documents_and_tokens_and_hold_everything_once():
    queue = [(0, length) for length in (9_000, 5_000, 2_100, *[700] * 90, *[3] * 130)]
    found = list(batches(queue, 2048))
    assert [document for batch in found for document in batch] == queue
    assert max(map(len, found)) == lora.DOCUMENTS_A_BATCH
    assert all(len(batch) * min(batch[0][1], 2048) <= lora.TOKENS_A_BATCH for batch in found)
    assert [len(batch) for batch in batches([(0, 50_000)] * 2, 40_000)] == [1, 1]


@pytest.mark.parametrize("size", [2, 3, 8])
@pytest.mark.parametrize("phases", [0, 2])
def test_ranks_share_the_batches_and_agree_to_rounding(size, phases, monkeypatch):
    monkeypatch.setattr(lora, "DOCUMENTS_A_BATCH", 2)
    monkeypatch.setattr(lora, "PHASE_CHUNK", 32)
    of = replace(ADAPTING, phases=phases, documents=4)
    alone = of.nats(stirred(config_with()), TEXT, SEQ_LEN)
    assert alone == of.nats(stirred(config_with()), TEXT, SEQ_LEN)
    models = [stirred(config_with()) for _ in range(size)]
    with ThreadPoolExecutor(size) as threads:
        found = list(threads.map(lambda m, r: of.nats(m, TEXT, SEQ_LEN, r), models, Meeting(size).ranks()))
    assert found == pytest.approx([alone] * size, rel=1e-12)
    assert len(set(found)) == 1


# phases


def sgd_by_hand(model, tokens, chunk, seq_len):
    """An epoch over the tokens, with gradient, clip, momentum and cosine written out."""
    weights = list(model.parameters())
    speed = [torch.zeros_like(p) for p in weights]
    n_chunks = math.ceil((len(tokens) - 1) / chunk)
    for c in range(n_chunks - 1):
        starts = range(c * chunk, (c + 1) * chunk - seq_len + 1, seq_len)
        rows = torch.stack([tokens[s : s + seq_len + 1] for s in starts])
        shares = model(rows[:, :-1]).log_softmax(-1)
        grads = torch.autograd.grad(-shares.gather(2, rows[:, 1:].unsqueeze(2)).mean(), weights, materialize_grads=True)
        norm = math.sqrt(sum((g**2).sum().item() for g in grads))
        rate = 0.2 * (1 + math.cos(math.pi * c / (n_chunks - 1))) / 2
        with torch.no_grad():
            for p, g, v in zip(weights, grads, speed, strict=True):
                v.mul_(0.9).add_(g * min(1.0, 1.0 / (norm + 1e-6)))
                p -= rate * v


def test_phases_learn_from_the_longest_documents_once_they_are_scored(model, monkeypatch):
    monkeypatch.setattr(lora, "PHASE_CHUNK", 32)
    monkeypatch.setattr(lora, "PHASE_LR", 0.2)
    of, tokens = replace(ADAPTING, phases=2, documents=5), torch.from_numpy(TEXT.astype(np.int64))
    found = of.nats(model, TEXT, SEQ_LEN)
    queue = sorted(range(len(LENGTHS)), key=lambda d: -LENGTHS[d])
    moved, total = deepcopy(model), 0.0
    for first, last in pairwise((0, 2, 5, len(queue))):
        for d in queue[first:last]:
            total += ADAPTING.nats(moved, TEXT[STARTS[d] : STARTS[d + 1] + 1], SEQ_LEN) * LENGTHS[d]
        if last < len(queue):
            sgd_by_hand(moved, torch.cat([tokens[STARTS[d] : STARTS[d + 1]] for d in queue[:last]]), 32, SEQ_LEN)
    assert found == pytest.approx(total / sum(LENGTHS), rel=1e-9)
    assert abs(found - ADAPTING.nats(model, TEXT, SEQ_LEN)) > 1e-4


def test_a_pause_that_nothing_follows_is_none(model):
    plain = ADAPTING.nats(model, TEXT, SEQ_LEN)
    for documents in (len(LENGTHS), 2000):
        assert replace(ADAPTING, phases=1, documents=documents).nats(model, TEXT, SEQ_LEN) == plain


def test_what_is_learnt_in_a_phase_was_scored_by_all_ranks(model):
    class Behind(type(Meeting(1).ranks()[0])):
        def summed(self, own):
            return own - 1 if own.dtype == torch.int64 else own

    with pytest.raises(AssertionError, match="66 predictions scored, learning would see 67"):
        replace(ADAPTING, phases=1, documents=2).nats(model, TEXT, SEQ_LEN, Behind())


# on real models


def state(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


@pytest.mark.parametrize("precision", ["int8_clipped", "int6_ste"])
def test_a_model_is_what_it_was_afterwards_and_answers_the_same_again(precision, monkeypatch):
    monkeypatch.setattr(lora, "PHASE_CHUNK", 32)
    config = config_with(next(t for t in CATALOG["precision"] if t.name == precision))
    model = unpack(pack(stirred(config).float(), config), config).train()
    before, casts = state(model), [m.cast for m in model.modules() if hasattr(m, "cast")]
    of = replace(ADAPTING, phases=2, documents=4)
    first = of.nats(model, TEXT, SEQ_LEN)
    assert all(torch.equal(before[name], p) for name, p in state(model).items())
    assert [m.cast for m in model.modules() if hasattr(m, "cast")] == casts
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks for m in model.modules())
    assert model.training
    assert of.nats(model, TEXT, SEQ_LEN) == first


def test_a_failure_gives_the_weights_back_and_leaves_no_adapter(monkeypatch):
    model = stirred(config_with())
    before = state(model)
    monkeypatch.setattr(torch.optim, "AdamW", None)
    with pytest.raises(TypeError):
        ADAPTING.nats(model, TEXT, SEQ_LEN)
    assert all(torch.equal(before[name], p) for name, p in state(model).items())
    assert all(p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks for m in model.modules())


SLOTS = ("features", "mixer", "mixer_modifiers", "ffn", "residual", "block_modifiers", "head", "logits")
BESIDE = [t for slot in SLOTS for t in CATALOG[slot] if not refusals(config_with(t))]


@pytest.mark.parametrize("technique", BESIDE, ids=lambda t: t.name)
def test_every_linear_layer_of_every_stack_has_an_adapter_and_only_its_documents_change_it(technique):
    model = stirred(config_with(technique))
    with adapted(model, torch.tensor([BOUNDARY]), 1.0) as adapters:
        pass
    blocks = len(model.blocks)
    within = {id(m) for whole in (model.head, *(b.ffn for b in model.blocks)) for m in whole.modules()}
    linear = sum(isinstance(m, Linear) and id(m) not in within for m in model.modules())
    # the filter of hyena is made by layers that see places, and no token
    unseen = 2 * blocks if technique.name == "hyena" else 0
    assert len(adapters.sizes) == linear - unseen + blocks + 1
    other = TEXT.copy()
    other[place_of(5, 30)] = np.setdiff1d(np.arange(2, 1024), TEXT)[0]
    base, changed = (told(model, text, ADAPTING) for text in (TEXT, other))
    strangers = {token for token in TEXT.tolist() if token != BOUNDARY} - set(TEXT[STARTS[5] : STARTS[6]].tolist())
    assert all(base[token] == changed[token] for token in strangers)
    assert sum(base.values()) != sum(told(model, TEXT, replace(ADAPTING, lr=0.0)).values())


def test_where_the_boundary_ends_documents_the_next_one_begins_with_it():
    config = baseline(Budget(steps=2, batch=2, seq_len=SEQ_LEN), FEATHERWEIGHT.name)
    model = stirred(config)
    text = text_of(boundary=FEATHERWEIGHT.boundary.token, vocab=256)
    still = replace(ADAPTING, lr=0.0)
    expected = alone_nats(model, text, SEQ_LEN, ADAPTING.chunk)
    assert still.nats(model, text, SEQ_LEN) == pytest.approx(expected, rel=1e-12)


def test_where_no_window_is_cut_documents_alone_score_as_under_the_mask():
    """A flat evaluation of a model with attention within documents, in one window."""
    model = stirred(config_with(next(t for t in CATALOG["mixer_modifiers"] if t.name == "document_mask")))
    text = text_of((5, 1, 6, 3))
    found = replace(ADAPTING, lr=0.0).nats(model, text, SEQ_LEN)
    # positions count from the window's start, and the tables of their angles are in single precision
    assert found == pytest.approx(Windows().nats(model, text, SEQ_LEN), rel=1e-5)
