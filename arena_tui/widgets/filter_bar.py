"""The line where a filter is typed, and what came of it."""

from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from arena_tui.widgets.lines import Lines


class FilterInput(Input):
    """Escape belongs to the bar: it clears the filter before it does anything else."""

    @dataclass
    class Left(Message):
        keep: bool

    async def _on_key(self, event: events.Key) -> None:
        if event.key in ("escape", "enter", "down"):
            event.stop()
            event.prevent_default()
            self.post_message(self.Left(keep=event.key != "escape"))
            return
        await super()._on_key(event)


class FilterBar(Horizontal):
    DEFAULT_CSS = """
    FilterBar { dock: bottom; height: 1; width: 1fr; display: none; background: $surface; }
    FilterBar.-open { display: block; }
    FilterBar > #filter-sign { width: 3; padding: 0 1; }
    FilterBar > FilterInput { border: none; height: 1; padding: 0; width: 1fr; background: $boost; }
    FilterBar > #filter-said { width: auto; max-width: 60%; padding: 0 1; }
    """

    def open(self) -> None:
        self.add_class("-open")
        field = self.query_one(FilterInput)
        field.disabled = False
        # at once and not when the queue is empty: the next key may be waiting in it
        self.screen.set_focus(field)

    def close(self) -> None:
        self.remove_class("-open")
        self.query_one(FilterInput).disabled = True

    def compose(self) -> ComposeResult:
        yield Lines(id="filter-sign")
        field = FilterInput(placeholder="words  !not  a|b  state:failed  lr>=1e-3", id="filter-input")
        field.cursor_blink = False
        field.disabled = True  # until it is open: a hidden field must not be given the focus
        yield field
        yield Lines(id="filter-said")
