"""What is laid over a page: help, palette, and only one dialog at a time."""

from pathlib import Path
from typing import Any

import pytest
from on_screen import type_

from arena_tui.keys import CHANGES, DETAIL, GLOBAL, LEADERBOARD, LISTS, ORDER, PLOT
from arena_tui.screens.help import HelpScreen, help_text
from arena_tui.widgets.status import TABS


async def test_help_lists_every_key_and_any_way_out_goes_back(store: Path, alive: None, opened: Any) -> None:
    text = help_text().plain
    for key in (*GLOBAL, *LISTS, *PLOT, *DETAIL, *LEADERBOARD, *CHANGES, *ORDER):
        assert key.help in text
    async with opened() as (app, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("q")
        await pilot.pause()
        assert app.screen.TAB == "live"


@pytest.mark.parametrize("width", [60, 72, 94])
def test_a_long_line_of_the_help_goes_on_under_its_first_word(width: int) -> None:
    lines = help_text(width=width).plain.splitlines()
    keys = lines[: lines.index("after :")]
    assert max(map(len, keys)) <= max(width, 66)
    assert any(line.startswith(" " * 16) for line in keys)
    assert "this page" in help_text().plain


async def test_no_dialog_opens_over_another(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("question_mark", "ctrl+p", "colon", "3", "T")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        assert (app.current_mode, app.theme) == ("live", "textual-dark")
        await pilot.press("escape", "3")
        await pilot.pause()
        assert app.current_mode == "trials"


async def test_every_bound_key_of_every_screen_is_in_the_help(store: Path, alive: None, opened: Any) -> None:
    from arena_tui.screens.help import SECTIONS

    told = {name for _, keys in SECTIONS for key in keys for name in key.key.split(",")}
    async with opened() as (app, pilot):
        for mode, _, _ in TABS:
            await pilot.press(mode)
            await pilot.pause()
            own = [
                binding.key
                for cls in type(app.screen).__mro__
                if cls.__module__.startswith("arena_tui")
                for binding in cls.__dict__.get("BINDINGS", ())
            ]
            assert {name for keys in own for name in keys.split(",")} <= told


async def test_the_palette_finds_pages_studies_and_trials(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("ctrl+p")
        await type_(pilot, "study toy")
        for _ in range(100):
            await pilot.pause(0.02)
            if app.screen.query("CommandList Option, CommandList").first().option_count:
                break
        await pilot.press("enter")
        await pilot.pause()
        assert app.study is not None
        assert app.study.name == "toy-1"
