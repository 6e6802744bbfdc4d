"""The batches of a run: windows of the train bytes, cut as a curriculum plans."""

import dataclasses

import numpy as np
from made_up import CORPUS

from bench.batches import batches
from bench.config import Budget


def drawn(corpus, budget, plan=None):
    """The first batch, of `budget` sequences by bytes, as a plan may cut it."""
    batch, seq_len = budget
    whole = Budget(steps=1, batch=batch, seq_len=seq_len)
    return batches(corpus, whole, lambda step, n_steps, whole: plan or budget, seed=1)(0, 1)


def test_a_plan_of_fewer_sequences_takes_the_first():
    whole, fewer = drawn(CORPUS, (5, 16)), drawn(CORPUS, (5, 16), (2, 16))
    assert [part.tolist() for part in fewer] == [part[:2].tolist() for part in whole]


def test_a_plan_of_shorter_sequences_cuts_the_windows_in_pieces():
    whole, cut = drawn(CORPUS, (4, 16)), drawn(CORPUS, (4, 16), (8, 8))
    assert [part.tolist() for part in cut] == [part.reshape(8, 8).tolist() for part in whole]


def test_a_piece_too_short_is_dropped():
    whole, cut = drawn(CORPUS, (4, 16)), drawn(CORPUS, (4, 16), (8, 7))
    assert cut[0].tolist() == whole[0][:, :14].reshape(8, 7).tolist()


def test_batches_are_windows_of_the_train_bytes_with_the_next_byte_as_target():
    x_BT, y_BT = drawn(CORPUS, (5, 16))
    text = CORPUS.train.tobytes()
    for x, y in zip(x_BT.tolist(), y_BT.tolist(), strict=True):
        assert x[1:] == y[:-1]
        assert bytes([*x, y[-1]]) in text


def test_batches_reach_both_ends_of_the_train_bytes():
    short = dataclasses.replace(CORPUS, train=np.arange(10, dtype=np.uint8))
    x_BT, y_BT = drawn(short, (200, 6))
    assert (x_BT.min(), y_BT.max(), set(x_BT[:, 0].tolist())) == (0, 9, {0, 1, 2, 3})
