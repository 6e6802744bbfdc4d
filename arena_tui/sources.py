"""Which store is shown: the named one, the user's, or the measurements that ship with the project."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the numbers come from."""

    path: Path
    shipped: bool
    named: bool  # on the command line: commands to copy then name it too


def shipped_path() -> Path | None:
    """The store of the shipped measurements; None when the project ships none."""
    from studies.shipped import shipped_store

    return shipped_store()


def find_source(store: str | None) -> Source | None:
    """None when there is nothing at all; a named store is taken at its word, for its reader says what is wrong."""
    from studies.database import default_path, store_path

    if store is not None:
        return Source(path=store_path(store), shipped=False, named=True)
    if os.path.exists(path := default_path()):
        return Source(path=path, shipped=False, named=False)
    shipped = shipped_path()
    return Source(path=shipped, shipped=True, named=False) if shipped else None
