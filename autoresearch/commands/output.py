"""stdout is data, progress and errors are on stderr."""

import json
import sys
from typing import Any


def to_text(plain: Any) -> str:
    return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)


def columns(rows: list[Any]) -> str:
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))] if rows else []
    return "\n".join(
        "  ".join(str(cell).ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - stderr is for people
