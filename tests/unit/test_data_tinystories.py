"""Fetching TinyStories, against a local data set of the same shape; nothing here reaches the network."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.data.tinystories import cache_folder, fetch_tinystories, load_tinystories
from bench.errors import DataError

TRAIN = [f"Train story {i}.\n\n{'Words follow words. ' * 40}end" for i in range(200)]
VALID = [f"Validation story {i}.\n\n{'Words follow words. ' * 40}end" for i in range(20)]


@pytest.fixture(autouse=True)
def own_places(monkeypatch, tmp_path):
    """An own cache for us and for datasets, which reads its places at import and so is given them again."""
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path / "cache"))
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hugging_face")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


def put(folder: Path, column: str = "text", **splits: list[str | None]) -> str:
    """Writes a data set that `load_dataset(folder)` reads: one JSON row a line, one file a split."""
    folder.mkdir()
    for split, stories in splits.items():
        (folder / f"{split}.jsonl").write_text("".join(json.dumps({column: story}) + "\n" for story in stories))
    return str(folder)


@pytest.fixture
def source(tmp_path) -> str:
    return put(tmp_path / "rows", train=[" \n", *TRAIN, f"\n{VALID[3]} ", None], validation=[*VALID, ""])


def stories_of(side) -> list[str]:
    return side.tobytes().decode().split("\x00")[:-1]


def test_rows_become_stories_in_order(source):
    assert stories_of(fetch_tinystories(source).valid) == VALID


def test_empty_rows_and_train_stories_that_stand_in_validation_go(source):
    assert stories_of(fetch_tinystories(source).train) == TRAIN


def test_the_number_of_train_rows_can_be_bounded(source):
    assert stories_of(fetch_tinystories(source, max_train_stories=151).train) == TRAIN[:150]


def test_none_takes_every_row(source):
    assert len(stories_of(fetch_tinystories(source, max_train_stories=None).train)) == len(TRAIN)


def test_what_was_fetched_is_loaded_from_the_cache(source):
    fetched, loaded = fetch_tinystories(source), load_tinystories()
    assert loaded is not None
    assert (loaded.name, loaded.digest) == ("tinystories", fetched.digest)


def test_nothing_fetched_means_nothing_loaded():
    assert load_tinystories() is None


def test_each_slow_part_is_reported(source):
    lines: list[str] = []
    fetch_tinystories(source, lines.append)
    assert [line.split(" of ")[0] for line in lines[:2]] == ["reading the validation split", "reading the train split"]
    assert lines[2] == f"writing 0.2 MB to {cache_folder()}"


def test_a_source_that_cannot_be_reached_is_a_data_error_with_a_way_out():
    with pytest.raises(DataError, match="can't read the validation split of nobody/nothing") as refusal:
        fetch_tinystories("nobody/nothing")
    assert "--data toystories" in refusal.value.hint


def test_a_missing_split_is_a_data_error(tmp_path):
    source = put(tmp_path / "rows", train=TRAIN)
    with pytest.raises(DataError, match="can't read the validation split"):
        fetch_tinystories(source)


def test_a_missing_column_is_a_data_error_that_lists_the_others(tmp_path):
    source = put(tmp_path / "rows", column="story", train=TRAIN, validation=VALID)
    with pytest.raises(DataError, match="has no column `text`, only story"):
        fetch_tinystories(source)


def test_a_failed_fetch_keeps_the_corpus_of_before(source):
    before = fetch_tinystories(source)
    with pytest.raises(DataError):
        fetch_tinystories("nobody/nothing")
    assert load_tinystories().digest == before.digest


def test_importing_the_data_package_loads_neither_datasets_nor_torch():
    code = (
        "import sys, bench.data.choose, bench.data.tinystories\n"
        "print([name for name in ('datasets', 'torch', 'optuna') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
