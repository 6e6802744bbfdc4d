"""The help page, made from the same tables that dispatch the keys."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from arena_tui.keys import CHANGES, DETAIL, GLOBAL, LEADERBOARD, LISTS, ORDER, PLOT, Key
from arena_tui.typed import COMMANDS
from arena_tui.widgets.curve_plot import CurvePlot
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.table import VirtualTable

# What is printed on the key, where Textual has a name for it.
PRINTED = {
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "comma": ",",
    "full_stop": ".",
    "left": "left",
    "question_mark": "?",
    "escape": "esc",
}
FILTERS = (
    ("lion muon", "both words"),
    ("!lion", "without the word"),
    ("lion | muon", "either"),
    ("state:failed", "a field: state, reason, proposer, rule, message or a slot"),
    ("lr>=1e-3", "a knob, or val_loss, seconds, bytes, parameters, step, seed, trial"),
)


def of_widget(bound: Iterable[BindingType]) -> Iterator[Key]:
    """A widget's own keys in our form."""
    for binding in bound:
        if isinstance(binding, Binding):
            keys = [PRINTED.get(key, key).replace("ctrl+", "^") for key in binding.key.split(",")]
            yield Key(
                binding.key, binding.action, (binding.tooltip or binding.description).lower(), shown=" ".join(keys)
            )


CHANGING = "what changes something"
SECTIONS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    ("everywhere", GLOBAL),
    ("lists", (*of_widget(VirtualTable.BINDINGS), *LISTS)),
    ("curves", (*PLOT, *of_widget(CurvePlot.BINDINGS))),
    ("a trial's page", DETAIL),
    ("the leaderboard", LEADERBOARD),
    (CHANGING, CHANGES),
    ("a dialog that changes something", ORDER),
)


def help_text(readonly: bool = False, width: int = 200) -> Text:
    """Lines of at most `width` cells; what goes on does so under its own first word."""
    text = Text()

    def line(name: str, said: str, style: str = "", names: int = 14) -> None:
        text.append(f"  {name:<{names}}", "bold dim")
        told = textwrap.wrap(said, max(20, width - names - 2))
        text.append(("\n" + " " * (names + 2)).join(told) + "\n", style)

    for title, keys in SECTIONS:
        off = readonly and title == CHANGING
        text.append(f"{title}{', off: this is --readonly' * off}\n", "bold")
        for key in keys:
            line(key.written, key.help, "dim strike" if off else "")
        text.append("\n")
    text.append("filter language\n", "bold")
    for example, meaning in FILTERS:
        line(example, meaning)
    text.append("\nafter :\n", "bold")
    for command in COMMANDS:
        line(command.usage, command.help, names=34)
    text.append(
        "\nThe screen itself only reads: what changes something runs `autoresearch`, and shows the command.", "dim"
    )
    return text


class HelpScreen(ModalScreen[None]):
    """Over any screen; any way out goes back to it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen VerticalScroll {
        width: 100; max-width: 100%; height: 90%; padding: 0 1; scrollbar-size-vertical: 1;
        background: $surface; border: round $primary;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", show=False),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
    ]

    def __init__(self, readonly: bool) -> None:
        super().__init__()
        self._readonly = readonly

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Lines(id="help")

    def on_lines_widened(self) -> None:
        lines = self.query_one("#help", Lines)
        lines.show(help_text(self._readonly, lines.content_size.width))

    def action_scroll(self, step: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=step, animate=False)
