"""The table, the curves or the screen as files in the folder where `arena` was started."""

import csv
import time
from collections.abc import Sequence
from pathlib import Path


def write_csv(folder: Path, name: str, rows: Sequence[Sequence[str]], now: float) -> Path:
    """Rows as they are shown; never over a file that is there. Raises OSError."""
    path = _free(folder, name, "csv", now)
    with path.open("x", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def write_svg(folder: Path, name: str, svg: str, now: float) -> Path:
    """Raises OSError."""
    path = _free(folder, name, "svg", now)
    with path.open("x", encoding="utf-8") as file:
        file.write(svg)
    return path


def _free(folder: Path, name: str, kind: str, now: float) -> Path:
    """`arena-live-20261124-150405.csv`, with a number when that is taken."""
    stem = f"arena-{name}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}"
    path, n = folder / f"{stem}.{kind}", 1
    while path.exists():
        n += 1
        path = folder / f"{stem}-{n}.{kind}"
    return path
