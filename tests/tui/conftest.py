"""A ledger with every outcome, a clock that stands still, and the app over both."""

import importlib.util
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

# test folders are no packages: the builder is loaded once, by its place
_place = Path(__file__).with_name("sample_store.py")
_spec = importlib.util.spec_from_file_location("sample_store", _place)
assert _spec is not None, _place
assert _spec.loader is not None, _place
sample_store = sys.modules["sample_store"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sample_store)

from studies.ownership import Owner  # noqa: E402
from studies.views import StudyView  # noqa: E402


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def _no_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ships changes with each release; tests that want it say so."""
    monkeypatch.setattr("arena_tui.sources.shipped_path", lambda: None)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polls and frames follow one another at once: tests wait for what they show, not for the clock."""
    monkeypatch.setattr("arena_tui.feed.QUICK_SECONDS", 0.01)
    # a key that a test presses waits twice until nothing has happened for so long, and no less than a frame
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", 0.003)
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.005)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", 0.005 / 20)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The ledger and the time at which it was left."""
    path = tmp_path_factory.mktemp("ledger") / "arena.db"
    return path, sample_store.build(path).now


@pytest.fixture
def store(sample: tuple[Path, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of its own, as the user's default store."""
    path = tmp_path / "arena.db"
    shutil.copy(sample[0], path)
    monkeypatch.setenv("ARENA_STORE", str(path))
    return path


@pytest.fixture(scope="session")
def confirmed(sample: tuple[Path, float], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with seeds, phases and a verdict."""
    path = tmp_path_factory.mktemp("confirmed") / "arena.db"
    shutil.copy(sample[0], path)
    sample_store.confirm(path, sample_store.Clock(sample[1]))
    return path


@pytest.fixture
def judged(confirmed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its copy, as the user's default store."""
    path = tmp_path / "judged.db"
    shutil.copy(confirmed, path)
    monkeypatch.setenv("ARENA_STORE", str(path))
    return path


@pytest.fixture
def opened(now: Callable[[], float], settled: Callable[[Any], Awaitable[None]]) -> Any:
    """The app over the default store, once it shows data."""

    @asynccontextmanager
    async def open_(size: tuple[int, int] = (80, 24), **options: Any) -> AsyncIterator[tuple[Any, Any]]:
        from arena_tui.app import ArenaApp

        app = ArenaApp(clock=now, **options)
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            yield app, pilot

    return open_


@pytest.fixture
def no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "none" / "arena.db"
    monkeypatch.setenv("ARENA_STORE", str(path))
    return path


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every coordinator that claims a study lives."""

    def living(study: StudyView) -> Owner | None:
        return Owner(study.owner_pid, 0.0, "lab") if study.owner_pid else None

    monkeypatch.setattr("studies.ownership.living_owner", living)


@pytest.fixture
def now(sample: tuple[Path, float]) -> Callable[[], float]:
    return lambda: sample[1] + 1


@pytest.fixture
def settled() -> Callable[[Any], Awaitable[None]]:
    """Waits until the app shows data and has read all curves that it wants."""

    async def wait(pilot: Any) -> None:
        calm = 0
        for _ in range(600):
            await pilot.pause(0.02)
            app = pilot.app
            done = app.ready and app.mirror.loaded and app.feed.idle and app.shown() is not None
            # twice in a row: what a redraw asks for may only be on its way
            calm = calm + 1 if done else 0
            if calm == 2:
                await pilot.pause()
                return
        raise AssertionError("no data after 12 s")

    return wait


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits for a condition that another thread brings about."""

    def wait(holds: Callable[[], bool], seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it never came true"
            time.sleep(0.005)

    return wait
