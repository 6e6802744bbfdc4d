"""Stories to bytes and back, the checks of a corpus, and its cache."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from bench.data.corpus import (
    DIGEST_FILE,
    TRAIN_FILE,
    VALID_FILE,
    Corpus,
    cache_dir,
    cached_bytes,
    join_stories,
    make_corpus,
    read_cached,
    split_stories,
    write_cached,
)
from bench.errors import DataError

TRAIN = [f"Once there was a train story number {i}. {'It went on and on. ' * 20}" for i in range(300)]
VALID = [f"Once there was a validation story number {i}. {'It went on and on. ' * 20}" for i in range(40)]


@pytest.fixture
def corpus() -> Corpus:
    return make_corpus("little", TRAIN, VALID)


def test_each_story_is_followed_by_one_zero_byte():
    assert join_stories(["ab", "é"]) == b"ab\x00\xc3\xa9\x00"


def test_separator_lines_are_removed_with_the_newline_before():
    assert split_stories("one\ntwo\n<|endoftext|>\nthree\n<|endoftext|>\n") == ["one\ntwo", "three"]


def test_a_separator_inside_a_line_does_not_cut():
    assert split_stories("say <|endoftext|> now\n<|endoftext|>\nb\n") == ["say <|endoftext|> now", "b"]


def test_a_last_story_without_separator_counts():
    assert split_stories("a\n<|endoftext|>\nb") == ["a", "b"]


def test_blank_lines_do_not_cut_a_text_with_separators():
    assert split_stories("a\n\nb\n<|endoftext|>\nc") == ["a\n\nb", "c"]


def test_a_text_without_separator_is_cut_at_blank_lines():
    assert split_stories("a\nb\n\n \t\nc\n") == ["a\nb", "c"]


def test_blanks_around_a_story_and_empty_stories_are_dropped():
    assert split_stories("  a \n<|endoftext|>\n \n<|endoftext|>\n\n") == ["a"]


def test_windows_line_ends_are_line_ends():
    assert split_stories("a\r\nb\r\n<|endoftext|>\r\nc\r\n") == ["a\nb", "c"]


def test_only_newlines_end_a_line():
    assert split_stories("a\x0cb\u2028c") == ["a\x0cb\u2028c"]


def test_splitting_gives_back_what_was_joined(corpus):
    assert corpus.train.tobytes().decode().split("\x00") == [*TRAIN, ""]


def test_digest_is_over_lengths_and_bytes(corpus):
    train, valid = join_stories(TRAIN), join_stories(VALID)
    described = len(train).to_bytes(8, "little") + train + len(valid).to_bytes(8, "little") + valid
    assert corpus.digest == hashlib.sha256(described).hexdigest()


def test_moving_a_story_across_the_border_changes_the_digest(corpus):
    assert make_corpus("little", TRAIN[:-1], [TRAIN[-1], *VALID]).digest != corpus.digest


def test_the_name_is_no_part_of_the_digest(corpus):
    assert make_corpus("other", TRAIN, VALID).digest == corpus.digest


def test_the_arrays_are_read_only_bytes(corpus):
    assert corpus.train.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        corpus.valid[0] = 0


@pytest.mark.parametrize(("train", "valid", "side"), [([], VALID, "train"), (TRAIN, [" "], "validation")])
def test_an_empty_side_is_refused_by_name(train, valid, side):
    with pytest.raises(DataError, match=f"little: the {side} text holds no story"):
        make_corpus("little", train, valid)


def test_a_short_train_side_is_refused_with_size_and_limit():
    with pytest.raises(DataError, match=r"the train text has [\d,]+ bytes, at least 100,000 are needed"):
        make_corpus("little", TRAIN[:1], VALID)


def test_a_short_validation_side_is_refused_with_size_and_limit():
    with pytest.raises(DataError, match=r"the validation text has [\d,]+ bytes, at least 10,000 are needed"):
        make_corpus("little", TRAIN, VALID[:5])


def test_a_nul_character_is_refused():
    with pytest.raises(DataError, match="a train story holds a NUL character"):
        make_corpus("little", [*TRAIN, "a\x00b"], VALID)


def test_shared_stories_are_counted_and_one_is_quoted():
    with pytest.raises(DataError) as refusal:
        make_corpus("little", [*TRAIN, f" {VALID[3]}\n", VALID[4]], VALID)
    assert refusal.value.problem == (
        "little: 2 stories stand in both train and validation, one starts 'Once there was a validation story number'"
    )
    assert "remove them from the train file" in refusal.value.hint


def test_arena_cache_moves_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path


def test_without_arena_cache_the_cache_is_the_users(monkeypatch):
    monkeypatch.delenv("ARENA_CACHE", raising=False)
    assert cache_dir().name == "arena-autoresearch"


def test_a_cached_corpus_reads_back_equal(corpus, tmp_path):
    write_cached(corpus, tmp_path / "deep" / "little")
    again = read_cached(tmp_path / "deep" / "little", "little")
    assert again is not None
    assert (again.name, again.digest) == (corpus.name, corpus.digest)
    assert np.array_equal(again.train, corpus.train)
    assert np.array_equal(again.valid, corpus.valid)


def test_a_second_corpus_replaces_the_first(corpus, tmp_path):
    write_cached(corpus, tmp_path)
    shorter = make_corpus("little", TRAIN[:-1], VALID)
    write_cached(shorter, tmp_path)
    assert read_cached(tmp_path, "little").digest == shorter.digest


def test_nothing_but_the_three_files_is_left_behind(corpus, tmp_path):
    write_cached(corpus, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted((TRAIN_FILE, VALID_FILE, DIGEST_FILE))


def test_an_absent_folder_is_no_cache(tmp_path):
    assert read_cached(tmp_path / "nothing", "little") is None


def test_a_write_that_was_cut_short_is_no_cache(corpus, tmp_path):
    write_cached(corpus, tmp_path)
    (tmp_path / DIGEST_FILE).unlink()
    assert read_cached(tmp_path, "little") is None


def test_a_damaged_cache_names_the_folder_to_delete(corpus, tmp_path):
    write_cached(corpus, tmp_path)
    with (tmp_path / TRAIN_FILE).open("r+b") as file:
        file.write(b"X")
    with pytest.raises(DataError, match="damaged") as refusal:
        read_cached(tmp_path, "little")
    assert f"delete the folder {tmp_path}" in refusal.value.hint


def test_a_failed_write_leaves_no_temporary_file(corpus, tmp_path, monkeypatch):
    def refuse(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(DataError, match="No space left on device"):
        write_cached(corpus, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_made_is_a_data_error(corpus, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError) as refusal:
        write_cached(corpus, tmp_path / "file" / "little")
    assert "ARENA_CACHE" in refusal.value.hint


def test_cached_bytes_counts_both_sides(corpus, tmp_path):
    write_cached(corpus, tmp_path)
    assert cached_bytes(tmp_path) == corpus.train.size + corpus.valid.size
    assert cached_bytes(Path(tmp_path / "nothing")) is None
