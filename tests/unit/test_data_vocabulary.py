"""Golf's vocabulary: reading it, counting bytes with it, segmenting as the real package does."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from tiny_vocabulary import model

from bench.data.segmenting import Segmenter
from bench.data.vocabulary import read_vocabulary
from bench.errors import DataError

TINY = read_vocabulary(model(), "tiny")


@pytest.fixture(scope="module")
def official():
    folder = os.environ.get("ARENA_REALDATA")
    if not folder:
        pytest.skip("needs the official tokenizer under $ARENA_REALDATA")
    return read_vocabulary((Path(folder) / "fineweb_1024_bpe.model").read_bytes(), "official"), Path(folder)


def slow_count(vocabulary, tokens) -> int:
    """Bytes of the decoded text after the first token, document by document, a blank at a document's start left out."""
    total, document = 0, []
    for token in [*tokens[1:], vocabulary.bos]:
        if token == vocabulary.bos:
            text = vocabulary.decode(document).decode("utf-8", "surrogateescape")
            total += len(text.encode("utf-8", "surrogateescape")) - text.startswith(" ")
            document = []
        else:
            document.append(token)
    return total


def test_a_damaged_model_is_refused_in_words():
    for raw in (b"", b"\x0a\xff", b"no model at all", model()[:-3]):
        with pytest.raises(DataError, match="is no SentencePiece model"):
            read_vocabulary(raw, "file")
    with pytest.raises(DataError, match="type 1, only BPE"):
        read_vocabulary(model(model_type=1), "file")


def test_a_vocabulary_without_a_blank_can_not_be_counted_by():
    with pytest.raises(DataError, match="no piece for a blank alone"):
        read_vocabulary(model(without="\u2581"), "file")


def test_a_piece_across_words_is_refused():
    with pytest.raises(DataError, match="reaches across words"):
        Segmenter(read_vocabulary(model(extra=("a\u2581b",)), "file"))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("the dog", ["the", "\u2581dog"]),
        ("  the  dog ", ["the", "\u2581dog"]),
        ("thed", ["the", "d"]),
        ("\u00e9 \u00fc", ["\u00e9", "\u2581", "<0xC3>", "<0xBC>"]),
        ("", []),
        ("   ", []),
    ],
)
def test_words_are_merged_by_score_and_what_has_no_piece_becomes_bytes(text, pieces):
    assert [TINY.pieces[token].text for token in Segmenter(TINY).encode(text)] == pieces


def test_a_prefix_is_put_before_a_text_that_has_one():
    prefixed = read_vocabulary(model(adds_prefix=1), "prefixed")
    assert prefixed.decode(Segmenter(prefixed).encode("the dog").tolist()) == b" the dog"


def test_dropped_blanks_count_as_changed_bytes():
    assert Segmenter(TINY).normalised(" the  dog\u00e9  ") == ("the\u2581dog\u00e9", 4)


def test_a_leading_blank_counts_unless_a_boundary_stands_before_it():
    the, bos = next(n for n, p in enumerate(TINY.pieces) if p.text == "\u2581the"), TINY.bos
    assert TINY.byte_count(np.array([the, the], np.uint16)) == 4
    assert TINY.byte_count(np.array([bos, the], np.uint16)) == 3
    assert TINY.byte_count(np.array([the, bos, the], np.uint16)) == 3


def test_the_bytes_counted_are_those_of_the_decoded_text():
    segmenter = Segmenter(read_vocabulary(model(adds_prefix=1), "prefixed"))
    texts = ["the little dog was sad.", "\u00fcber \u4e2d you", "", "a day! said her"]
    tokens = np.concatenate([part for text in texts for part in ([TINY.bos], segmenter.encode(text))]).astype(np.uint16)
    assert TINY.byte_count(tokens) == slow_count(TINY, tokens.tolist()) == sum(len(text.encode()) for text in texts)


@pytest.mark.realdata
def test_the_official_vocabulary_has_the_published_shape(official):
    vocabulary, _ = official
    assert len(vocabulary) == 1024
    assert vocabulary.bos == 1
    assert vocabulary.bounds.nonzero()[0].tolist() == [0, 1, 2, 3]
    assert (vocabulary.bytes_of[4:260] == 1).all()
    assert not vocabulary.adds_prefix


# What sentencepiece 0.2.2 gives for these texts with the official model.
REAL = {
    "The quick brown fox.": [896, 587, 546, 281, 307, 657, 277, 943, 974, 960],
    "  two  blanks\nand a line ": [941, 958, 943, 713, 284, 697, 290, 261, 304, 469],
    "e\u0301e\u0301e\u0301 na\u00efve \U0001f600": [
        *(199, 173, 199, 173, 199, 173, 312, 942, 199, 179, 305, 939, 244, 163, 156, 132),
    ],
    "Cafe\u0301 \ufb01ne \u00bd \uff21\uff22 \u4e2d\u200b\u6587 12345": [
        *(969, 942, 956, 199, 173, 277, 469, 939, 972, 230, 133, 136, 976, 317, 975),
        *(939, 232, 188, 177, 939, 234, 154, 139, 939, 972, 976, 994, 998, 995),
    ],
    "\t": [],
}


@pytest.mark.realdata
@pytest.mark.parametrize("text", REAL)
def test_the_official_vocabulary_segments_as_the_real_package_does(official, text):
    assert Segmenter(official[0]).encode(text).tolist() == REAL[text]


@pytest.mark.realdata
def test_a_hundred_kilobytes_of_web_text_segment_and_count_as_the_real_package_does(official):
    vocabulary, folder = official
    segmenter = Segmenter(vocabulary)
    text = (folder / "fineweb_edu_sample_1MB.txt").read_text(encoding="utf-8")[:100_000]
    tokens = segmenter.encode(text)
    assert len(tokens) == 40_806
    digest = hashlib.sha256(tokens.astype("<u2").tobytes()).hexdigest()
    assert digest == "1e635db75edcbdf44331421ea5e7053f96f895279052229018a98b7e2827f2c6"
    with_start = np.concatenate([[vocabulary.bos], tokens]).astype(np.uint16)
    decoded = vocabulary.decode(tokens.tolist())
    assert vocabulary.byte_count(with_start) == slow_count(vocabulary, with_start.tolist()) == len(decoded)
    # line ends become blanks, and other forms of a character its usual one
    assert 1e6 * segmenter.normalised(text)[1] / len(text.encode()) == pytest.approx(4_269, rel=0.25)
