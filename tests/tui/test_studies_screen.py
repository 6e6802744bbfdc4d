"""Studies: which one every page shows, and how to go on with it."""

from pathlib import Path
from typing import Any

from on_screen import listed, words

from arena_tui.widgets.status import Status


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
