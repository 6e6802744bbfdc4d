"""A corpus small enough for runs of a second."""

import os
import random
import shutil
from pathlib import Path

import pytest

# before numpy loads, as the command does it
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# before torch loads: on tensors this small, threads of several test processes spin for one another's cores
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Hundreds of ledgers sync what they write, as they should; in memory that takes no time. Docker's 64 MB are too few.
if os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > 2_000_000_000:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/dev/shm")


@pytest.fixture(scope="session")
def tiny_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.txt and valid.txt, about 120 kB and 12 kB, as --data takes it."""
    folder = tmp_path_factory.mktemp("tiny")
    words = [
        "the",
        "a",
        "cat",
        "dog",
        "sat",
        "ran",
        "on",
        "under",
        "mat",
        "hill",
        "red",
        "blue",
        "and",
        "then",
        "it",
        "was",
    ]
    draw = random.Random(5)

    def story() -> str:
        return " ".join(draw.choice(words) for _ in range(60)) + "."

    for name, n in (("train.txt", 480), ("valid.txt", 50)):
        (folder / name).write_text("\n<|endoftext|>\n".join(story() for _ in range(n)))
    return folder
