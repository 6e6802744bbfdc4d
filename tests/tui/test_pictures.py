"""What the main screens look like, at both sizes that matter."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from arena_tui.app import ArenaApp
from arena_tui.memory import Memory


@pytest.fixture
def picture(snap_compare: Any, now: Callable[[], float], settled: Callable[[Any], Awaitable[None]]) -> Any:
    def compare(size: tuple[int, int], *keys: str, light: bool = False) -> bool:
        async def before(pilot: Any) -> None:
            await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            # over a dialog no page shows data
            if pilot.app.shown():
                await settled(pilot)

        memory = Memory(theme="textual-light" if light else "")
        same: bool = snap_compare(ArenaApp(clock=now, memory=memory), terminal_size=size, run_before=before)
        return same

    return compare


def test_live_narrow(store: Path, alive: None, picture: Any) -> None:
    assert picture((80, 24))


def test_live_wide(store: Path, alive: None, picture: Any) -> None:
    assert picture((160, 48))


def test_standings_narrow(store: Path, alive: None, picture: Any) -> None:
    assert picture((80, 24), "2")


def test_trials_wide(store: Path, alive: None, picture: Any) -> None:
    assert picture((160, 48), "3", "j", "j", "j")


def test_failed_trial_narrow(store: Path, alive: None, picture: Any) -> None:
    assert picture((80, 24), "3", "j", "j", "j", "enter")


def test_nothing_yet_narrow(no_store: Path, picture: Any) -> None:
    assert picture((80, 24))


def test_live_of_a_study_with_seeds_light(judged: Path, alive: None, picture: Any) -> None:
    assert picture((160, 48), light=True)


def test_standings_wide(judged: Path, alive: None, picture: Any) -> None:
    assert picture((160, 48), "2")


def test_trials_narrow_light(store: Path, alive: None, picture: Any) -> None:
    assert picture((80, 24), "3", light=True)


def test_studies_narrow(judged: Path, alive: None, picture: Any) -> None:
    assert picture((80, 24), "4")


def test_studies_wide_light(judged: Path, alive: None, picture: Any) -> None:
    assert picture((160, 48), "4", light=True)


def test_trial_wide(judged: Path, alive: None, picture: Any) -> None:
    assert picture((160, 48), "3", "j", "j", "j", "j", "j", "enter")


def test_compare_narrow_light(judged: Path, alive: None, picture: Any) -> None:
    assert picture((80, 24), "3", "space", "j", "j", "j", "j", "space", "v", light=True)


def test_compare_wide(judged: Path, alive: None, picture: Any) -> None:
    assert picture((160, 48), "3", "space", "space", "space", "j", "j", "space", "p", "v")


def test_a_typed_line_narrow(judged: Path, alive: None, picture: Any) -> None:
    assert picture((80, 24), "colon", "p", "i")
