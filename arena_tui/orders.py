"""What was asked of `autoresearch`, each a process that outlives this screen: requested, acknowledged, done.

Nothing is believed for having been asked: a study counts as begun when the ledger names the process as its owner, a
stop as heard when the ledger holds the request, and either as done when the process has ended well.
"""

import re
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import platformdirs

from arena_tui.commands import answered, arguments
from arena_tui.formatting import one_line
from bench.errors import ConfigError
from studies.views import StudyView

# the verbs whose process is the coordinator of a study
RUNS = ("launch", "resume", "grade")
TAIL_BYTES = 8_000
# how long an order that has ended is told at the top of every screen
TOLD_SECONDS = 60.0


class Stage(StrEnum):
    REQUESTED = "requested"
    ACKNOWLEDGED = "acknowledged"
    DONE = "done"
    FAILED = "failed"


@dataclass(eq=False)
class Order:
    """One command under way. `since` says when each stage was seen, seconds since 1970."""

    verb: str
    study: str  # empty until the ledger says which study a launch became
    words: tuple[str, ...]
    process: subprocess.Popen[bytes]
    log: Path
    since: dict[Stage, float] = field(default_factory=dict)
    said: str = ""

    @property
    def stage(self) -> Stage:
        return list(self.since)[-1]

    @property
    def ended(self) -> bool:
        return self.stage in (Stage.DONE, Stage.FAILED)

    @property
    def failed(self) -> bool:
        return self.stage is Stage.FAILED

    @property
    def told(self) -> str:
        """In one line, for the top of any screen."""
        what = " ".join(filter(None, (self.verb, self.study)))
        return one_line(f"{what}: {self.stage.value}{f', {self.said}' if self.said else ''}")

    def tail(self, lines: int) -> list[str]:
        """The last lines that the command printed, for people and of data."""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
        return [line for line in text.splitlines() if line.strip()][-lines:]

    def look(self, studies: Iterable[StudyView], alive: frozenset[str], now: float) -> bool:
        """Find out how far it is; True when a stage was reached."""
        if self.ended:
            return False
        before = self.stage
        if before is Stage.REQUESTED and self._acknowledged(studies, alive):
            self.since[Stage.ACKNOWLEDGED] = now
        if (code := self.process.poll()) is not None:
            answer = answered(code, "", "\n".join(self.tail(40)))
            self.since[Stage.FAILED if code else Stage.DONE] = now
            last = next(iter(self.tail(1)), "")
            self.said = f"{answer.problem} ({answer.hint})" if code and answer.hint else answer.problem or last
        return self.stage is not before

    def _acknowledged(self, studies: Iterable[StudyView], alive: frozenset[str]) -> bool:
        if self.verb in RUNS:
            owned = next((s.name for s in studies if s.owner_pid == self.process.pid and s.name in alive), None)
            self.study = owned or self.study
            return owned is not None
        if self.verb == "stop":
            asked = next((s.stop_requested_at for s in studies if s.name == self.study), None)
            # the ledger's clock and ours are the same machine's, but not read in the same instant
            return asked is not None and asked >= self.since[Stage.REQUESTED] - 1.0
        return bool(self.tail(1))


def newest(orders: Sequence[Order], now: float) -> Order | None:
    """The last order worth a line: one whose command has not answered yet, or one that ended a moment ago.

    A study that runs is told by its own row; its order says no more once the ledger has it.
    """
    for order in reversed(orders):
        runs = order.stage is Stage.ACKNOWLEDGED and order.verb in RUNS
        if not runs and (not order.ended or now - order.since[order.stage] < TOLD_SECONDS):
            return order
    return None


def send(verb: str, study: str, words: Sequence[str], now: float) -> Order:
    """Start a command as a process of its own, whose output goes to a log file; ConfigError when it can't be."""
    folder = Path(platformdirs.user_log_dir("arena-autoresearch"))
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    name = re.sub(r"[^\w.-]+", "-", "-".join(filter(None, (stamp, verb, study))))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = next(path for n in range(1000) if not (path := folder / f"{name}{f'-{n}' * bool(n)}.log").exists())
        with log.open("xb") as file:
            process = subprocess.Popen(
                arguments(words), stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )
    except OSError as wrong:
        raise ConfigError(f"`autoresearch` can't be started: {wrong}", f"is {folder} writable?") from wrong
    return Order(verb, study, tuple(words), process, log, {Stage.REQUESTED: now})
