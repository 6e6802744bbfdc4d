"""Studies: which one every page shows, and how to go on with it."""

from pathlib import Path
from typing import Any

from on_screen import listed, words

from arena_tui.screens.studies import COLUMNS, WIDE_COLUMNS
from arena_tui.widgets.status import Status
from arena_tui.widgets.table import VirtualTable, column_widths


async def test_the_cursor_begins_on_the_study_that_is_shown(store: Path, alive: None, opened: Any) -> None:
    async with opened(study="toy-1") as (app, pilot):
        await pilot.press("4")
        await pilot.pause()
        table = app.screen.query_one(VirtualTable)
        assert table.cursor_key == "toy-1"
        # once: then it is the user's
        await pilot.press("k", "1", "4")
        await pilot.pause()
        assert table.cursor_key == "optimizer-1"


def test_a_studys_name_has_the_widest_column() -> None:
    for columns, width in ((COLUMNS, 78), (WIDE_COLUMNS, 158)):
        widths = dict(zip((column.key for column in columns), column_widths(columns, width), strict=True))
        assert widths["study"] >= len("measured-belts-optimizer-adamw")


async def test_studies_choose_what_every_screen_shows(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("4")
        await pilot.pause()
        assert listed(app) == ["optimizer-1", "toy-1"]
        await pilot.press("j")
        await pilot.pause()
        assert "autoresearch resume toy-1" in words(app, "#study")
        await pilot.press("enter")
        await pilot.pause()
        assert app.current_mode == "trials"
        assert listed(app) == ["0", "1", "2"]
        for mode in "1234":
            await pilot.press(mode)
            await pilot.pause()
            assert "toystories" in app.screen.query_one(Status).facts.corpus
