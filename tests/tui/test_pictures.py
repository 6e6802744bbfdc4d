"""What the main screens look like, at both sizes that matter."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from arena_tui.app import ArenaApp


@pytest.fixture
def picture(snap_compare: Any, now: Callable[[], float], settled: Callable[[Any], Awaitable[None]]) -> Any:
    def compare(size: tuple[int, int], *keys: str) -> bool:
        async def before(pilot: Any) -> None:
            await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            await settled(pilot)

        same: bool = snap_compare(ArenaApp(clock=now), terminal_size=size, run_before=before)
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
