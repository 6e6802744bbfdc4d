"""Keys and sizes at random over a ledger that is being written: whatever comes, no exception and no stuck screen."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arena_tui.app import ArenaApp
from arena_tui.keys import DETAIL, GLOBAL, LISTS, PLOT
from arena_tui.widgets.curve_keys import SteeredPlot
from arena_tui.widgets.table import VirtualTable

SIZES = [(80, 24), (160, 48), (60, 16), (59, 12), (120, 34), (81, 25), (200, 60), (20, 5)]
LINES = ["study toy", "trial 5", "filter muon", "filter", "mark 0 1 5", "pin baseline", "zoom 10 90", "sort cost"]
LEAVING = {"q", "ctrl+c"}


def every_key() -> list[str]:
    """What any page binds, without the keys that leave."""
    own = [key.key for table in (GLOBAL, LISTS, PLOT, DETAIL) for key in table]
    widgets = [binding.key for bound in (SteeredPlot, VirtualTable) for binding in bound.BINDINGS]  # type: ignore[union-attr]
    names = {name for keys in [*own, *widgets] for name in keys.split(",")}
    return sorted((names | {"enter", "tab", "backspace", "a", "colon"}) - LEAVING)


@contextmanager
def being_written(path: Path) -> Iterator[None]:
    """A study in this store that another process adds trial after trial to."""
    writer = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("storm_writer.py")), str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    try:
        yield
        assert writer.poll() is None, "the writer must not suffer from being watched"
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()


def storm(chance: random.Random, keys: list[str]) -> list[str]:
    """A few keys, or now and then a line typed after `:`."""
    if chance.random() < 0.1:
        return ["colon", *("space" if char == " " else char for char in chance.choice(LINES)), "enter"]
    return chance.choices(keys, k=4)


@pytest.mark.parametrize("seconds", [3.0, pytest.param(20.0, marks=pytest.mark.slow)])
async def test_a_storm_of_keys_and_resizes_leaves_a_screen_that_works(
    seconds: float,
    store: Path,
    alive: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("arena_tui.feed.QUICK_SECONDS", 0.25)
    chance, keys = random.Random(6), every_key()
    app = ArenaApp()
    # the palette offers to quit, and sooner or later chance takes it
    monkeypatch.setattr(app, "exit", lambda *_, **__: None)
    with being_written(store):
        async with app.run_test(size=(80, 24)) as pilot:
            while not (app.ready and app.mirror.loaded and app.shown()):
                await pilot.pause(0.05)
            end, n = time.monotonic() + seconds, 0
            while time.monotonic() < end:
                assert app.is_running
                # posted and not waited for: keys of a person in a hurry queue up behind one another as well
                for key in storm(chance, keys):
                    app.simulate_key(key)
                    n += 1
                if chance.random() < 0.2:
                    await pilot.resize_terminal(*chance.choice(SIZES))
                await pilot.pause(0.01)
            assert n >= 4
            assert "storm-1" in app.mirror.studies
            await pilot.resize_terminal(80, 24)
            # out of whatever is open, without leaving
            for _ in range(8):
                await pilot.press("escape")
            await pilot.press("3")
            await pilot.pause()
            assert app.is_running
            assert app.current_mode == "trials"
