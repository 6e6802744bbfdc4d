"""A screen around one list: filter, order, empty and no-match texts."""

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Input

from arena_tui.filters import Facts, FilterError, Test, compile_filter
from arena_tui.memory import Remembered
from arena_tui.screens.base import ArenaScreen
from arena_tui.widgets.filter_bar import FilterBar, FilterInput
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.table import VirtualTable

T = TypeVar("T")

NOTHING = "no studies yet: type  autoresearch --division optimizer --trials 5 --steps 100"


class ListScreen(ArenaScreen):
    """Knows how a list is narrowed; what the rows are is its children's business."""

    FIELDS: ClassVar[Sequence[str]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.filter_text = ""
        self._test: Test | None = None
        self._wrong = ""
        self._numbers: frozenset[str] = frozenset()
        self._seen = (0, 0)

    def compose_body(self) -> ComposeResult:
        yield from self.compose_list()
        yield FilterBar()

    def compose_list(self) -> ComposeResult:
        raise NotImplementedError

    @property
    def table(self) -> VirtualTable:
        return self.query_one(VirtualTable)

    def narrowed(self, rows: Sequence[T], facts: Callable[[T], Facts], empty: str) -> list[T]:
        """The rows that pass the filter; also keeps the count and the text of an empty list up to date."""
        told: list[tuple[T, Facts]] = (
            [(row, facts(row)) for row in rows] if self.filter_text or self._bar.has_class("-open") else []
        )
        self._numbers = frozenset().union(*(known.numbers for _, known in told))
        if self.filter_text and self._test is None and not self._wrong:
            self._compile()
        test = self._test
        found = list(rows) if test is None else [row for row, known in told if test(known)]
        self._seen = (len(found), len(rows))
        self.table.empty_text = (
            "0 match: esc clears" if rows and not found else empty if self.arena.mirror.loaded else "reading the store"
        )
        self._say()
        return found

    # the filter

    def state(self) -> Remembered:
        return {**super().state(), "filter": self.filter_text}

    def recall(self, state: Remembered) -> None:
        super().recall(state)
        if text := str(state.get("filter", "")):
            self.set_filter(text)

    def set_filter(self, text: str) -> None:
        """As if it had been typed into the bar and left with enter."""
        if not text:
            self._clear()
            return
        field = self.query_one(FilterInput)
        self._bar.add_class("-open")
        field.disabled = False
        field.value = text

    @property
    def _bar(self) -> FilterBar:
        return self.query_one(FilterBar)

    def action_filter(self) -> None:
        self._bar.open()
        self.redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # a slash inside the filter is a letter of it
        typing = action == "filter" and isinstance(self.focused, FilterInput)
        return not typing and super().check_action(action, parameters)

    def on_input_changed(self, event: Input.Changed) -> None:
        self.filter_text = event.value.strip()
        self._compile()
        self.redraw()

    def _compile(self) -> None:
        self._wrong = ""
        try:
            self._test = compile_filter(self.filter_text, self.FIELDS, self._numbers) if self.filter_text else None
        except FilterError as wrong:
            # the old result stays: what is half typed is not worth an empty list
            self._wrong = str(wrong)

    def _say(self) -> None:
        found, all_ = self._seen
        said = Text(self._wrong, "yellow") if self._wrong else Text(f"{found} of {all_}")
        if not self._wrong and not found and all_:
            said = Text("0 match: esc clears", "yellow")
        self.query_one("#filter-said", Lines).show(said)
        self.query_one("#filter-sign", Lines).show(Text("/", "bold"))

    def on_filter_input_left(self, left: FilterInput.Left) -> None:
        if not left.keep:
            self._clear()
        elif not self.filter_text:
            self._bar.close()
        self.set_focus(self.table)

    def _clear(self) -> None:
        self._bar.close()
        self.query_one(FilterInput).value = ""
        self.filter_text, self._test, self._wrong = "", None, ""
        self.redraw()

    def out(self) -> bool:
        if self.filter_text or self._bar.has_class("-open"):
            self._clear()
            self.set_focus(self.table)
            return True
        return False
