"""Attention within documents: each is as if it stood alone, for outputs, gradients and scores.

Shapes: B batch, T time, V vocabulary.
"""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from golf_reference import reference
from reference import assert_same

from bench.catalog import CATALOG, advice, displaced, full_pick, realise, refusals
from bench.config import Budget, slot_named
from bench.divisions import baseline
from bench.estimate import estimate
from bench.skeleton import Context
from bench.techniques.evaluator.sliding import Sliding
from bench.techniques.mixer_modifiers.document_mask import DocumentMask
from bench.tracks import FEATHERWEIGHT, GOLF_CPU, Boundary

SHAPE = {"n_layer": 4, "n_head": 4, "head_width": 16}
SEQ_LEN = 24
STARTS = (0, 5, 6, 17)  # a document of one token among them
ENDS = (*STARTS[1:], SEQ_LEN)


def config_with(*changes, track=GOLF_CPU):
    """A track's baseline with techniques in the place of what they displace, and the mask."""
    config = baseline(Budget(steps=1, batch=2, seq_len=SEQ_LEN), track.name)
    config = config.replaced("shape", [full_pick("shape", "sized", SHAPE)])
    for technique in (*changes, DocumentMask):
        slot, gone = technique.slot, {technique.name, *displaced(technique)}
        kept = [p for p in config.picks[slot] if p.name not in gone] if slot_named(slot).many else []
        config = config.replaced(slot, [*kept, full_pick(slot, technique.name, {})])
    return config


def unmasked(config):
    kept = [pick for pick in config.picks["mixer_modifiers"] if pick.name != DocumentMask.name]
    return config.replaced("mixer_modifiers", kept)


def stirred(config):
    model = realise(config).model(SEQ_LEN).double()
    drawn = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=drawn, dtype=torch.float64), alpha=0.2)
    return model


def documents(boundary, seed=7):
    """A sequence that begins a document at each start, whichever side of it the boundary token stands on."""
    tokens_T = torch.randint(5, 250, (SEQ_LEN,), generator=torch.Generator().manual_seed(seed))
    tokens_T[[s if boundary.begins else s - 1 for s in STARTS[1:]]] = boundary.token
    return tokens_T


def alone(model, tokens_T):
    """Each document in a sequence of its own, and all their logits in a row."""
    return torch.cat([model(tokens_T[s:e].unsqueeze(0))[0] for s, e in zip(STARTS, ENDS, strict=True)])


def test_outputs_and_gradients_are_those_of_each_document_alone_by_the_formula():
    model, tokens_T = stirred(config_with()), documents(GOLF_CPU.boundary)
    slow_TV = torch.cat([reference(model, tokens_T[s:e]) for s, e in zip(STARTS, ENDS, strict=True)])
    # positions count from the sequence's start, and the tables of their angles are in single precision
    assert_same(model(tokens_T.unsqueeze(0))[0], slow_TV, list(model.parameters()), rtol=1e-4, atol=1e-5)
    assert (reference(model, tokens_T) - slow_TV).abs().max() > 0.1


MASKED = [mixer for mixer in CATALOG["mixer"] if DocumentMask.point in mixer.points]


@pytest.mark.parametrize("mixer", MASKED, ids=lambda t: t.name)
@pytest.mark.parametrize("track", [GOLF_CPU, FEATHERWEIGHT], ids=lambda t: t.name)
def test_every_attention_mixer_keeps_documents_apart(mixer, track):
    model, tokens_T = stirred(config_with(mixer, track=track)), documents(track.boundary)
    assert_same(model(tokens_T.unsqueeze(0))[0], alone(model, tokens_T), list(model.parameters()), rtol=1e-4, atol=1e-5)


def test_the_mixers_with_the_mask_are_all_of_attention():
    assert [t.name for t in MASKED] == ["softmax", "sliding_window", "gqa", "sparse", "differential"]
    refused = refusals(config_with(next(t for t in CATALOG["mixer"] if t.name == "mamba")))
    assert "document_mask attaches to a mixer's mask, and mamba has none" in refused


SLOTS = ("features", "mixer", "mixer_modifiers", "ffn", "residual", "block_modifiers", "head", "logits")
BESIDE = [
    pytest.param(track, technique, id=f"{track.name}-{technique.name}")
    for track in (GOLF_CPU, FEATHERWEIGHT)
    for slot in SLOTS
    for technique in CATALOG[slot]
    if not refusals(config_with(technique, track=track))
]


@pytest.mark.parametrize(("track", "technique"), BESIDE)
def test_a_changed_token_moves_no_bit_of_another_document_but_for_what_is_said_to_leak(track, technique):
    model, tokens_T = stirred(config_with(technique, track=track)), documents(track.boundary)
    other_T = tokens_T.clone()
    other_T[[t for t in (8, 14, 15, 16) if tokens_T[t] != track.boundary.token]] += 1
    with torch.no_grad():
        before, after = (model(t.unsqueeze(0))[0] for t in (tokens_T, other_T))
    kept = [torch.equal(before[s:e], after[s:e]) for s, e in zip(STARTS, ENDS, strict=True)]
    # hashed bytes read a story's end before it, as if nothing were there
    leaks = {clash.other for clash in DocumentMask.clashes} - ({"trigram_hash"} if track is FEATHERWEIGHT else set())
    assert kept == [True, True, False, technique.name not in leaks]


def test_without_the_mask_the_same_change_moves_what_follows():
    model, tokens_T = stirred(unmasked(config_with())), documents(GOLF_CPU.boundary)
    other_T = tokens_T.clone()
    other_T[14] += 1
    with torch.no_grad():
        moved = (model(tokens_T.unsqueeze(0)) - model(other_T.unsqueeze(0)))[0, STARTS[-1] :]
    assert moved.abs().max() > 0.01


def test_no_gradient_reaches_another_document():
    model, tokens_T = stirred(config_with()), documents(GOLF_CPU.boundary)
    tokens_T[18:] = torch.arange(900, 906)
    (grad_VD,) = torch.autograd.grad(model(tokens_T.unsqueeze(0))[0, 18:, 7].sum(), [model.embedding.weight])
    # the head reads every row; what is left is what was looked up
    head_VD = torch.zeros_like(grad_VD)
    head_VD[7] = grad_VD[7]
    reached = (grad_VD - head_VD).abs().sum(1).nonzero().flatten().tolist()
    assert reached == [GOLF_CPU.boundary.token, *range(900, 906)]


def test_where_a_document_starts_follows_the_tracks_boundary():
    row = torch.tensor([[7, 1, 8, 1]])
    begins = Context(row, 1.0, Boundary(1, begins=True)).within_BTT[0].int().tolist()
    assert begins == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]
    ends = Context(row, 1.0, Boundary(1)).within_BTT[0].int().tolist()
    assert ends == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]


@pytest.mark.parametrize("mixer", MASKED, ids=lambda t: t.name)
def test_one_document_is_as_without_the_mask(mixer):
    config = config_with(mixer)
    masked, tokens_BT = stirred(config), torch.randint(5, 250, (2, SEQ_LEN), generator=torch.Generator().manual_seed(1))
    plain = stirred(unmasked(config))
    with torch.no_grad():
        torch.testing.assert_close(masked(tokens_BT), plain(tokens_BT), rtol=1e-9, atol=1e-9)


def test_sliding_windows_score_documents_as_if_each_stood_alone():
    """With as much of a window before its fresh tokens as the longest document has."""
    model, boundary = stirred(config_with()).float(), GOLF_CPU.boundary
    text_T = torch.cat([documents(boundary, seed) for seed in range(4)])
    text_T[SEQ_LEN::SEQ_LEN] = boundary.token
    starts = [0, *((text_T[1:] == boundary.token).nonzero().flatten() + 1).tolist(), len(text_T)]
    nats = 0.0
    with torch.no_grad():
        for start, end in pairwise(starts):
            # a document's last token predicts the start of the next
            logits_TV = model(text_T[start:end].unsqueeze(0))[0][: len(text_T) - 1 - start]
            targets_T = text_T[start + 1 : end + 1]
            nats += F.cross_entropy(logits_TV.double(), targets_T, reduction="sum").item()
    found = Sliding(stride=SEQ_LEN - 12).nats(model, text_T.to(torch.uint8).numpy(), SEQ_LEN)
    assert max(end - start for start, end in pairwise(starts)) <= 12
    assert found == pytest.approx(nats / (len(text_T) - 1), rel=1e-5)


def test_it_costs_no_parameter_and_saves_no_product():
    assert estimate(config_with()) == estimate(unmasked(config_with()))


def test_what_still_reaches_over_a_documents_start_is_advised_against():
    said = advice(config_with(next(t for t in CATALOG["block_modifiers"] if t.name == "canon")))
    assert any("document_mask clashes with canon" in text for text in said)
