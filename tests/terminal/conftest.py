"""The installed `arena` in a pseudo terminal, read through a terminal emulator."""

import fcntl
import importlib.util
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest

_place = Path(__file__).parents[1] / "tui" / "sample_store.py"
_spec = importlib.util.spec_from_file_location("sample_store", _place)
assert _spec is not None, _place
assert _spec.loader is not None, _place
if "sample_store" not in sys.modules:
    sys.modules["sample_store"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["sample_store"])

ARENA = Path(sys.executable).with_name("arena")
PATIENCE = 90.0  # a machine under full load is slow, and waiting longer than needed costs nothing


class Terminal:
    """One process behind a pty; what it has drawn is in `screen`."""

    def __init__(self, arguments: list[str], size: tuple[int, int], environment: dict[str, str]) -> None:
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.exit_code: int | None = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # a size that the test's own surroundings state would win over the one this terminal has
            inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            os.execve(arguments[0], arguments, inherited | environment)
        self.resize(*size)

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(lines, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def send(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def until(self, holds: Callable[[str], bool], what: str) -> None:
        """Read what it draws until the screen's text fulfils a condition."""
        end = time.monotonic() + PATIENCE
        while not holds(self.text):
            assert time.monotonic() < end, f"never saw {what}:\n{self.text}"
            assert self._read(), f"it ended before {what}:\n{self.text}"

    def sees(self, *parts: str) -> None:
        self.until(lambda text: all(part in text for part in parts), " and ".join(parts))

    def ends(self) -> int:
        end = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < end, f"it never ended:\n{self.text}"
        self.exit_code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.exit_code

    def _read(self) -> bool:
        """Take in what is there; False once the other side has gone."""
        if select.select([self.fd], [], [], 0.1)[0]:
            try:
                got = os.read(self.fd, 65536)
            except OSError:
                return False
            if not got:
                return False
            self.raw += got
            self._stream.feed(got)
        return True

    def close(self) -> None:
        if self.exit_code is None:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "arena.db"
    sys.modules["sample_store"].build(path)
    return path


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    opened: list[Terminal] = []

    def open_(*arguments: str, command: str = "", size: tuple[int, int] = (80, 24), **environment: str) -> Terminal:
        started = ["/bin/sh", "-c", command] if command else [str(ARENA), *arguments]
        plain = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "XDG_CACHE_HOME": str(tmp_path)}
        # what an earlier session of anyone looked at would be shown again
        plain |= {"XDG_STATE_HOME": str(tmp_path / "state")} | environment
        opened.append(Terminal(started, size, plain))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()
