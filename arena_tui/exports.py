"""The table, the curves or the screen as files in the folder where `arena` was started."""

import csv
import io
import time
from collections.abc import Sequence
from pathlib import Path


def as_csv(rows: Sequence[Sequence[str]]) -> str:
    """Rows as they are shown."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def write_new(folder: Path, page: str, kind: str, content: str, now: float) -> Path:
    """`arena-live-20261124-150405.csv`, or with a number: never over a file that is there. Raises OSError."""
    stem = f"arena-{page}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}"
    path, n = folder / f"{stem}.{kind}", 1
    while path.exists():
        n += 1
        path = folder / f"{stem}-{n}.{kind}"
    with path.open("x", encoding="utf-8") as file:
        file.write(content)
    return path
