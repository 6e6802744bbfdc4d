"""The frame that is on screen before anything else has been imported."""

from textual.app import ComposeResult
from textual.screen import Screen

from arena_tui.keys import GLOBAL, picked
from arena_tui.widgets.key_line import KeyLine
from arena_tui.widgets.status import Status, StatusFacts


class FrameScreen(Screen[None]):
    """Looks like the screen that replaces it, without the data."""

    def compose(self) -> ComposeResult:
        yield Status(StatusFacts(status="reading", status_style="dim", tab="live"))
        yield KeyLine(picked(GLOBAL, "help", "quit"))
