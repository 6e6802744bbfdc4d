"""Corpora from a user's own files: which files are taken, and what is said when they can't be."""

import os
from pathlib import Path

import pytest

from bench.data.textfiles import load_text
from bench.errors import DataError

TRAIN = "\n<|endoftext|>\n".join(f"Train story {i}. {'Words follow words. ' * 40}" for i in range(150))
VALID = "\n<|endoftext|>\n".join(f"Validation story {i}. {'Words follow words. ' * 40}" for i in range(20))


def put(folder: Path, **texts: str) -> Path:
    """Writes `wiki_train="..."` to wiki_train.txt."""
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def refusal(path: object) -> DataError:
    with pytest.raises(DataError) as caught:
        load_text(str(path))
    return caught.value


def test_a_folder_with_one_train_and_one_valid_file_is_a_corpus(tmp_path):
    corpus = load_text(str(put(tmp_path, wiki_train=TRAIN, wiki_valid=VALID)))
    assert corpus.train.tobytes().count(0) == 150
    assert corpus.valid.tobytes().count(0) == 20


@pytest.mark.parametrize("word", ["valid", "validation", "val", "VAL"])
def test_each_word_for_validation_is_known(tmp_path, word):
    assert load_text(str(put(tmp_path, **{"train": TRAIN, word: VALID}))).valid.size > 0


def test_other_files_beside_the_two_do_not_matter(tmp_path):
    put(tmp_path, wiki_train=TRAIN, wiki_valid=VALID, shakespeare="To be", evaluation="no text", restrain="nor this")
    assert load_text(str(tmp_path)).name == "text:wiki"


def test_the_one_prefix_that_has_both_wins(tmp_path):
    put(tmp_path, wiki_train=TRAIN, wiki_valid=VALID, news_train="only half")
    assert load_text(str(tmp_path)).name == "text:wiki"


def test_different_prefixes_make_a_pair_when_nothing_else_is_there(tmp_path):
    assert load_text(str(put(tmp_path, old_train=TRAIN, new_valid=VALID))).name == "text:old"


def test_two_whole_pairs_are_listed(tmp_path):
    put(tmp_path, wiki_train=TRAIN, wiki_valid=VALID, news_train=TRAIN, news_valid=VALID)
    error = refusal(tmp_path)
    assert error.problem.endswith("news_train.txt, news_valid.txt, wiki_train.txt, wiki_valid.txt")
    assert error.hint == "name the two as TRAIN,VALID"


def test_a_missing_side_is_named(tmp_path):
    assert refusal(put(tmp_path, wiki_train=TRAIN)).problem == f"the folder {tmp_path} holds no valid file"


def test_an_empty_folder_lacks_both(tmp_path):
    assert refusal(tmp_path).problem == f"the folder {tmp_path} holds no train and no valid file"


def test_two_paths_with_a_comma_are_a_corpus(tmp_path):
    put(tmp_path, a=TRAIN, b=VALID)
    assert load_text(f"{tmp_path}/a.txt, {tmp_path}/b.txt").name == "text:a"


def test_a_folder_with_a_comma_in_its_name_is_a_folder(tmp_path):
    folder = tmp_path / "one,two"
    folder.mkdir()
    assert load_text(str(put(folder, train=TRAIN, valid=VALID))).train.size > 0


def test_files_named_after_their_side_take_the_name_of_their_folder(tmp_path):
    folder = tmp_path / "book"
    folder.mkdir()
    assert load_text(str(put(folder, train=TRAIN, valid=VALID))).name == "text:book"


def test_a_users_tinystories_is_not_named_like_the_real_one(tmp_path):
    assert load_text(str(put(tmp_path, tinystories_train=TRAIN, tinystories_valid=VALID))).name == "text:tinystories"


def test_the_digest_does_not_depend_on_the_place(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = load_text(str(put(tmp_path / "a", train=TRAIN, valid=VALID)))
    assert load_text(str(put(tmp_path / "b", train=TRAIN, valid=VALID))).digest == first.digest


def test_a_byte_order_mark_is_no_text(tmp_path):
    put(tmp_path, train="\ufeff" + TRAIN, valid=VALID)
    assert load_text(str(tmp_path)).train.tobytes().startswith(b"Train story 0")


def test_a_missing_path_is_named(tmp_path):
    assert refusal(tmp_path / "nothing").problem == f"there is no file or folder {tmp_path / 'nothing'}"


def test_a_missing_file_of_two_is_named(tmp_path):
    put(tmp_path, a=TRAIN)
    assert refusal(f"{tmp_path}/a.txt,{tmp_path}/b.txt").problem == f"there is no file {tmp_path}/b.txt"


def test_a_single_file_is_no_corpus(tmp_path):
    put(tmp_path, a=TRAIN)
    assert "is a single file" in refusal(tmp_path / "a.txt").problem


@pytest.mark.parametrize("paths", ["a,b,c", "a,", ",b"])
def test_anything_but_two_paths_is_refused(paths):
    assert refusal(paths).problem == f"{paths} is not two paths with one comma between them"


def test_a_folder_that_is_closed_to_us_is_named(tmp_path, monkeypatch):
    def closed(folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", closed)
    with pytest.raises(DataError, match=r"can't read .*: Permission denied"):
        load_text(str(tmp_path))


def test_an_empty_file_is_named(tmp_path):
    put(tmp_path, train=TRAIN, valid=" \n")
    assert refusal(tmp_path).problem == f"{tmp_path}/valid.txt is empty"


def test_a_file_that_is_not_utf8_is_refused_with_the_offset(tmp_path):
    put(tmp_path, train=TRAIN)
    (tmp_path / "valid.txt").write_bytes("né".encode("latin1"))
    error = refusal(tmp_path)
    assert error.problem == f"{tmp_path}/valid.txt is not UTF-8 text: byte 0xe9 at offset 1"
    assert "iconv" in error.hint


def test_a_binary_file_is_refused_with_the_offset(tmp_path):
    put(tmp_path, train=TRAIN, valid="ab\x00c")
    assert refusal(tmp_path).problem == f"{tmp_path}/valid.txt is binary: a NUL byte at offset 2"


def test_a_short_file_is_refused_with_size_and_limit(tmp_path):
    put(tmp_path, wiki_train="too short", wiki_valid=VALID)
    assert refusal(tmp_path).problem == "text:wiki: the train text has 10 bytes, at least 100,000 are needed"


def test_shared_stories_are_refused(tmp_path):
    put(tmp_path, train=TRAIN, valid=VALID + "\n<|endoftext|>\n" + TRAIN.split("\n")[0])
    assert "1 story stands in both" in refusal(tmp_path).problem


@pytest.fixture
def real_folder() -> str:
    folder = os.environ.get("ARENA_REALDATA")
    if not folder:
        pytest.skip("ARENA_REALDATA is not set")
    return folder


@pytest.mark.realdata
def test_the_real_sample_works_as_it_is(real_folder):
    corpus = load_text(real_folder)
    assert corpus.name == "text:tinystories"
    assert (corpus.train.tobytes().count(0), corpus.valid.tobytes().count(0)) == (9898, 750)


@pytest.mark.realdata
def test_the_real_sample_keeps_no_separator(real_folder):
    assert b"<|endoftext|>" not in load_text(real_folder).train.tobytes()
