"""What a corpus name, a path or `auto` stands for."""

import pytest

from bench.data import tinystories, toystories
from bench.data.choose import available, load_corpus
from bench.data.corpus import make_corpus, write_cached
from bench.errors import DataError

TRAIN = [f"Train story {i}. {'Words follow words. ' * 40}" for i in range(150)]
VALID = [f"Validation story {i}. {'Words follow words. ' * 40}" for i in range(20)]


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An own cache that holds a stand-in for the toystories, so that nothing is generated here."""
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path / "cache"))
    write_cached(make_corpus("toystories", TRAIN, VALID), toystories.cache_folder())


def put_tinystories() -> None:
    write_cached(make_corpus("tinystories", TRAIN[1:], VALID), tinystories.cache_folder())


def test_auto_is_toystories_when_nothing_else_is_there():
    assert load_corpus("auto").name == "toystories"


def test_auto_is_tinystories_once_it_is_on_disk():
    put_tinystories()
    assert load_corpus("auto").name == "tinystories"


def test_toystories_can_be_asked_for_though_tinystories_is_there():
    put_tinystories()
    assert load_corpus("toystories").name == "toystories"


def test_tinystories_that_is_not_there_hints_at_the_command():
    with pytest.raises(DataError, match="tinystories is not on this machine") as refusal:
        load_corpus("tinystories")
    assert "`autoresearch data get tinystories`" in refusal.value.hint


def test_a_folder_is_a_corpus(tmp_path):
    (tmp_path / "train.txt").write_text("\n\n".join(TRAIN))
    (tmp_path / "valid.txt").write_text("\n\n".join(VALID))
    assert load_corpus(str(tmp_path)).name == f"text:{tmp_path.name}"


def test_two_paths_are_a_corpus(tmp_path):
    (tmp_path / "a.txt").write_text("\n\n".join(TRAIN))
    (tmp_path / "b.txt").write_text("\n\n".join(VALID))
    assert load_corpus(f"{tmp_path}/a.txt,{tmp_path}/b.txt").name == "text:a"


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(DataError, match="'tinystory' is neither a corpus nor a path that exists") as refusal:
        load_corpus("tinystory")
    assert refusal.value.hint.startswith("known: auto, toystories, tinystories;")


def test_available_says_how_to_get_what_is_missing():
    assert dict(available())["tinystories"] == "not downloaded: `autoresearch data get tinystories`"


def test_available_says_what_is_on_disk():
    put_tinystories()
    assert dict(available())["tinystories"] == "on disk: 0.1 MB"


def test_available_knows_that_toystories_need_no_download(monkeypatch, tmp_path):
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path / "other"))
    assert dict(available())["toystories"] == "built in: generated in seconds on first use"
