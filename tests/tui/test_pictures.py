"""What the main screens look like, at both sizes that matter."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from arena_tui.app import ArenaApp
from arena_tui.commands import Answer
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


@pytest.fixture
def commentary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some sections of a report on a shipped study, told at once."""
    told = Path(__file__).with_name("report.json").read_text()
    monkeypatch.setattr("arena_tui.screens.told.ask", lambda words, begun: Answer(0, told))


def test_research_narrow(store: Path, alive: None, commentary: None, picture: Any) -> None:
    assert picture((80, 24), "6", "l", "j")


def test_research_wide(store: Path, alive: None, commentary: None, picture: Any) -> None:
    assert picture((160, 48), "6", "h", *["j"] * 7)


def test_launch_narrow(store: Path, alive: None, picture: Any) -> None:
    assert picture((80, 24), "L")


def test_leaderboard_narrow(store: Path, alive: None, picture: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena_tui.leaderboard_fetch.cache_file", lambda: Path("/nowhere"))
    assert picture((80, 24), "8", "j", "j")


def test_claims_narrow(store: Path, alive: None, picture: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Path(__file__).with_name("claims.json").read_text()
    monkeypatch.setattr("arena_tui.screens.told.ask", lambda words, begun: Answer(0, told))
    assert picture((80, 24), "7", "j")
