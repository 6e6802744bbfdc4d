"""Token shards, the stream over them, and the golf corpora made of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_vocabulary import TRAIN, VALID, model

from bench.data.shards import HEADER_BYTES, Stream, open_shard, rank_span, write_shard
from bench.data.tokens import LIST_FILE, TOKENIZER_FILE, TokenCorpus, build, load, write_list
from bench.errors import DataError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("golf") / "tiny"


@pytest.fixture(scope="module")
def corpus(folder) -> TokenCorpus:
    return build("text:tiny", (TRAIN, VALID), model(), folder, lambda line: None)


def shard(path, n: int, first: int = 0):
    write_shard(path, np.arange(first, first + n, dtype=np.uint16))
    return path


def test_a_shard_comes_back_as_it_was_written(tmp_path):
    path = shard(tmp_path / "a.bin", 70)
    assert path.stat().st_size == HEADER_BYTES + 140
    assert np.frombuffer(path.read_bytes()[:12], "<i4").tolist() == [20240520, 1, 70]
    assert open_shard(path).tolist() == list(range(70))


def test_a_shard_whose_header_or_size_is_wrong_is_refused(tmp_path):
    path = shard(tmp_path / "a.bin", 70)
    whole = path.read_bytes()
    for damaged, why in (
        (whole[:-2], "has 1,162 bytes; 70 tokens, as its header says, need 1,164"),
        (whole + b"\0", "has 1,165 bytes"),
        (b"\0" + whole[1:], "is no token shard"),
        (whole[:6], "can't read the shard"),
        (b"", "is no token shard"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=why):
            open_shard(path)
    with pytest.raises(DataError, match="can't read the shard"):
        open_shard(tmp_path / "nowhere.bin")


def test_a_stream_goes_over_shards_and_begins_again(tmp_path):
    shards = [open_shard(shard(tmp_path / "a.bin", 5)), open_shard(shard(tmp_path / "b.bin", 4, 5))]
    stream = Stream(shards)
    endless = list(range(9)) * 4
    for start in range(20):
        assert stream.span(start, 12).tolist() == endless[start % 9 : start % 9 + 12]


def test_ranks_share_no_token_and_steps_leave_none_out():
    stream = Stream([np.arange(1_000, dtype=np.uint16)])
    spans = [rank_span(stream, step, rank, 4, 10) for step in range(3) for rank in range(4)]
    assert np.concatenate(spans).tolist() == list(range(12 * 11))


def test_one_rank_that_accumulates_draws_what_many_ranks_draw():
    stream = Stream([np.arange(500, dtype=np.uint16)])
    many = [rank_span(stream, 2, rank, 8, 6) for rank in range(8)]
    assert np.concatenate(many).tolist() == list(range(2 * 8 * 7, 3 * 8 * 7))


def test_every_document_stands_behind_a_boundary_and_decodes_to_itself(corpus):
    vocabulary = corpus.vocabulary
    tokens = corpus.train.span(0, len(corpus.train)).tolist()
    assert tokens[0] == vocabulary.bos
    documents: list[list[int]] = []
    for token in tokens:
        if token == vocabulary.bos:
            documents.append([])
        else:
            documents[-1].append(token)
    assert [vocabulary.decode(document).decode() for document in documents] == TRAIN


def test_a_built_corpus_counts_the_bytes_of_its_text(corpus):
    n_bytes = sum(len(text.encode()) for text in VALID)
    assert corpus.tokens_per_byte(len(corpus.valid)) == (len(corpus.valid) - 1) / n_bytes
    assert corpus.changed_ppm == 0


def test_a_corpus_is_known_by_its_digest(corpus, folder, tmp_path):
    assert load(folder).digest == corpus.digest
    again = build("text:other-name", (TRAIN, VALID), model(), tmp_path / "again", lambda line: None)
    assert again.digest == corpus.digest
    other = build("text:tiny", ([*TRAIN, "a dog."], VALID), model(), tmp_path / "other", lambda line: None)
    assert other.digest != corpus.digest


def test_a_vocabulary_that_changes_too_much_is_refused(tmp_path):
    blanks = [text.replace(" ", "  ") for text in TRAIN]
    with pytest.raises(DataError, match=r"changes 1\d\d,\d{3} ppm of the text's bytes, 20,000 is the limit"):
        build("text:blanks", (blanks, VALID), model(), tmp_path / "b", lambda line: None)
    assert not (tmp_path / "b").exists()


def test_too_little_text_is_refused(tmp_path):
    with pytest.raises(DataError, match="the val text gives"):
        build("text:tiny", (TRAIN, VALID[:3]), model(), tmp_path / "b", lambda line: None)


def test_a_folder_in_use_is_left_alone(folder, corpus):
    with pytest.raises(DataError, match="is not empty"):
        build("text:tiny", (TRAIN, VALID), model(), folder, lambda line: None)


def test_a_file_where_the_folder_should_be_is_left_alone():
    with pytest.raises(DataError, match="exists and is no folder"):
        build("text:tiny", (TRAIN, VALID), model(), Path(__file__), lambda line: None)


def test_a_corpus_that_is_not_what_its_list_says_is_refused(tmp_path):
    def fresh(name: str):
        build("text:tiny", (TRAIN, VALID), model(), tmp_path / name, lambda line: None)
        return tmp_path / name

    other = fresh("vocabulary")
    (other / TOKENIZER_FILE).write_bytes(model(extra=("zz",)))
    with pytest.raises(DataError, match="is not the one its shards were made with"):
        load(other)
    short = fresh("short")
    write_shard(next(short.glob("*_train_*")), np.zeros(9, np.uint16))
    with pytest.raises(DataError, match="holds 9 tokens, listed are"):
        load(short)
    empty = fresh("empty")
    (empty / LIST_FILE).write_text(json.dumps({"name": "x"}))
    with pytest.raises(DataError, match="can't read the golf corpus"):
        load(empty)


def test_a_token_that_the_vocabulary_has_not_is_found_when_the_list_is_written(tmp_path):
    (tmp_path / TOKENIZER_FILE).write_bytes(model())
    write_shard(tmp_path / "x_train_000000.bin", np.array([1, 60_000], np.uint16))
    with pytest.raises(DataError, match="holds the token 60000"):
        write_list(tmp_path, "x", None)
