"""Two studies and what was exported from them: made once in a process, since that takes seconds, and only read."""

import shutil
from pathlib import Path

import pytest
from fighter_study import by_hand, real, tampered_with, write_text
from golf_study import ledger_of, miniature, shards

from autoresearch.submission.write import write_submission
from bench.data.tokens import TokenCorpus
from studies.store import Store


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_text(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="session")
def store(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with a study of two real trials, and one by hand with a trial in every other state."""
    path = tmp_path_factory.mktemp("study") / "arena.db"
    ledger = Store(path)
    real(ledger, data)
    by_hand(ledger, data)
    ledger.close()
    return path


@pytest.fixture(scope="session")
def exported(store: Path) -> Path:
    """The best trial; tests that tamper take a copy."""
    return write_submission(store, "real", None, store.parent / "exports" / "best", None, lambda text: None)


@pytest.fixture(scope="session")
def negative(store: Path) -> Path:
    """A trial that failed."""
    return write_submission(store, "by-hand", 0, store.parent / "exports" / "negative", None, lambda text: None)


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    return tampered_with(exported, tmp_path)


@pytest.fixture(scope="session")
def golf_corpus(tmp_path_factory: pytest.TempPathFactory) -> TokenCorpus:
    return shards(tmp_path_factory.mktemp("golf-text") / "shards")


@pytest.fixture(scope="session")
def golf_store(golf_corpus: TokenCorpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with a study of golf that has a trial of every kind, and one of a run that its clock ended."""
    return ledger_of(tmp_path_factory.mktemp("golf-study") / "arena.db", golf_corpus)


@pytest.fixture(scope="session")
def golf_said() -> list[str]:
    """What the export of `golf_exported` says on the way."""
    return []


@pytest.fixture(scope="session")
def golf_exported(golf_store: Path, golf_said: list[str]) -> Path:
    """The recipe that beats the baseline."""
    with miniature():
        return write_submission(golf_store, "golf", 1, golf_store.parent / "out" / "entry", None, golf_said.append)


@pytest.fixture
def golf_copy(golf_exported: Path, tmp_path: Path) -> Path:
    """For tampering; its script is short, for reading the whole one is most of a check."""
    folder = shutil.copytree(golf_exported, tmp_path / "copy")
    (folder / "train_gpt.py").write_text("import torch\n")
    return folder
