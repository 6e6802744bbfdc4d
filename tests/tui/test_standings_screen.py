"""Standings: a board a division and identity, and the trial behind a fighter."""

from pathlib import Path
from typing import Any

import pytest
from on_screen import listed, words

from arena_tui.screens.standings import StandingsScreen
from arena_tui.standing_rows import COLUMNS, WIDE_COLUMNS
from arena_tui.widgets.table import Column, column_widths


async def test_standings_go_through_divisions_and_boards(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        unscored = ["optimizer-1/3", "optimizer-1/4", "optimizer-1/7"]
        assert listed(app) == ["muon", "lion", "adamw", "reference 500", *unscored]
        await pilot.press("o")
        await pilot.pause()
        assert listed(app) == ["muon", "lion", "adamw"]
        assert "tinystories 9f3c1a2b  500 steps" in words(app, "#divisions")
        assert "3 of 9 trials without a score:  diverged 1  out of time 1  refused 1" in words(app, "#notes")
        assert "1.4352 @500  1.3745 @800  published, unknown split: reference only" in words(app, "#notes")
        assert "below 3 seeds a score is unconfirmed" in words(app, "#notes")
        await pilot.press("b")
        await pilot.pause()
        assert listed(app) == ["muon", "adamw"]
        assert "toystories 70750001" in words(app, "#divisions")
        await pilot.press("l", "l", "l")
        await pilot.pause()
        assert isinstance(app.screen, StandingsScreen)
        assert app.screen.shown_division() == "community"
        assert "What can a mixer of your own do?" in words(app, "#notes")


@pytest.mark.parametrize("columns", [COLUMNS, WIDE_COLUMNS])
def test_a_fighters_name_has_the_widest_column(columns: tuple[Column, ...]) -> None:
    # a preview takes 46 of the 160
    widths = column_widths(columns, 78 if columns is COLUMNS else 112)
    assert widths[1] == max(widths)
    assert widths[1] >= len("muon+polar_express")


async def test_enter_in_standings_opens_the_fighters_trial(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("2", "j", "enter")
        await pilot.pause()
        assert app.screen.path() == ("optimizer-1", "trial 2")
