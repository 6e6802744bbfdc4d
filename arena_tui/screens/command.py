"""The line after `:`, over any page; what is half typed shows what it may become."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from arena_tui.typed import COMMANDS, matching
from arena_tui.widgets.lines import Lines


class CommandScreen(ModalScreen[str]):
    """Dismissed with the line that was typed; one that could not be obeyed comes back with the reason."""

    DEFAULT_CSS = """
    CommandScreen { align: left bottom; }
    CommandScreen > Vertical { height: auto; dock: bottom; background: $panel; }
    CommandScreen Horizontal { height: 1; }
    CommandScreen #command-sign { width: 3; padding: 0 1; }
    CommandScreen #command-said { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    CommandScreen Input, CommandScreen Input:focus {
        border: none; height: 1; padding: 0; width: 1fr; background: $boost;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("tab", "complete", show=False, priority=True),
    ]

    def __init__(self, line: str = "", wrong: str = "") -> None:
        super().__init__()
        self._line, self._wrong = line, wrong

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Lines(id="command-said")
            with Horizontal():
                yield Lines(id="command-sign")
                field = Input(self._line, id="command-input")
                field.cursor_blink = False
                yield field

    def on_mount(self) -> None:
        self.query_one("#command-sign", Lines).show(Text(":", "bold"))
        self._say(self._line)

    def _say(self, line: str) -> None:
        if self._wrong and line == self._line:
            self.query_one("#command-said", Lines).show(Text(self._wrong, "yellow"))
            return
        meant = matching(line)
        if len(meant) == 1:
            said = Text.assemble((meant[0].usage, "bold"), "  ", (meant[0].help, "dim"))
        else:
            said = Text("  ".join(command.word for command in meant or COMMANDS), "dim")
        self.query_one("#command-said", Lines).show(said)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._say(event.value)

    def action_complete(self) -> None:
        field = self.query_one(Input)
        meant = matching(field.value)
        if len(meant) == 1 and " " not in field.value:
            field.value = meant[0].word + " "
            field.cursor_position = len(field.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
