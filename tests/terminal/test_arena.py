"""The installed `arena` as a person meets it: first paint, keys, resize, quit, a terminal as it was before."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_store import Fate, begin, key_of, propose, spec_of

from bench.records import Point
from studies.ownership import this_process
from studies.store import Store

pytestmark = pytest.mark.terminal

ARENA = Path(sys.executable).with_name("arena")
Open = Callable[..., Any]
ALTERNATE_ON, ALTERNATE_OFF, CURSOR_ON = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h"


def test_a_session_from_first_paint_to_quit(terminal: Open, store: Path) -> None:
    arena = terminal("--store", str(store))
    arena.sees("1Live", "2Standings", "optimizer-1", "muon  beta1=0.9 lr=0.04", "train_loss")
    arena.send("3")
    arena.sees("9 of 9 trials", "diverged")
    arena.send("/sophia\r")
    arena.sees("2 of 9 trials  outcomes: all (o)  order: number (s)  filter: sophia")
    arena.send("\r")
    arena.sees("DIVERGED at step 90 of 500")
    arena.send("\x1b")
    arena.sees("filter: sophia")
    arena.resize(160, 48)
    arena.sees("why it ended so")
    arena.resize(52, 14)
    arena.sees("arena needs 60x16, this is 52x14 (q quits)")
    arena.resize(80, 24)
    arena.sees("filter: sophia")
    arena.send("q")
    assert arena.ends() == 0
    assert arena.raw.count(ALTERNATE_ON) == arena.raw.count(ALTERNATE_OFF) == 1
    assert CURSOR_ON in arena.raw.partition(ALTERNATE_OFF)[0] + arena.raw.partition(ALTERNATE_OFF)[2]


def test_it_follows_a_study_of_another_process(terminal: Open, store: Path) -> None:
    writer, spec = Store(store), spec_of("now-1")
    begin(writer, spec, this_process())
    arena = terminal("--store", str(store))
    arena.sees("now-1", "no trial yet", "LIVE")
    fate = Fate("lion", 1.1e-3, None)
    writer.propose(spec.name, propose(writer, spec, 0, fate))
    run_id, _ = writer.start(spec.name, 0, key_of(spec), {})
    writer.add_points(run_id, [Point(10, 4.0, 4.5), Point(20, 8.0, 3.9)])
    arena.sees("20/500 running", "3.9000")
    writer.release(spec.name, "stopped by ctrl-c")
    arena.sees("stopped", "interrupted 1")
    writer.close()
    arena.send("\x03")
    assert arena.ends() == 0


def test_without_colour_it_is_readable(terminal: Open, store: Path) -> None:
    arena = terminal("--store", str(store), NO_COLOR="1")
    arena.sees("#8 muon", "running 1", "STALE")
    coloured = {
        char.fg
        for line in arena.screen.buffer.values()
        for char in line.values()
        if char.fg not in ("default", "") and len(set(bytes.fromhex(char.fg) if len(char.fg) == 6 else b"")) > 1
    }
    assert not coloured
    arena.send("q")
    assert arena.ends() == 0


def test_quitting_before_the_data_came_leaves_nothing_behind(terminal: Open, store: Path) -> None:
    arena = terminal("--store", str(store))
    arena.sees("1Live")
    arena.send("q")
    assert arena.ends() == 0


def test_a_redirected_stderr_is_refused_with_the_reason(terminal: Open, store: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    arena = terminal(command=f"'{ARENA}' --store '{store}' 2> '{log}'")
    assert arena.ends() == 2
    assert log.read_text().splitlines() == [
        "error: the screen needs stdin and stderr on the terminal, and one of them is redirected",
        "hint: drop the redirection, or print the board with `arena standings`",
    ]


def test_into_a_pipe_it_prints_the_board(store: Path) -> None:
    done = subprocess.run([ARENA, "--store", str(store)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "optimizer: Which update rule learns most in 500 steps?" in done.stdout
