"""The ledger that a command is about."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import ConfigError

if TYPE_CHECKING:
    from studies.store import Store


def open_ledger(store: str | None, jobs: int | None) -> "Store":
    """The ledger, opened for writing, with the project's own measurements in a new one."""
    from studies.shipped import import_files, shipped_files
    from studies.store import Store

    check_jobs(jobs)
    path = ledger_path(store)
    fresh = not os.path.exists(path)
    ledger = Store(path)
    if fresh:
        # they stand in every ledger, as references and as runs already paid for
        import_files(path, shipped_files())
    return ledger


def check_jobs(jobs: int | None) -> None:
    if jobs is not None and jobs < 1:
        raise ConfigError(f"--jobs is {jobs}", "run at least 1 at a time")


def ledger_path(store: str | None) -> Path:
    from studies.database import default_path, store_path

    return default_path() if store is None else store_path(store)
