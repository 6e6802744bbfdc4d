"""Sequences at coprime strides: each place of a shard once a round, the same ones for any number of ranks."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from tiny_vocabulary import TRAIN, VALID
from tiny_vocabulary import model as tiny_model

from bench.batches import batches
from bench.catalog import full_pick, realise
from bench.config import Budget
from bench.data.shards import Stream
from bench.data.tokens import build
from bench.divisions import baseline
from bench.errors import ConfigError
from bench.ranks import Ranks
from bench.run import run
from bench.techniques.addons.coprime_strides import CoprimeStrides
from bench.tracks import GOLF_CPU

LENGTHS = [203, 9, 8, 160, 97, 33, 401, 17, 64, 128]  # the third holds no sequence of eight and its target
T = 8


def visited(technique, steps, batch, lengths=LENGTHS):
    visit = technique.visits(lengths, T)
    return [visit(step, batch) for step in range(steps)]


def by_shard(found):
    """Places of each shard in the order they were visited."""
    shards = {}
    for places in found:
        for shard, at in places:
            shards.setdefault(shard, []).append(at)
    return shards


def rounds_of(length, ats):
    """The visits to a shard, cut where it was cut anew: by its offset, whose sequences are counted by hand."""
    while ats:
        offset = ats[0] % T
        count = len(range(offset, length - T, T))
        yield offset, count, ats[:count]
        ats = ats[count:]


def test_every_sequence_lies_in_its_shard_with_its_target():
    for places in visited(CoprimeStrides(), 60, 12):
        assert len(places) == 12
        assert all(at >= 0 and at + T < LENGTHS[shard] for shard, at in places)


def test_a_round_visits_each_place_once_at_one_stride_that_shares_no_divisor_with_their_number():
    met = 0
    for shard, ats in by_shard(visited(CoprimeStrides(), 300, 12)).items():
        for offset, count, places in rounds_of(LENGTHS[shard], ats):
            assert {at % T for at in places} == {offset}
            blocks = [(at - offset) // T for at in places]
            assert len(set(blocks)) == len(blocks)
            strides = {(after - before) % count for before, after in pairwise(blocks)}
            assert len(strides) <= 1
            assert all(math.gcd(stride, count) == 1 for stride in strides)
            if len(places) == count:
                met += 1
                assert sorted(blocks) == list(range(count))
    assert met > 20


def test_offsets_and_strides_differ_from_round_to_round():
    cut = [(offset, tuple(p)) for offset, _, p in rounds_of(401, by_shard(visited(CoprimeStrides(), 900, 12))[6])]
    assert len({offset for offset, _ in cut}) > 2
    assert len({(places[1] - places[0]) // T % 50 for _, places in cut if len(places) > 1}) > 2


@pytest.mark.parametrize(("step", "mixed"), [(0, 2), (900, 4), (1800, 6), (9000, 6)])
def test_more_shards_are_mixed_as_training_goes_on(step, mixed):
    visit = CoprimeStrides(shards=2, most=6).visits(LENGTHS, T)
    assert len({shard for shard, _ in visit(step, 40)}) == mixed


def test_a_shard_is_drawn_by_the_power_of_what_is_left_of_it():
    """Of two long shards, one at a time: as 9 to 1 with the power 0.9."""
    visit = CoprimeStrides(shards=1, most=1).visits([n * T + 1 for n in (9_000_000, 1_000_000)], T)
    hits = sum(visit(0, 1)[0][0] == 0 for _ in range(1_000)) / 1_000
    assert hits == pytest.approx(9**0.9 / (9**0.9 + 1), abs=0.04)


def test_the_way_is_the_same_each_time():
    assert visited(CoprimeStrides(), 20, 12) == visited(CoprimeStrides(), 20, 12)


def test_sequences_longer_than_any_shard_are_refused():
    with pytest.raises(ConfigError, match="no shard holds a sequence of 401 tokens"):
        CoprimeStrides().visits(LENGTHS, 401)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    whole = build(
        "text:tiny", (TRAIN, VALID), tiny_model(), tmp_path_factory.mktemp("golf") / "tiny", lambda line: None
    )
    return replace(whole, train=Stream(np.array_split(whole.train.shards[0], 5)))


BUDGET = Budget(steps=3, batch=16, seq_len=24)


def drawn(corpus, seed=1, ranks=(0, 1), plan=None, steps=3):
    def whole(step, n_steps, budget):
        return plan or (budget.batch, budget.seq_len)

    draw = batches(corpus, BUDGET, whole, seed, 8, Ranks(*ranks), CoprimeStrides(shards=3).visits)
    return [draw(step, 3) for step in range(steps)]


def test_targets_follow_their_inputs_in_the_text(corpus):
    tokens = np.concatenate(corpus.train.shards).astype(np.uint16).tobytes()
    for x_BT, y_BT in drawn(corpus):
        assert x_BT.shape == y_BT.shape == (16, 24)
        assert torch.equal(x_BT[:, 1:], y_BT[:, :-1])
        for x_T, y_T in zip(x_BT, y_BT, strict=True):
            assert np.array([*x_T.tolist(), int(y_T[-1])], np.uint16).tobytes() in tokens


@pytest.mark.parametrize("size", [2, 4, 8])
def test_ranks_together_have_the_sequences_of_one(corpus, size):
    alone = drawn(corpus)
    shared = [drawn(corpus, ranks=(rank, size)) for rank in range(size)]
    for step, (x_BT, _) in enumerate(alone):
        together = sorted(row for one in shared for row in one[step][0].tolist())
        assert together == sorted(x_BT.tolist())


def test_a_curriculum_cuts_these_batches_too(corpus):
    for (whole_BT, _), (cut_BT, _) in zip(drawn(corpus), drawn(corpus, plan=(32, 12)), strict=True):
        assert torch.equal(cut_BT.view(8, -1), whole_BT.view(8, -1))


def test_a_run_reads_the_shards_that_way(corpus):
    small = replace(GOLF_CPU, eval_bytes=200, rung_eval_bytes=100, probe_bytes=100, probe_every=2)
    shape = full_pick("shape", "sized", {"n_layer": 2, "n_head": 4, "head_width": 16})
    config = baseline(Budget(steps=2, batch=4, seq_len=24), GOLF_CPU.name).replaced("shape", [shape])
    strided = config.replaced("addons", [full_pick("addons", "coprime_strides", {})])
    assert realise(strided).visits() is not None
    assert realise(config).visits() is None
    found = [run(each, 1, corpus, small, lambda point: None).result.val_loss for each in (config, strided, strided)]
    assert found[0] != found[1] == found[2]
