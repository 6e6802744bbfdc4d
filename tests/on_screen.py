"""What a test reads off the app, and typing into it."""

from typing import Any

from arena_tui.app import ArenaApp
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.table import VirtualTable


def words(app: ArenaApp, selector: str) -> str:
    """The text of one block on the page shown."""
    return app.screen.query_one(selector, Lines).shown.plain


def listed(app: ArenaApp) -> list[str]:
    """The keys of the rows of the list shown."""
    table = app.screen.query_one(VirtualTable)
    return [row.key for row in table._rows]


async def type_(pilot: Any, text: str) -> None:
    for char in text:
        await pilot.press({" ": "space"}.get(char, char))
