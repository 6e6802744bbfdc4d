"""Corpora small enough for runs of a second, and one thread for those runs."""

import os
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tiny_vocabulary import TRAIN, VALID, model

if TYPE_CHECKING:
    from bench.data.tokens import TokenCorpus

# before numpy loads, as the command does it
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Before torch loads. On tensors this small, threads of several test processes spin for one another's cores; and tests
# that compare bits want the one thread of a run.
os.environ["OMP_NUM_THREADS"] = "1"
# Hundreds of ledgers sync what they write, as they should; in memory that takes no time. Docker's 64 MB are too few.
if os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > 2_000_000_000:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/dev/shm")


@pytest.fixture(scope="session")
def tiny_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.txt and valid.txt, about 120 kB and 10 kB, as --data takes it."""
    folder = tmp_path_factory.mktemp("tiny")
    words = [
        "the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat", "hill", "red", "blue", "and", "then", "it", "was",
    ]  # fmt: skip
    draw = random.Random(5)

    def story() -> str:
        return " ".join(draw.choice(words) for _ in range(60)) + "."

    for name, n in (("train.txt", 480), ("valid.txt", 42)):
        (folder / name).write_text("\n<|endoftext|>\n".join(story() for _ in range(n)))
    return folder


@pytest.fixture(scope="session")
def token_corpus(tmp_path_factory: pytest.TempPathFactory) -> "TokenCorpus":
    """Made-up documents as golf has its text: shards of tokens, and the vocabulary they are of."""
    from bench.data.tokens import build

    folder = tmp_path_factory.mktemp("golf") / "tiny"
    return build("text:tiny", (TRAIN, VALID), model(), folder, lambda line: None)
