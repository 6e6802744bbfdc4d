"""What counting alone scores on a corpus: floors that anything worth training must beat."""

import math

import numpy as np
import numpy.typing as npt

# Added to every count, so that a pair never seen in training has a chance.
SMOOTHING = 0.01


def unigram_nats(train: npt.NDArray[np.uint8], scored: npt.NDArray[np.uint8]) -> float:
    """Mean nats per byte of the scored bytes but the first, each byte at its frequency in training."""
    counts = np.bincount(train, minlength=256) + SMOOTHING
    return float(-np.log(counts / counts.sum())[scored[1:]].mean())


def bigram_nats(train: npt.NDArray[np.uint8], scored: npt.NDArray[np.uint8]) -> float:
    """The same with each byte's frequency after the byte before it."""
    pairs = train[:-1].astype(np.int64) * 256 + train[1:]
    counts = np.bincount(pairs, minlength=256 * 256).reshape(256, 256) + SMOOTHING
    nats = -np.log(counts / counts.sum(1, keepdims=True))
    return float(nats[scored[:-1], scored[1:]].mean())


UNIFORM_NATS = math.log(256)
