"""A store that can't be used says so in one sentence, and is left as it was."""

import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ledger_rows import CARD, SPEC, proposal

from bench.errors import StoreError
from studies.database import store_path
from studies.reading import Reader
from studies.store import Store


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("shopping: eggs")
    with pytest.raises(StoreError, match="it is not a database"):
        Store(path)
    assert path.read_text() == "shopping: eggs"


def test_somebody_elses_database_is_left_as_it_is(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE eggs (n)")
    with pytest.raises(StoreError, match="not a ledger of ours"):
        Store(path)


def test_a_newer_store_is_refused_by_what_it_has(tmp_path):
    path = tmp_path / "arena.db"
    Store(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute("INSERT INTO migration VALUES ('m999_tomorrow', 0)")
    for opening in (Store, Reader):
        with pytest.raises(StoreError) as caught:
            opening(path)
        assert caught.value.problem == f"the store {path} was written by a newer version: it has m999_tomorrow"


def test_a_store_that_does_not_exist_is_not_made_by_reading(tmp_path):
    with pytest.raises(StoreError, match="there is no store"):
        Reader(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


def test_a_folder_is_no_store(tmp_path):
    with pytest.raises(StoreError, match="is a folder"):
        Store(tmp_path)


def test_an_unknown_kind_of_url_is_named():
    with pytest.raises(StoreError, match="postgresql://x is no SQLite store"):
        store_path("postgresql://x")


def test_a_full_disk_loses_nothing_that_was_recorded(tmp_path, me):
    store = Store(tmp_path / "arena.db")
    store.begin(SPEC, [CARD], me)
    store.propose("lab", proposal(0))
    # SQLite reports a page limit with the same words as a full disk
    engine = store._engine
    raw_connect = engine.pool._creator

    def cramped():
        connection = raw_connect()
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    engine.pool._creator = cramped

    def fill() -> None:
        for number in range(1, 200):
            store.propose("lab", proposal(number, lr=1e-3 + number * 1e-6))

    with pytest.raises(StoreError) as caught:
        fill()
    assert "full" in caught.value.problem
    assert "resume" in caught.value.hint
    engine.pool._creator = raw_connect
    numbers = [trial.number for trial in store.read.trials("lab")]
    assert numbers == list(range(len(numbers)))
    assert numbers
    store.propose("lab", proposal(len(numbers), lr=2e-3))
    store.close()


READ_ONLY = """
import os, sys
from pathlib import Path
from bench.errors import StoreError
from studies.store import Store
Store(Path(sys.argv[2])).close()  # everything is imported before rights are given up
if os.geteuid() == 0:
    os.setuid(65534)
try:
    Store(Path(sys.argv[1])).beat("lab")
except StoreError as wrong:
    print(wrong.problem, "/", wrong.hint)
"""


def test_a_read_only_store_says_what_to_change(me):
    # not tmp_path: its parents belong to the user who runs the tests, and root must be able to give them up
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arena.db"
        store = Store(path)
        store.begin(SPEC, [CARD], me)
        store.close()
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(path), str(Path(folder).with_suffix(".other"))],
            capture_output=True,
            text=True,
            check=False,
        )
        Path(folder).chmod(0o755)
        Path(folder).with_suffix(".other").unlink(missing_ok=True)
    assert f"the store {path} can't be used" in done.stdout, done.stderr
    assert "make the file and its folder writable" in done.stdout
