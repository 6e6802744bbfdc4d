"""The last line: the few keys that matter most here, as many as fit."""

from collections.abc import Sequence

from rich.text import Text
from textual.app import RenderResult
from textual.widget import Widget

from arena_tui.keys import Key


def key_line(keys: Sequence[Key], width: int) -> Text:
    """Keys in order of use; what does not fit is left to the help, never cut in the middle."""
    text = Text(no_wrap=True, end="")
    for key in keys:
        if text.cell_len + len(key.written) + len(key.footer) + 4 > width:
            break
        text.append(f" {key.written}", "bold")
        text.append(f" {key.footer} ", "dim")
    return text


class KeyLine(Widget):
    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; width: 1fr; background: $panel; }
    """

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__()
        self._keys = keys

    def render(self) -> RenderResult:
        return key_line(self._keys, self.size.width)
