"""A ledger on disk with one study begun."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_rows import CARD, SPEC

from studies.ownership import Owner, this_process
from studies.store import Store


@pytest.fixture
def me() -> Owner:
    return this_process()


@pytest.fixture
def store(tmp_path: Path, me: Owner) -> Iterator[Store]:
    """An open ledger with the study `lab` begun by this process."""
    opened = Store(tmp_path / "arena.db")
    opened.begin(SPEC, [CARD], me)
    yield opened
    opened.close()
