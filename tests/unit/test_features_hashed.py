"""Hashed tables of byte pairs and triples against a loop over positions.

Shapes: B batch, T time, D width.
"""

import pytest
import torch
from reference import HERE, assert_same, noise, text

from bench.catalog import full_pick
from bench.config import Budget
from bench.divisions import baseline
from bench.estimate import over_caps
from bench.skeleton import DOCUMENT_END, Context
from bench.techniques.features.bigram_hash import BigramHash
from bench.techniques.features.trigram_hash import TrigramHash
from bench.tracks import FEATHERWEIGHT

BUCKETS = 600
BIGRAM, TRIGRAM = BigramHash(buckets=BUCKETS), TrigramHash(buckets=BUCKETS)
both = pytest.mark.parametrize("technique", [BIGRAM, TRIGRAM], ids=lambda t: t.name)


def built(technique):
    feature = technique.build(HERE).double()
    for seed, p in enumerate(feature.parameters()):
        p.data = noise(*p.shape, seed=seed).detach()
    return feature


def row_of(story, t, depth):
    """The row for byte t of a story, which is read alone: before its first byte stands nothing but zeros."""
    if t == 0:
        return BUCKETS - 1
    index = 0
    for back, factor in zip(range(depth), (36_313, 27_191, 51_497), strict=False):
        index ^= factor * (story[t - back] if t >= back else 0)
    return index % (BUCKETS - 1)


def added_by_hand(feature, tokens, depth):
    """Each story of a window looked up on its own."""
    rows, story = [], []
    for token in tokens:
        story.append(token)
        rows.append(row_of(story, len(story) - 1, depth))
        if token == DOCUMENT_END:
            story = []
    return torch.stack([feature.table.weight[row] @ feature.project.weight.T for row in rows])


@pytest.mark.parametrize("T", [1, 2, 3, 13])
@pytest.mark.parametrize(("technique", "depth"), [(BIGRAM, 2), (TRIGRAM, 3)], ids=["bigram", "trigram"])
def test_a_hashed_table_equals_its_loop(technique, depth, T):
    feature, x_BTD, context = built(technique), noise(3, T, HERE.width, seed=7), text(3, T)
    context.tokens_BT[:, 4::5] = DOCUMENT_END
    slow_BTD = x_BTD + torch.stack([added_by_hand(feature, row, depth) for row in context.tokens_BT.tolist()])
    assert_same(feature(x_BTD, context), slow_BTD, [x_BTD, *feature.parameters()])


@both
def test_no_story_leaks_into_the_next(technique):
    feature, x_BTD = built(technique), torch.zeros(2, 7, HERE.width, dtype=torch.float64)
    tokens_BT = torch.tensor([[65, 66, 67, 0, 70, 71, 72], [80, 81, 82, 0, 70, 71, 72]])
    one_TD, other_TD = feature(x_BTD, Context(tokens_BT, 1.0))
    torch.testing.assert_close(one_TD[4:], other_TD[4:])
    assert not torch.allclose(one_TD[1:3], other_TD[1:3])


@both
def test_a_story_is_seen_alike_wherever_it_starts(technique):
    feature, x_BTD = built(technique), torch.zeros(1, 3, HERE.width, dtype=torch.float64)
    alone_TD = feature(x_BTD, Context(torch.tensor([[70, 71, 72]]), 1.0))[0]
    padded_BTD = torch.zeros(1, 6, HERE.width, dtype=torch.float64)
    after_TD = feature(padded_BTD, Context(torch.tensor([[65, 66, 0, 70, 71, 72]]), 1.0))[0, 3:]
    torch.testing.assert_close(alone_TD, after_TD)


def test_the_trigram_sees_one_byte_further_than_the_bigram():
    x_BTD = torch.zeros(2, 3, HERE.width, dtype=torch.float64)
    context = Context(torch.tensor([[65, 70, 71], [66, 70, 71]]), 1.0)
    bigram, trigram = built(BIGRAM)(x_BTD, context), built(TRIGRAM)(x_BTD, context)
    torch.testing.assert_close(bigram[0, 2], bigram[1, 2])
    assert not torch.allclose(trigram[0, 2], trigram[1, 2])


def test_both_tables_at_their_defaults_keep_the_caps():
    picks = [full_pick("features", name, {}) for name in ("bigram_hash", "trigram_hash")]
    assert over_caps(baseline(Budget(steps=500)).replaced("features", picks), FEATHERWEIGHT) == []
