"""What every codec keeps: it gives back the same bytes, and believes nothing that a damaged file says."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.artifact import MAX_RAW_BYTES
from bench.catalog import CATALOG, alone
from bench.config import Budget
from bench.divisions import DIVISIONS, GOLF_OPEN
from bench.errors import ArtifactError
from bench.techniques.codec.lzma2 import Lzma, stated_bytes
from bench.techniques.codec.shuffled import shuffled, unshuffled

TEXT = bytes(range(256)) * 20 + b"once upon a time " * 300


@pytest.fixture(params=CATALOG["codec"], ids=lambda t: t.name)
def codec(request):
    return request.param()


def refused(codec, packed, raw_bytes, most=1_000_000):
    """The bytes are refused, and little memory was touched before."""
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactError, match=r"the compressed part (can't be read|claims another|holds another)"):
            codec.decompress(packed, raw_bytes)
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def test_any_bytes_come_back(codec):
    @settings(max_examples=25, deadline=None)
    @given(raw=st.one_of(st.binary(max_size=300), st.integers(0, 9_000).map(lambda n: TEXT[:n])))
    def come_back(raw):
        assert codec.decompress(codec.compress(raw), len(raw)) == raw

    come_back()


def test_the_same_bytes_pack_the_same_way(codec):
    assert codec.compress(TEXT) == codec.compress(TEXT)


def test_what_repeats_becomes_smaller(codec):
    assert len(codec.compress(TEXT)) < len(TEXT) / 5


@pytest.mark.parametrize("stated", [0, 1, len(TEXT) - 1, len(TEXT) + 1, MAX_RAW_BYTES])
def test_another_stated_size_is_refused(codec, stated):
    refused(codec, codec.compress(TEXT), stated)


@pytest.mark.parametrize("kept", [0, 1, 10, -1])
def test_a_truncated_stream_is_refused(codec, kept):
    refused(codec, codec.compress(TEXT)[:kept], len(TEXT))


def test_something_behind_the_stream_is_refused(codec):
    refused(codec, codec.compress(TEXT) + b"\x00", len(TEXT))


def test_a_bomb_is_refused_before_it_unfolds(codec):
    refused(codec, codec.compress(bytes(2_000_000)), 1_000)


def test_noise_is_refused(codec):
    drawn = np.random.default_rng(0)
    for n in (1, 7, 100, 5_000):
        refused(codec, drawn.integers(0, 256, n, np.uint8).tobytes(), len(TEXT))


@pytest.mark.parametrize("width", [2, 4])
def test_shuffling_is_a_transposition_whatever_the_length(width):
    for n in (0, 1, 2, 3, 5, 64, 67):
        raw = TEXT[:n]
        columns = [
            [raw[row * width + byte] for row in range(math.ceil(n / width)) if row * width + byte < n]
            for byte in range(width)
        ]
        assert shuffled(raw, width) == bytes(value for column in columns for value in column)
        assert unshuffled(shuffled(raw, width), width) == raw


def test_shuffling_helps_where_one_byte_of_two_says_little():
    halves = np.random.default_rng(1).normal(0, 0.01, 20_000).astype("<f2").tobytes()
    by_name = {t.name: t() for t in CATALOG["codec"]}
    for plain in ("zlib", "lzma", "brotli"):
        assert len(by_name[f"shuffled_{plain}"].compress(halves)) < 0.97 * len(by_name[plain].compress(halves))


@pytest.mark.parametrize("n", [0, 1, 5_000, 200_000, 3_000_000])
def test_the_chunks_of_a_raw_stream_state_its_size(n):
    """Compressed ones, and for noise stored ones; a size that they do not add up to allocates no dictionary."""
    for raw in (bytes(n), np.random.default_rng(2).integers(0, 256, min(n, 200_000), np.uint8).tobytes()):
        packed = Lzma(level=1).compress(raw)
        assert stated_bytes(packed) == len(raw)
        assert stated_bytes(packed[:-1]) is stated_bytes(packed + b"\x00") is None


def test_featherweight_keeps_its_codec_and_golf_may_choose(codec):
    config = alone("codec", codec.name, Budget(steps=1))
    if codec.name != "zstd":
        assert all(division.breaches(config) for division in DIVISIONS)
    assert GOLF_OPEN.enters("codec", codec.name)
