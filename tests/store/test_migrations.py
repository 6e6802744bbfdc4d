"""A ledger of any released schema becomes one of today's, with everything that was in it."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from bench.records import Identity, State
from studies.database import MIGRATIONS
from studies.store import Store

RELEASED = Path(__file__).parent / "released"


def released(name):
    """A ledger as that schema's release wrote it, as statements."""
    return (RELEASED / f"{name}.sql").read_text()


def test_the_released_ledger_that_has_sizes_gives_them_out(tmp_path):
    path = tmp_path / "arena.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(released("m007_sizes_of_run"))
    store = Store(path)
    assert store.read.sizes(1).n_bytes == 131_772
    assert store.read.sizes(2) is None
    store.close()


def test_the_seed_of_a_replication_comes_back_from_an_older_schemas_successor(tmp_path):
    path = tmp_path / "arena.db"
    old = sqlite3.connect(path)
    old.executescript(released("m002_seed_of_trial"))
    old.close()
    store = Store(path)
    assert [trial.seed for trial in store.read.trials("lab")] == [1002, None, None]
    store.close()


def test_the_migrations_make_the_tables_that_the_models_describe(tmp_path):
    Store(tmp_path / "migrated.db").close()
    fresh = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    SQLModel.metadata.create_all(fresh)
    asked = text("SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2")
    migrated = create_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    with fresh.connect() as one, migrated.connect() as other:
        tables = one.execute(asked).all()
        assert tables == other.execute(asked).all()
        for _, name, table in tables:
            if name == table:
                info = text(f"PRAGMA table_info('{name}')")
                assert one.execute(info).all() == other.execute(info).all()


def test_every_released_schema_migrates_and_reads(tmp_path):
    dumps = sorted(RELEASED.glob("*.sql"))
    assert len(dumps) == len(MIGRATIONS), "each released schema keeps a tiny database as a fixture"
    for dump in dumps:
        path = tmp_path / f"{dump.stem}.db"
        old = sqlite3.connect(path)
        old.executescript(dump.read_text())
        old.close()
        store = Store(path)
        assert [trial.state for trial in store.read.trials("lab")] == [State.COMPLETE, State.FAILED, State.REFUSED]
        store.close()


def test_a_belt_of_an_older_schema_is_of_the_study_whose_event_says_so(tmp_path):
    path = tmp_path / "arena.db"
    old = sqlite3.connect(path)
    old.executescript(released("m004_pace_of_run"))
    identity = json.dumps(
        asdict(
            Identity(
                track="featherweight", track_version=1, corpus_digest="d" * 64, steps=500, batch=32, seq_len=96,
                evaluator_version=1, device_class="cpu/test", numerics_version=1,
            )
        )
    )  # fmt: skip
    print_ = old.execute("SELECT fingerprint FROM run WHERE state = 'complete'").fetchone()[0]
    old.execute("INSERT INTO belt VALUES (1, ?, 'optimizer', ?, NULL, 1790000000.5, NULL, 1)", (identity, print_))
    for at, study, kind in ((1790000000.4, None, "belt"), (1790000000.55, None, "note"), (1790000000.6, 1, "belt")):
        old.execute("INSERT INTO event (at, study_id, kind, text) VALUES (?, ?, ?, '')", (at, study, kind))
    old.commit()
    old.close()
    Store(path).close()
    assert sqlite3.connect(path).execute("SELECT study_id FROM belt").fetchall() == [(1,)]


def test_a_ledger_of_before_keeps_its_runs_and_learns_the_new_reason(tmp_path):
    """The table of runs is made anew for it, while others refer to its rows."""
    dump = released("m004_pace_of_run")
    path = tmp_path / "arena.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(dump)
        columns = ", ".join(column for _, column, *_ in old.execute("PRAGMA table_info('run')"))
        before = old.execute(f"SELECT {columns} FROM run").fetchall()
    Store(path).close()
    with closing(sqlite3.connect(path)) as new:
        assert new.execute(f"SELECT {columns} FROM run").fetchall() == before
        assert new.execute("PRAGMA foreign_key_check").fetchall() == []
        assert new.execute("SELECT name FROM sqlite_master WHERE name LIKE '%kept'").fetchall() == []
        new.execute("UPDATE run SET reason = 'too_slow' WHERE state = 'failed'")
        with pytest.raises(sqlite3.IntegrityError, match="reason_is_known"):
            new.execute("UPDATE run SET reason = 'no_reason' WHERE state = 'failed'")


def test_a_schema_change_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("studies.database.MIGRATIONS", ("m001_initial", "m002_missing"))
    with pytest.raises(FileNotFoundError):
        Store(tmp_path / "arena.db")
    monkeypatch.undo()
    Store(tmp_path / "arena.db").close()
    assert files("studies.migrations").joinpath("m001_initial.sql").is_file()
