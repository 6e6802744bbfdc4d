"""The only module that opens connections: where the ledger is, how it is opened, which schema changes it has."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from bench.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

# Append-only: a released file is never changed, a later schema is one more file.
MIGRATIONS = (
    "m001_initial",
    "m002_seed_of_trial",
    "m003_audits",
    "m004_pace_of_run",
    "m005_study_of_belt",
    "m006_too_slow",
    "m007_sizes_of_run",
)

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
        named = named.removeprefix("sqlite:///")
    elif "://" in named:
        raise StoreError(
            f"{named} is no SQLite store", "give a path or sqlite:///PATH; other databases are not served yet"
        )
    return Path(os.path.expanduser(named))


def open_writer(path: Path) -> "Engine":
    """An engine for the one process that writes; makes the file and brings its schema up to date."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        problem = f"can't make the folder of the store {path}: {wrong.strerror}"
        raise StoreError(problem, "choose another with --store") from wrong
    _check_file(path)
    with reporting(path), closing(_writing(path)) as connection:
        migrate(connection, path)
    return _engine(path)


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that can't write; StoreError when there is nothing to read."""
    # os.path answers for any text; pathlib raises for a name that is too long or a folder that is closed to us
    if not os.path.exists(path):
        raise StoreError(f"there is no store at {path}", "start a study with `autoresearch`, or name one with --store")
    _check_file(path)
    with reporting(path):
        uri = f"file:{_quoted(path)}?mode=ro"
        connection = sqlite3.connect(
            uri, uri=True, timeout=READER_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA query_only=ON")
        applied = _applied(connection)
    _check_known(applied, path)
    if missing := [name for name in MIGRATIONS if name not in applied]:
        raise StoreError(
            f"the store {path} lacks {', '.join(missing)}",
            "any `autoresearch` command that writes brings it up to date",
        )
    return connection


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply what is missing, each change in a transaction of its own."""
    _check_known(_applied(connection), path)
    for name in MIGRATIONS:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # asked inside the transaction: another process may have been quicker
            if name not in _applied(connection):
                script = files("studies.migrations").joinpath(f"{name}.sql").read_text()
                for statement in script.split(";\n"):
                    connection.execute(statement)
                connection.execute("INSERT INTO migration (name, applied_at) VALUES (?, ?)", (name, time.time()))
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


@contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Turns what the database says into what a user can act on."""
    try:
        yield
    except Exception as wrong:
        # SQLAlchemy wraps what the driver raises; it is not imported here just to name its class
        driver = getattr(wrong, "orig", wrong)
        if not isinstance(driver, sqlite3.Error):
            raise
        said = str(driver).replace("file is not", "it is not")
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
    """Refuse what is no file at all.

    The file itself is left to SQLite: closing a descriptor of our own would drop the locks that this process's
    connections hold on it, and another process would then take the log away from under them.
    """
    if os.path.isdir(path):
        raise StoreError(f"the store {path} is a folder", "name a file with --store")


def _check_known(applied: set[str], path: Path) -> None:
    if unknown := sorted(applied - set(MIGRATIONS)):
        raise StoreError(
            f"the store {path} was written by a newer version: it has {', '.join(unknown)}",
            "update arena-autoresearch, or choose another file with --store",
        )


def _applied(connection: sqlite3.Connection) -> set[str]:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "migration" not in tables:
        if tables:
            raise StoreError("this database is not a ledger of ours", LEFT_ALONE)
        return set()
    return {row[0] for row in connection.execute("SELECT name FROM migration")}


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _writing(path: Path) -> sqlite3.Connection:
    # transactions are begun by hand below: the driver's own begin too late to keep two writers apart
    connection = sqlite3.connect(
        f"file:{_quoted(path)}?mode=rwc",
        uri=True,
        timeout=WRITER_WAIT_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    # NORMAL: a killed process loses nothing; only a power cut may lose the last commits, never the file
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _engine(path: Path) -> "Engine":
    # imported here: reading needs none of it, and it would hold the screen back for half a second
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    engine = create_engine("sqlite://", creator=lambda: _writing(path), poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def begin(connection: "Connection") -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
