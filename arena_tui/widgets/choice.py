"""One of a few values, changed by keys: a line of a form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Choice(Widget, can_focus=True):
    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; }
    Choice:focus { background: $boost; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,space", "turn(1)", show=False),
        Binding("left,h", "turn(-1)", show=False),
    ]
    value: reactive[str] = reactive("")

    @dataclass
    class Changed(Message):
        choice: "Choice"
        value: str

    def __init__(self, options: Sequence[str], value: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.options = tuple(options)
        self.set_reactive(Choice.value, value)

    def render(self) -> RenderResult:
        return Text(f"< {self.value} >", no_wrap=True)

    def action_turn(self, step: int) -> None:
        at = self.options.index(self.value) if self.value in self.options else 0
        self.value = self.options[(at + step) % len(self.options)]
        self.post_message(self.Changed(self, self.value))

    def on_click(self, _: events.Click) -> None:
        self.action_turn(1)
