"""The floors against a count by hand."""

import math
from collections import Counter

import numpy as np
import pytest

from bench.data.choose import look
from bench.data.floors import SMOOTHING, bigram_nats, unigram_nats

TRAIN = np.frombuffer(b"abracadabra, said the cat\x00abra said the dog\x00" * 3, np.uint8)
SCORED = np.frombuffer(b"the cat said abra\x00xyz", np.uint8)


def test_the_bigram_floor_is_the_mean_surprise_of_each_byte_after_the_one_before():
    seen, starts = Counter(zip(TRAIN.tolist(), TRAIN[1:].tolist(), strict=False)), Counter(TRAIN[:-1].tolist())
    by_hand = [
        -math.log((seen[a, b] + SMOOTHING) / (starts[a] + 256 * SMOOTHING))
        for a, b in zip(SCORED.tolist(), SCORED[1:].tolist(), strict=False)
    ]
    assert bigram_nats(TRAIN, SCORED) == pytest.approx(sum(by_hand) / len(by_hand), abs=1e-12)


def test_the_unigram_floor_is_the_mean_surprise_of_each_byte():
    seen = Counter(TRAIN.tolist())
    by_hand = [-math.log((seen[b] + SMOOTHING) / (len(TRAIN) + 256 * SMOOTHING)) for b in SCORED[1:].tolist()]
    assert unigram_nats(TRAIN, SCORED) == pytest.approx(sum(by_hand) / len(by_hand), abs=1e-12)


def test_a_corpus_is_seen_in_a_few_lines(tiny_text):
    lines = dict(look(str(tiny_text)))
    assert list(lines) == ["corpus", "train", "valid", "gzip -9", "uniform", "unigram", "bigram"]
    floors = [float(lines[name].split()[0]) for name in ("uniform", "unigram", "bigram")]
    assert floors == sorted(floors, reverse=True)
