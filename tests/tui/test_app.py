"""The app as a whole: its pages, what its header says, what it says when there is nothing to show, and leaving."""

from pathlib import Path
from typing import Any

import pytest

from arena_tui.keys import GLOBAL, LISTS
from arena_tui.widgets.key_line import key_line
from arena_tui.widgets.status import TABS, Status, StatusFacts, second_line
from arena_tui.widgets.table import VirtualTable


async def test_the_number_keys_open_the_modes(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        for key, _, mode in (*TABS[1:], TABS[0]):
            await pilot.press(key)
            await pilot.pause()
            assert app.current_mode == mode
            assert mode == app.screen.TAB


async def test_the_header_counts_and_says_live(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, _):
        facts = app.screen.query_one(Status).facts
        assert facts.counts == "running 1  ok 5  failed 2  refused 1"
        assert facts.status == "LIVE"
        assert facts.path == ("optimizer-1",)


async def test_a_dead_coordinator_shows_stale(store: Path, monkeypatch: pytest.MonkeyPatch, opened: Any) -> None:
    monkeypatch.setattr("studies.ownership.living_owner", lambda study: None)
    async with opened() as (app, _):
        assert app.screen.query_one(Status).facts.status.startswith("STALE")
        assert str(app.screen.query_one(VirtualTable)._rows[0].cells[-1]) == "STALE"


async def test_freeze_stops_the_feed_and_starts_it_again(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("z")
        assert app.screen.query_one(Status).facts.status == "FROZEN (z)"
        assert app.feed._paused
        await pilot.press("z")
        assert not app.feed._paused


async def test_without_a_store_it_says_what_to_type(no_store: Path, opened: Any) -> None:
    async with opened() as (app, pilot):
        for mode in "1234":
            await pilot.press(mode)
            await pilot.pause()
            empty = app.screen.query_one(VirtualTable).empty_text
            assert "autoresearch --division optimizer --trials 5 --steps 100" in empty


async def test_a_store_that_is_no_database_is_said_in_the_header(store: Path, opened: Any) -> None:
    store.write_text("no database, and long enough to be read")
    async with opened() as (app, _):
        facts = app.screen.query_one(Status).facts
        assert facts.status == "ERROR"
        assert "it is not a database" in facts.notice
        assert "name another file with --store" in facts.notice


async def test_an_unknown_study_is_said_and_the_known_are_listed(store: Path, alive: None, opened: Any) -> None:
    async with opened(study="nope") as (app, _):
        notice = app.screen.query_one(Status).facts.notice
        assert "there is no study named nope yet (the studies are optimizer-1, toy-1)" in notice


@pytest.mark.parametrize("device", ["cpu/x86_64-avx2", "cuda/nvidia-h100-x8"])
def test_what_is_shipped_is_said_in_one_line_of_eighty_columns(device: str) -> None:
    assert len(f" measured by the project on {device}; the text itself is not shipped") <= 80


async def test_a_long_notice_goes_on_under_itself(store: Path, opened: Any) -> None:
    store.write_text("no database, and long enough to be read")
    async with opened() as (app, _):
        _, _, *notice = app.screen.query_one(Status).render().plain.splitlines()
        assert len(notice) > 1
        assert all(line.startswith(" ") and len(line) <= 80 for line in notice)


async def test_shipped_studies_are_labelled(
    sample: tuple[Path, float], store: Path, no_store: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    connection = sqlite3.connect(store)
    connection.execute("UPDATE study SET shipped = 1, owner_pid = NULL")
    connection.commit()
    connection.close()
    monkeypatch.setattr("arena_tui.sources.shipped_path", lambda: store)
    async with opened() as (app, _):
        notice = app.screen.query_one(Status).facts.notice
        assert notice == "measured by the project on cpu; the text itself is not shipped"


@pytest.mark.parametrize("size", [(59, 24), (80, 15)])
async def test_below_the_least_size_one_line_and_no_keys(
    size: tuple[int, int], store: Path, alive: None, opened: Any
) -> None:
    async with opened() as (app, pilot):
        await pilot.resize_terminal(*size)
        await pilot.pause()
        await pilot.press("3", "slash", "z")
        await pilot.pause()
        assert app.current_mode == "live"
        assert not app.frozen
        assert not app.screen.query_one(VirtualTable).region
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        await pilot.press("j")
        assert app.screen.query_one(VirtualTable).cursor_key == "5"


async def test_q_quits(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_an_unfocused_terminal_is_read_once_a_second(store: Path, alive: None, opened: Any) -> None:
    from textual import events

    async with opened() as (app, pilot):
        app.post_message(events.AppBlur())
        await pilot.pause()
        assert app.feed._slow
        app.post_message(events.AppFocus())
        await pilot.pause()
        assert not app.feed._slow


def test_the_key_line_never_cuts_a_key() -> None:
    line = key_line([*GLOBAL, *LISTS], 20).plain
    assert len(line) <= 20
    assert not line.rstrip().endswith("qui")


@pytest.mark.parametrize("width", [60, 80, 110, 160])
def test_the_corpus_is_named_however_many_pages_there_are(width: int) -> None:
    for _, name, mode in TABS:
        line = second_line(StatusFacts(tab=mode, corpus="toystories 70750001"), width).plain
        assert len(line) <= width
        assert "toystories" in line
        assert name in line
