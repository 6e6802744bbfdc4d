"""The standard streams of a command, where the shell has closed one, or nothing more can be written to it."""

import os
import sys
from io import TextIOWrapper

from bench.errors import ConfigError


def settle() -> None:
    """Give a closed stdin, stdout or stderr the null device, and let stdout write what its encoding has no sign for.

    Python has None in its place, which can't be asked for anything, and the next file that is opened, a ledger, would
    get the stream's number.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115 - for as long as the process lives
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):
        # a study may have any name, and a terminal any encoding; stderr is like this by itself
        sys.stdout.reconfigure(errors="backslashreplace")


def drop_stdout() -> None:
    """What is still to be written goes nowhere: the interpreter would try once more at its end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_out(text: str) -> None:
    """Raises ConfigError where stdout takes no more, as on a full disk; BrokenPipeError once its reader is gone."""
    try:
        # flushed, so that it is said here and not at the interpreter's end
        print(text, flush=True)  # noqa: T201 - stdout is our output
    except BrokenPipeError:
        raise
    except OSError as wrong:
        drop_stdout()
        raise ConfigError(
            f"stdout can't be written: {wrong.strerror}", "free some space, or print elsewhere"
        ) from wrong
