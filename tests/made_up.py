"""A corpus of made-up words, small enough for a run of a second."""

import numpy as np

from bench.data.corpus import Corpus


def words(n):
    """Seeded bytes that read a little like text: words of a small vocabulary, stories ended by a zero."""
    rng = np.random.default_rng(1)
    vocabulary = [bytes(rng.integers(97, 123, rng.integers(2, 7)).tolist()) for _ in range(40)]
    text = b"".join(vocabulary[rng.integers(40)] + (b"\x00" if rng.random() < 0.05 else b" ") for _ in range(n))
    return np.frombuffer(text[:n], np.uint8)


TEXT = words(7000)
CORPUS = Corpus("words", TEXT[:6000], TEXT[6000:], "made up here")
