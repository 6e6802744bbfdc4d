"""Capitals apart: there and back, the vocabularies that ask for it, and bytes counted of the text itself."""

import hashlib
import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_vocabulary import TRAIN, VALID, cased, field, model, piece

from bench.data.capitals import MARKS, apart, text_bytes, together
from bench.data.choose import corpus_for, documents, load_tokens, look
from bench.data.segmenting import Segmenter
from bench.data.shards import open_shard, write_shard
from bench.data.tokens import LIST_FILE, TOKENIZER_FILE, build, load, side_of, write_list
from bench.data.vocabulary import read_vocabulary
from bench.errors import DataError
from bench.tracks import track_named

APART = read_vocabulary(model(symbols=MARKS), "apart")
rng = random.Random(11)
CASED = [cased(text, rng) for text in TRAIN[:400]], [cased(text, rng) for text in VALID[:100]]
texts = st.text(
    st.sampled_from("aAbBzZ .'\n\u00e9\u00c9\uff21\u0301\u4e2d\U0001f600" + MARKS)
    | st.characters(exclude_categories=["Cs"])
)

# The contest's lossless_caps.py of #1729 with sentencepiece 0.2.1 and this vocabulary: written, tokens, bytes of each.
THEIRS = {
    "The NASA Launch": (
        "\ue001the \ue002nasa \ue001launch",
        [4, 268, 324, 5, 338, 325, 285, 324, 4, 336, 325, 345, 338, 327, 332],
        [0, 3, 1, 0, 1, 1, 2, 1, 0, 1, 1, 1, 1, 1, 1],
    ),
    "iPhone OpenAI": (
        "i\ue003phone \ue001open\ue003a\ue003i",
        [333, 6, 340, 332, 339, 338, 329, 324, 4, 339, 340, 329, 338, 6, 325, 6, 333],
        [1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 0, 1],
    ),
    "A DOG said: WITH you, McDog": (
        "\ue001a \ue002dog said: \ue002with you, \ue001mc\ue003dog",
        [4, 325, 324, 5, 303, 284, 66, 324, 5, 314, 317, 378, 324, 4, 337, 327, 6, 303],
        [0, 1, 1, 0, 3, 5, 1, 1, 0, 4, 4, 1, 1, 0, 1, 1, 0, 3],
    ),
    "  The   Dog ": ("  \ue001the   \ue001dog ", [4, 268, 324, 4, 303], [0, 3, 3, 0, 3]),
    "\u00c9T\u00c9 caf\u00c9": (
        "\u00c9\ue001t\u00c9 caf\u00c9",
        [203, 145, 4, 344, 203, 145, 324, 327, 325, 330, 203, 145],
        [0, 2, 0, 1, 0, 2, 1, 1, 1, 1, 0, 2],
    ),
    "\ue001A icon\ue004": (
        "\ue004\ue001\ue001a icon\ue004\ue004",
        [7, 4, 4, 325, 324, 333, 327, 339, 338, 7, 7],
        [0, 3, 0, 1, 1, 1, 1, 1, 1, 0, 3],
    ),
    "": ("", [], []),
}


@pytest.mark.parametrize("text", THEIRS)
def test_text_is_written_segmented_and_counted_as_in_the_contest(text):
    written, tokens, counts = THEIRS[text]
    assert apart(text) == written
    assert Segmenter(APART).encode(text).tolist() == tokens
    assert Segmenter(APART).byte_counts(text).tolist() == counts


@given(texts)
def test_every_text_comes_back(text):
    assert together(apart(text)) == text


@given(texts)
def test_what_is_written_is_the_text_in_small_letters_with_marks_between(text):
    plain = "".join(c for c in text if c not in MARKS)
    small = "".join(c.lower() if c.isascii() else c for c in plain)
    assert "".join(c for c in apart(text) if c not in MARKS) == small


@given(texts, texts)
def test_two_texts_are_never_written_alike(one, other):
    assert (apart(one) == apart(other)) == (one == other)


@given(st.text(st.sampled_from("abA \u00e9" + MARKS)))
def test_what_can_be_read_is_what_its_text_is_written_as(written):
    try:
        text = together(written)
    except DataError:
        return
    assert apart(text) == written


@pytest.mark.parametrize(
    "written",
    [
        "A",
        "\ue001",
        "\ue001A",
        "\ue001\u00e9",
        "a\ue001b",
        "\ue002a",
        "\ue002",
        "\ue003ab",
        "\ue003",
        "\ue004",
        "\ue004a",
    ],
    ids=ascii,
)
def test_what_no_text_is_written_as_is_refused(written):
    with pytest.raises(DataError, match="no text is written"):
        together(written)


@given(texts)
def test_the_bytes_of_characters_are_those_of_the_text(text):
    counts = text_bytes(apart(text))
    assert len(counts) == len(apart(text))
    assert counts.sum() == len(text.encode())


def test_a_mark_stands_for_bytes_where_the_text_itself_holds_it():
    assert text_bytes("\ue001a\ue004\ue001\ue004\ue004\ue002b\u00e9\U0001f600").tolist() == [
        0,
        1,
        0,
        3,
        0,
        3,
        0,
        1,
        2,
        4,
    ]


@given(texts)
def test_tokens_stand_for_the_text_whose_words_they_are(text):
    segmenter = Segmenter(APART)
    tokens, counts = segmenter.encode(text), segmenter.byte_counts(text)
    assert len(tokens) == len(counts)
    # without a table nothing is normalised but blanks, and those at both ends go
    assert counts.sum(dtype=int) == len(text.strip(" ").encode())
    joined = " ".join(word for word in text.split(" ") if word)
    assert together(APART.decode(tokens).decode()) == joined


# which vocabularies ask for it


def test_a_vocabulary_asks_for_it_by_four_symbols_of_its_own():
    assert APART.capitals_apart
    assert not read_vocabulary(model(), "plain").capitals_apart
    # a learnt piece came from text
    assert not read_vocabulary(model(extra=("\ue001",)), "icons").capitals_apart


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (model(symbols=MARKS[:3]), "has 3 of the 4 marks .* 0 pieces that hold one among"),
        (model(extra=("\ue001t",)), "has 0 of the 4 marks .* 1 pieces that hold one among"),
        (model(symbols=MARKS, extra=("\u2581\ue002",)), "has 4 of the 4 marks .* 1 pieces"),
    ],
)
def test_one_that_leaves_it_open_is_refused(raw, why):
    with pytest.raises(DataError, match=why) as refusal:
        read_vocabulary(raw, "half")
    assert "U+E001 to U+E004 as user-defined symbols" in refusal.value.hint


def test_a_plain_vocabulary_segments_a_mark_as_any_character():
    plain = read_vocabulary(model(), "plain")
    tokens = Segmenter(plain).encode("The\ue001dog")
    assert plain.decode(tokens).decode() == "The\ue001dog"


# corpora


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("golf") / "cased"


@pytest.fixture(scope="module")
def corpus(folder):
    return build("text:cased", CASED, model(symbols=MARKS), folder, lambda line: None)


def test_building_says_what_is_counted(tmp_path):
    lines = []
    build("text:cased", CASED, model(symbols=MARKS), tmp_path / "told", lines.append)
    assert lines[0] == "capitals are written apart; true byte counts go beside the validation shards"
    assert lines[-1] == "normalising changes 0 ppm of the bytes; bits per byte count the text before it"


def read_back(corpus, tokens):
    """The documents of a stretch, decoded and with their capitals again."""
    found = []
    for token in np.asarray(tokens).tolist():
        if token == corpus.vocabulary.bos:
            found.append([])
        else:
            found[-1].append(token)
    return [together(corpus.vocabulary.decode(document).decode()) for document in found]


def test_documents_come_back_from_their_tokens(corpus):
    assert read_back(corpus, corpus.train.span(0, len(corpus.train))) == CASED[0]
    assert read_back(corpus, corpus.valid) == CASED[1]


def test_bits_per_byte_are_over_the_bytes_of_the_text_itself(corpus):
    read = read_back(corpus, corpus.valid)
    assert corpus.byte_count(len(corpus.valid)) == sum(len(text.encode()) for text in read)
    assert corpus.tokens_per_byte(len(corpus.valid)) == (len(corpus.valid) - 1) / sum(len(t.encode()) for t in CASED[1])
    # the tables know of no mark that the text itself holds
    icons = sum(text.count(mark) for text in CASED[1] for mark in MARKS)
    assert icons > 10
    assert corpus.vocabulary.byte_count(corpus.valid) == corpus.byte_count(len(corpus.valid)) - 3 * icons


def test_a_part_of_validation_is_counted_by_its_own_bytes(corpus):
    starts = np.flatnonzero(corpus.valid == corpus.vocabulary.bos)
    for n_documents in (1, 7, 80):
        n_tokens = int(starts[n_documents])
        n_bytes = sum(len(text.encode()) for text in CASED[1][:n_documents])
        assert corpus.byte_count(n_tokens) == n_bytes
        assert corpus.tokens_per_byte(n_tokens) == (n_tokens - 1) / n_bytes
    assert corpus.byte_count(10**9) == corpus.byte_count(len(corpus.valid))


def test_byte_counts_are_a_shard_under_the_contests_name_one_beside_each_of_validation(corpus, folder):
    assert {path.name for path in folder.glob("*.bin")} == {
        "text_train_000000.bin", "text_val_000000.bin", "text_val_bytes_000000.bin",
    }  # fmt: skip
    counts, tokens = (open_shard(folder / f"text_{side}_000000.bin") for side in ("val_bytes", "val"))
    assert len(counts) == len(tokens)
    assert not counts[tokens == corpus.vocabulary.bos].any()
    assert [side_of(f"fineweb_{side}_000000.bin") for side in ("train", "val", "val_bytes")] == [
        "train", "val", "val_bytes",
    ]  # fmt: skip


def test_many_shards_of_validation_keep_their_counts_beside_them(tmp_path, monkeypatch, corpus):
    monkeypatch.setattr("bench.data.tokens.SHARD_TOKENS", 5_000)
    many = build("text:cased", CASED, model(symbols=MARKS), tmp_path / "many", lambda line: None)
    assert len(list((tmp_path / "many").glob("*_val_bytes_*.bin"))) > 1
    assert (many.valid_bytes == corpus.valid_bytes).all()
    assert (many.valid == corpus.valid).all()


def damaged(corpus, to, change):
    """A corpus whose byte counts were changed after the fact, listed as they are now."""
    shutil.copytree(corpus.folder, to)
    (file,) = to.glob("*_val_bytes_*.bin")
    counts = open_shard(file).copy()
    file.unlink()
    if (changed := change(counts)) is not None:
        write_shard(file, changed)
    write_list(to, "text:cased", 0.0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda counts: None, r"keeps capitals apart, and no \*_val_bytes_\*.bin is beside the shards"),
        (lambda counts: counts[:-5], r"counts [\d,]+ tokens, the shards hold [\d,]+"),
        (lambda counts: np.append(counts, counts[:5]), r"counts [\d,]+ tokens, the shards hold [\d,]+"),
        (lambda counts: counts + (np.arange(len(counts)) == 0).astype(np.uint16), "1 boundaries stand for text"),
        (lambda counts: counts * np.uint16(2), r"sums up to [\d,]+, and the pieces to [\d,]+"),
        (lambda counts: np.zeros_like(counts), r"sums up to 0, and"),
    ],
    ids=["none", "shorter", "longer", "boundary", "twice", "nothing"],
)
def test_counts_that_are_missing_or_can_not_be_true_are_refused(corpus, tmp_path, change, why):
    to = tmp_path / "damaged"
    damaged(corpus, to, change)
    with pytest.raises(DataError, match=why) as refusal:
        load(to)
    assert refusal.value.problem.startswith(f"{to} can't be scored in bits per byte: ")
    assert "of one export" in refusal.value.hint


def test_counts_beside_a_vocabulary_that_counts_for_itself_are_refused(tmp_path):
    build("text:tiny", (TRAIN, VALID), model(), tmp_path / "plain", lambda line: None)
    write_shard(tmp_path / "plain" / "text_val_bytes_000000.bin", np.ones(9, np.uint16))
    write_list(tmp_path / "plain", "text:tiny", 0.0)
    with pytest.raises(DataError, match=r"keeps capitals in place, and a \*_val_bytes_\*.bin is beside"):
        load(tmp_path / "plain")


def test_the_counts_are_part_of_what_a_corpus_is_known_by(tmp_path, corpus):
    def moved(counts):
        # as many bytes in all, a byte from one token to the next
        whole = np.flatnonzero(counts > 1)[0]
        counts[whole] -= 1
        counts[whole + 1] += 1
        return counts

    damaged(corpus, tmp_path / "moved", moved)
    changed = load(tmp_path / "moved")
    assert changed.byte_count(10**9) == corpus.byte_count(10**9)
    assert changed.digest != corpus.digest


def test_a_word_in_capitals_is_the_word_behind_a_mark(corpus):
    pieces = [corpus.vocabulary.pieces[n].text for n in Segmenter(corpus.vocabulary).encode("little LITTLE Little")]
    assert pieces == ["little", "\u2581", "\ue002", "little", "\u2581", "\ue001", "little"]


def test_a_vocabulary_without_bytes_leaves_open_what_is_counted():
    blind = read_vocabulary(b"".join(map(piece, "\u2581a")) + field(2, field(3, 2)), "blind")
    with pytest.raises(DataError, match="without bytes"):
        Segmenter(blind).byte_counts("a")


def test_a_token_of_more_bytes_than_a_count_can_hold_is_refused():
    with pytest.raises(DataError, match="a token stands for 70,004 bytes"):
        Segmenter(APART).byte_counts("the" + " " * 70_001 + "dog")


# documents of validation stay out of training


def test_no_validation_document_is_trained_on(tmp_path, monkeypatch):
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("bench.data.tokens.MIN_VALID_TOKENS", 1_000)
    both = [*CASED[1], *CASED[0], *CASED[1][:20]]
    (tmp_path / "tales.txt").write_text("\n\n".join(both), encoding="utf-8")
    name, train, valid = documents(str(tmp_path / "tales.txt"))
    made = build(name, (train, valid), model(symbols=MARKS), tmp_path / "golf", lambda line: None)
    held_out = read_back(made, made.valid)
    # the first of the text, and all of it that is not among them is for training
    assert held_out == both[: len(held_out)]
    trained = read_back(made, made.train.span(0, len(made.train)))
    assert not set(held_out) & set(trained)
    assert set(held_out) | set(trained) == set(both)


def test_a_document_on_both_sides_is_refused(tmp_path):
    with pytest.raises(DataError, match="2 documents stand in both train and validation"):
        build("x", ([*CASED[0], *CASED[1][:2]], CASED[1]), model(symbols=MARKS), tmp_path / "b", lambda line: None)
    assert not (tmp_path / "b").exists()


# on a track


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    pieces = model(tuple(f"~{n}" for n in range(8192 - 384)), symbols=MARKS)
    return build("text:cased", CASED, pieces, tmp_path_factory.mktemp("golf") / "large", lambda line: None)


def test_a_corpus_is_for_the_track_that_keeps_capitals_as_it_does(large):
    assert len(large.vocabulary) == 8192
    assert corpus_for(track_named("golf-cpu-caseops8192"), str(large.folder)).digest == large.digest
    with pytest.raises(DataError) as refusal:
        corpus_for(track_named("golf-cpu-sp8192"), str(large.folder))
    told = "was made with 8,192 pieces, capitals apart, golf-cpu-sp8192 takes 8,192"
    assert refusal.value.problem.endswith(told)
    assert refusal.value.hint == "build it again with fineweb_8192_bpe.model, or play on the track golf-cpu-caseops8192"


def test_text_beside_the_vocabulary_is_made_into_such_a_corpus(tmp_path, monkeypatch, large):
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path / "cache"))
    (tmp_path / "train.txt").write_text("\n\n".join(CASED[0]), encoding="utf-8")
    (tmp_path / "valid.txt").write_text("\n\n".join(CASED[1]), encoding="utf-8")
    named = tmp_path / "fineweb_8192_bpe_lossless_caps_caseops_v1_reserved.model"
    named.write_bytes((large.folder / TOKENIZER_FILE).read_bytes())
    assert corpus_for(track_named("golf-cpu-caseops8192"), str(tmp_path)).digest == large.digest


def test_a_look_counts_the_bytes_of_the_text(corpus):
    told = dict(look(str(corpus.folder)))
    assert told["valid"].endswith(f" tokens of {sum(len(text.encode()) for text in CASED[1]):,} bytes")
    assert told["vocabulary"].endswith(", capitals apart")
    assert load_tokens(str(corpus.folder)).valid_bytes is not None
    assert json.loads((corpus.folder / LIST_FILE).read_text())["changed_ppm"] == 0


@pytest.mark.realdata
def test_a_hundred_kilobytes_of_web_text_count_as_the_contest_counts_them():
    """The official 1,024 pieces and their normaliser, with the marks as four more symbols; #1729's own counts of it."""
    if not (place := os.environ.get("ARENA_REALDATA")):
        pytest.skip("needs the official tokenizer under $ARENA_REALDATA")
    raw = (Path(place) / "fineweb_1024_bpe.model").read_bytes() + b"".join(piece(mark, kind=4) for mark in MARKS)
    segmenter = Segmenter(read_vocabulary(raw, "official"))
    text = (Path(place) / "fineweb_edu_sample_1MB.txt").read_text(encoding="utf-8")[:100_000]
    tokens, counts = segmenter.encode(text), segmenter.byte_counts(text)
    assert (len(tokens), counts.sum(dtype=int), len(text.encode())) == (45_586, 100_243, 100_243)
    digests = [hashlib.sha256(found.astype("<u2").tobytes()).hexdigest()[:16] for found in (tokens, counts)]
    assert digests == ["9ce85e4fb5af8d5d", "d054ffc645e6ed72"]
