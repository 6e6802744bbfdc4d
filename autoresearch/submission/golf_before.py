"""Which score a record had to beat: the best of the records beside its folder that are dated earlier."""

import re
from pathlib import Path
from typing import Any

from autoresearch.submission import golf_schema
from bench.errors import ConfigError

# The contest's first score to beat, where no earlier record lies beside the folder.
BASELINE_BPB = 1.2243657
DAY = r"\d{4}-\d\d-\d\d"
MOST_JSON_BYTES = 1_000_000


def to_beat(folder: Path, stated: dict[str, Any]) -> tuple[float, str]:
    """val_bpb and whose it is; those of the same day are left out, since their order is not known here."""
    best, where = BASELINE_BPB, "the contest's baseline"
    if "track" not in folder.parent.name:
        return best, where
    for other in sorted(folder.parent.iterdir()):
        plain = beside(other)
        score = plain.get("val_bpb")
        if dated(other, plain) < dated(folder, stated) and golf_schema.number(score) and 0.5 < float(score) < best:
            best, where = float(score), other.name
    return best, where


def dated(folder: Path, stated: dict[str, Any]) -> str:
    """The day of a submission: as it states, or as its folder is named."""
    told = str(stated.get("date", ""))[:10]
    return told if re.fullmatch(DAY, told) else folder.name[:10]


def beside(folder: Path) -> dict[str, Any]:
    """What another record's submission.json states; nothing where there is none that can be read."""
    file = folder / "submission.json"
    if file.is_symlink() or not file.is_file() or file.stat().st_size > MOST_JSON_BYTES:
        return {}
    try:
        return golf_schema.read(file.read_text(errors="replace"))
    except ConfigError:
        return {}
