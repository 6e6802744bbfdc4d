"""The report of a study that is still running, written anew every ten minutes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from autoresearch.reporting.write import report_of, write_report
from bench.errors import ConfigError

EVERY_SECONDS = 600.0


@dataclass
class LiveReport:
    """`say` is told when it can't be written on the way."""

    store: Path
    study: str
    folder: Path
    say: Callable[[str], None]
    written: float = field(default_factory=time.monotonic)

    def write(self) -> None:
        """Raises ConfigError where the folder can't be written."""
        write_report(report_of(self.store, self.study), self.folder, "--report")

    def beat(self) -> None:
        """Write it if ten minutes have passed; a full disk is no reason to end a study."""
        if time.monotonic() - self.written < EVERY_SECONDS:
            return
        try:
            self.write()
        except ConfigError as wrong:
            self.say(f"{wrong.problem}; the study goes on")
        self.written = time.monotonic()
