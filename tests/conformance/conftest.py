"""What the suites here examine: each technique of the catalog, and the baseline with it in its slot."""

import dataclasses

import numpy as np
import pytest

from bench.catalog import CATALOG, Technique, alone
from bench.config import Budget, RunConfig
from bench.data.corpus import Corpus
from bench.tracks import FEATHERWEIGHT, Track


@pytest.fixture(params=[t for techniques in CATALOG.values() for t in techniques], ids=lambda t: f"{t.slot}-{t.name}")
def technique(request) -> Technique:
    return request.param


@pytest.fixture
def config(technique) -> RunConfig:
    """The baseline with the technique in its slot at default knobs, and a budget of moments."""
    return alone(technique.slot, technique.name, Budget(steps=3, batch=2, seq_len=24))


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """A few thousand bytes of made-up words."""
    rng = np.random.default_rng(0)
    words = [bytes(rng.integers(97, 123, rng.integers(2, 7)).tolist()) for _ in range(40)]
    text = b"".join(words[rng.integers(40)] + (b"\x00" if rng.random() < 0.05 else b" ") for _ in range(2000))
    train, valid = np.frombuffer(text[:6000], np.uint8), np.frombuffer(text[6000:7001], np.uint8)
    return Corpus("words", train, valid, "made up here")


@pytest.fixture
def small_track() -> Track:
    return dataclasses.replace(FEATHERWEIGHT, eval_bytes=500, rung_eval_bytes=250, probe_bytes=100)
