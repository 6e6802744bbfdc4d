"""How the screen calls `autoresearch`: a process of its own, by the command line that a person would type."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

# Behind everything else on the machine: what is only looked at must not slow what is being measured.
POLITE = 10


class UnknownFormatError(Exception):
    """What a command told is not what this program reads."""


@dataclass(frozen=True)
class Answer:
    """What a command said: its exit code, its stdout, and of its stderr the `error:` and `hint:` lines."""

    code: int
    out: str
    problem: str = ""
    hint: str = ""
    said: str = ""  # the rest of stderr


def command_line(words: Sequence[str]) -> str:
    """As it is typed into a shell."""
    return shlex.join(["autoresearch", *words])


def arguments(words: Sequence[str]) -> list[str]:
    """As it is run: this program's own interpreter, whatever PATH says."""
    return [sys.executable, "-m", "autoresearch.cli", *words]


def ask(words: Sequence[str], begun: Callable[[subprocess.Popen[str]], object]) -> Answer:
    """Run a command that only looks, and wait for it; `begun` is given the process, so that it can be ended early."""
    process = subprocess.Popen(
        arguments(words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    with suppress(OSError):
        # it may have ended already, or this may be no POSIX
        os.setpriority(os.PRIO_PROCESS, process.pid, POLITE)
    begun(process)
    out, said = process.communicate()
    return answered(process.returncode, out, said)


def answered(code: int, out: str, said: str) -> Answer:
    """An answer from what a command printed; without an error line the last line of stderr stands for one."""
    lines = [line for line in said.splitlines() if line.strip()]
    problem = next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), "")
    hint = next((line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")), "")
    if code and not problem:
        problem = lines[-1] if lines else f"it ended with exit code {code} and said nothing"
    rest = "\n".join(line for line in lines if not line.startswith(("error: ", "hint: ")))
    return Answer(code, out, problem, hint, rest)
