"""What `arena` remembers from one session to the next: page, study, theme, order and filter. Never in the ledger."""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Remembered = dict[str, str | int | bool]


def default_file() -> Path:
    """In the user's state directory."""
    from platformdirs import user_state_path

    return user_state_path("arena-autoresearch") / "view.json"


@dataclass
class Memory:
    """Plain data; what a file says that is not understood is forgotten, for nothing here is worth a failed start."""

    mode: str = "live"
    theme: str = ""
    studies: dict[str, str] = field(default_factory=dict)  # the study chosen last, by store
    screens: dict[str, Remembered] = field(default_factory=dict)  # by page
    file: Path | None = None  # None: a memory of this session only

    @classmethod
    def read(cls, file: Path) -> "Memory":
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return cls(file=file)
        if not isinstance(known, dict):
            return cls(file=file)
        return cls(
            mode=_text(known.get("mode")) or "live",
            theme=_text(known.get("theme")),
            studies={k: v for k, v in _table(known.get("studies")).items() if isinstance(v, str)},
            screens={page: _plain(state) for page, state in _table(known.get("screens")).items()},
            file=file,
        )

    def write(self) -> None:
        """Whole or not at all; a place that can't be written is no reason to stop."""
        if self.file is None:
            return
        facts = {name: value for name, value in asdict(self).items() if name != "file"}
        part = self.file.with_suffix(f".{os.getpid()}.part")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
            part.replace(self.file)
        except OSError:
            with suppress(OSError):
                part.unlink()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _plain(state: Any) -> Remembered:
    return {name: value for name, value in _table(state).items() if isinstance(value, str | int | bool)}
