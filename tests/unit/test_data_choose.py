"""What a corpus name, a path or `auto` stands for."""

import pytest
from tiny_vocabulary import model

from bench.data import tinystories, toystories
from bench.data.choose import available, documents, load_corpus, load_tokens, look
from bench.data.corpus import make_corpus, write_cached
from bench.data.tokens import build
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


def test_the_documents_of_one_file_are_split_the_first_for_validation(tmp_path):
    (tmp_path / "tales.txt").write_text("\n\n".join([*TRAIN[:40], TRAIN[0]]))
    name, train, valid = documents(str(tmp_path / "tales.txt"))
    assert name == "text:tales"
    assert valid == [story.strip() for story in TRAIN[:3]]
    assert train == [story.strip() for story in TRAIN[3:40]]


def test_the_documents_of_a_corpus_are_its_stories():
    assert documents("toystories") == ("toystories", TRAIN, VALID)


def test_one_document_is_no_corpus(tmp_path):
    (tmp_path / "tale.txt").write_text(TRAIN[0])
    with pytest.raises(DataError, match="holds 1 document"):
        documents(str(tmp_path / "tale.txt"))


def test_a_golf_corpus_is_found_by_its_folder_and_described(tmp_path):
    built = build("text:tales", (TRAIN * 2, VALID * 5), model(), tmp_path / "golf", lambda line: None)
    assert load_tokens(str(tmp_path / "golf")).digest == built.digest
    told = dict(look(str(tmp_path / "golf")))
    n_bytes = sum(len(text.rstrip().encode()) for text in VALID * 5)
    assert told["valid"] == f"{len(built.valid):,} tokens of {n_bytes:,} bytes"


def test_golf_without_shards_says_how_to_get_some(tmp_path):
    with pytest.raises(DataError, match="the FineWeb shards are not on this machine") as refusal:
        load_tokens("auto")
    assert "autoresearch data get fineweb" in refusal.value.hint
    with pytest.raises(DataError, match="is no golf corpus"):
        load_tokens(str(tmp_path))
