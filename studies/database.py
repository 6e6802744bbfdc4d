"""The only module that opens connections: where the ledger is, how it is opened, which schema changes it has."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import platformdirs
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from bench.errors import StoreError

# Append-only: a released file is never changed, a later schema is one more file.
MIGRATIONS = ("m001_initial",)

WRITER_WAIT_SECONDS = 30.0
# A reader must never hold a study up, and a screen can ask again in a moment.
READER_WAIT_SECONDS = 0.25

LEFT_ALONE = "name another file with --store; this one is left as it is"


def default_path() -> Path:
    """`$ARENA_STORE`, else the user's data directory."""
    if named := os.environ.get("ARENA_STORE"):
        return store_path(named)
    return Path(platformdirs.user_data_dir("arena-autoresearch")) / "arena.db"


def store_path(named: str) -> Path:
    """The file that `--store` means: a path, or a sqlite:/// URL."""
    if named.startswith("sqlite:///"):
        return Path(named.removeprefix("sqlite:///")).expanduser()
    if "://" in named:
        raise StoreError(
            f"{named} is no SQLite store", "give a path or sqlite:///PATH; other databases are not served yet"
        )
    return Path(named).expanduser()


def open_writer(path: Path) -> Engine:
    """An engine for the one process that writes; makes the file and brings its schema up to date."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise StoreError(
            f"can't make the folder of the store {path}: {wrong.strerror}", "choose another with --store"
        ) from wrong
    _check_file(path)
    # NORMAL: a killed process loses nothing; only a power cut may lose the last commits, never the file
    pragmas = ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL")
    engine = _engine(f"file:{_quoted(path)}?mode=rwc", WRITER_WAIT_SECONDS, pragmas)
    with reporting(path):
        migrate(engine, path)
    return engine


def open_reader(path: Path) -> Engine:
    """An engine that can't write; StoreError when there is nothing to read."""
    if not path.exists():
        raise StoreError(f"there is no store at {path}", "start a study with `autoresearch`, or name one with --store")
    _check_file(path)
    engine = _engine(f"file:{_quoted(path)}?mode=ro", READER_WAIT_SECONDS, ("query_only=ON",))
    with reporting(path), engine.connect() as connection:
        applied = _applied(connection)
        _check_known(applied, path)
        if missing := [name for name in MIGRATIONS if name not in applied]:
            raise StoreError(
                f"the store {path} lacks {', '.join(missing)}",
                "any `autoresearch` command that writes brings it up to date",
            )
    return engine


def migrate(engine: Engine, path: Path) -> None:
    """Apply what is missing, each change in a transaction of its own."""
    with engine.connect() as connection:
        applied = _applied(connection)
    _check_known(applied, path)
    for name in MIGRATIONS:
        if name in applied:
            continue
        script = files("studies.migrations").joinpath(f"{name}.sql").read_text()
        with engine.begin() as connection:
            # another process may have been quicker
            if name in _applied(connection):
                continue
            for statement in script.split(";\n"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
            connection.execute(
                text("INSERT INTO migration (name, applied_at) VALUES (:name, :at)"), {"name": name, "at": time.time()}
            )


@contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Turns what the database says into what a user can act on."""
    try:
        yield
    except DBAPIError as wrong:
        said = str(wrong.orig)
        raise StoreError(f"the store {path} can't be used: {said}", _advice(said)) from wrong


def _advice(said: str) -> str:
    for sign, hint in (
        ("full", "free some disk space; nothing recorded is lost, and `autoresearch resume` goes on from there"),
        ("readonly", "make the file and its folder writable, or choose another with --store"),
        ("not a database", LEFT_ALONE),
        ("malformed", "restore a copy; `autoresearch doctor` says more"),
        ("locked", "another program holds it; try again in a moment"),
        ("unable to open", "check the path and its permissions"),
    ):
        if sign in said:
            return hint
    return "`autoresearch doctor` says more"


def _check_file(path: Path) -> None:
    """Refuse a file that is no database before SQLite writes a byte beside it."""
    if path.is_dir():
        raise StoreError(f"the store {path} is a folder", "name a file with --store")
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as wrong:
        raise StoreError(f"the store {path} can't be read: {wrong.strerror}", "check its permissions") from wrong
    if start != b"SQLite format 3\x00":
        raise StoreError(
            f"the store {path} can't be used: it is not a database",
            LEFT_ALONE,
        )


def _check_known(applied: set[str], path: Path) -> None:
    if unknown := sorted(applied - set(MIGRATIONS)):
        raise StoreError(
            f"the store {path} was written by a newer version: it has {', '.join(unknown)}",
            "update arena-autoresearch, or choose another file with --store",
        )


def _applied(connection: Connection) -> set[str]:
    tables = set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    if "migration" not in tables:
        if tables:
            raise StoreError("this database is not a ledger of ours", LEFT_ALONE)
        return set()
    return set(connection.execute(text("SELECT name FROM migration")).scalars())


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _engine(uri: str, wait_seconds: float, pragmas: tuple[str, ...]) -> Engine:
    writes = "mode=ro" not in uri

    def connect() -> sqlite3.Connection:
        # transactions are begun by hand below: the driver's own begin too late to keep two writers apart
        connection = sqlite3.connect(uri, uri=True, timeout=wait_seconds, isolation_level=None, check_same_thread=False)
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool if writes else None)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
