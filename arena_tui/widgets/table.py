"""A table of any length that draws only the rows on screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, overload

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

# a column that takes what is left keeps this many cells even when nothing is left
LEAST_FLEXIBLE = 6
# far more than the rows of any terminal, so scrolling back finds its lines drawn
STRIPS_KEPT = 1024


@dataclass(frozen=True)
class Column:
    """One column: width in cells, 0 takes what the others leave; right aligns numbers."""

    key: str
    label: str
    width: int
    right: bool = False


@dataclass(frozen=True)
class Row:
    """One row: a plain str is shown as it is, brackets and all; style is a Rich style for the whole line."""

    key: str
    cells: tuple[Text | str, ...]
    style: str = ""

    def looks_like(self, other: "Row") -> bool:
        """Whether both draw the same line; `==` would not do, as Text compares without its base style."""
        if self is other:
            return True
        if self.key != other.key or self.style != other.style or len(self.cells) != len(other.cells):
            return False
        return all(map(_same_cell, self.cells, other.cells))


class Rows(Sequence[Row]):
    """Rows that are made each time they are looked at: of thousands a screen shows forty, and those are up to date."""

    def __init__(self, keys: Sequence[str], make: Callable[[int], Row]) -> None:
        self.keys, self._make = keys, make

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self._make(i) for i in range(*index.indices(len(self)))]
        return self._make(range(len(self))[index])


def _same_cell(a: Text | str, b: Text | str) -> bool:
    if isinstance(a, Text) and isinstance(b, Text):
        return a == b and a.style == b.style
    return type(a) is type(b) and a == b


def as_rows(rows: Sequence[Row]) -> Rows:
    """Rows that were made already, as they are."""
    return rows if isinstance(rows, Rows) else Rows([row.key for row in rows], rows.__getitem__)


def printable(text: str) -> str:
    """The text with a space for what has no glyph: a newline, an escape or a lone surrogate would break the line."""
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def fit_cell(cell: Text | str, width: int, right: bool = False) -> Text:
    """Exactly `width` cells of the content, cut with an ellipsis or padded."""
    text = Text(cell) if isinstance(cell, str) else cell.copy()
    text.plain, text.end = printable(text.plain), ""
    text.truncate(width, overflow="ellipsis" if width > 0 else "crop")
    missing = max(0, width - cell_len(text.plain))
    if right:
        text.pad_left(missing)
    else:
        text.pad_right(missing)
    return text


def column_widths(columns: Sequence[Column], total: int) -> list[int]:
    """Cells per column when one cell separates neighbours; flexible ones share what is left."""
    flexible = [i for i, column in enumerate(columns) if column.width == 0]
    widths = [column.width for column in columns]
    left = max(0, total - sum(widths) - max(0, len(columns) - 1))
    for nth, i in enumerate(flexible):
        share = left // len(flexible) + (1 if nth < left % len(flexible) else 0)
        widths[i] = max(LEAST_FLEXIBLE, share)
    return widths


class VirtualTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows under a fixed header, a cursor that stays on its row's key; cost depends on the screen, not the rows."""

    DEFAULT_CSS = """
    VirtualTable { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; background: $surface; }
    VirtualTable > .virtual-table--header { color: $text-muted; text-style: bold; }
    VirtualTable > .virtual-table--cursor { background: $primary 30%; }
    VirtualTable:focus > .virtual-table--cursor { background: $primary 60%; text-style: bold; }
    VirtualTable > .virtual-table--empty { color: $text-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"virtual-table--{part}" for part in ("header", "cursor", "empty")}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", id="table.down", show=False, tooltip="Next row"),
        Binding("k,up", "move(-1)", "Up", id="table.up", show=False, tooltip="Previous row"),
        Binding("g,home", "move_edge(-1)", "First", id="table.first", show=False, tooltip="First row"),
        Binding("G,end", "move_edge(1)", "Last", id="table.last", show=False, tooltip="Last row"),
        Binding("ctrl+d,pagedown", "page(1)", "Page down", id="table.page_down", show=False, tooltip="One page down"),
        Binding("ctrl+u,pageup", "page(-1)", "Page up", id="table.page_up", show=False, tooltip="One page up"),
        Binding("enter", "choose", "Open", id="table.choose", tooltip="Open the row under the cursor"),
    ]

    @dataclass
    class Highlighted(Message):
        """The cursor is on another row; key is None when the last row went."""

        key: str | None
        table: "VirtualTable"

        @property
        def control(self) -> "VirtualTable":
            return self.table

    @dataclass
    class Chosen(Message):
        """Enter or a double click on a row."""

        key: str
        table: "VirtualTable"

        @property
        def control(self) -> "VirtualTable":
            return self.table

    def __init__(
        self,
        columns: Sequence[Column] = (),
        *,
        empty_text: str = "nothing here yet",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._columns: tuple[Column, ...] = tuple(columns)
        self._rows = as_rows(())
        self._drawn: LRUCache[int, Row] = LRUCache(STRIPS_KEPT)  # by index, as it was last drawn
        self._cursor = 0
        self._empty_text = empty_text
        self._styles: dict[str, Style] = {}
        self._strips: LRUCache[tuple[str, bool, object], tuple[Row, Strip]] = LRUCache(STRIPS_KEPT)

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor."""
        return self._rows.keys[self._cursor] if self._rows else None

    def as_text(self) -> list[list[str]]:
        """The columns' labels and every row, as plain text."""
        rows = [row.cells[: len(self._columns)] for row in self._rows]
        return [[column.label for column in self._columns], *([str(cell) for cell in cells] for cells in rows)]

    @property
    def empty_text(self) -> str:
        """Shown when there is no row."""
        return self._empty_text

    @empty_text.setter
    def empty_text(self, text: str) -> None:
        self._empty_text = text
        self.refresh()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Replace the columns; rows already set are read against the new ones."""
        if tuple(columns) == self._columns:
            return
        self._columns = tuple(columns)
        self._strips.clear()
        self.refresh()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Replace the rows; only lines on screen that look different are drawn again."""
        n_before, key = len(self._rows), self.cursor_key
        self._rows = as_rows(rows)
        self._cursor = self._index_of(key, self._cursor)
        if n_before != len(self._rows):
            self.virtual_size = Size(0, len(self._rows) + 1)
            self.refresh()
        else:
            self._refresh_changed()
        if self.cursor_key != key:
            self.post_message(self.Highlighted(self.cursor_key, self))

    def move_to(self, key: str) -> None:
        """Put the cursor on this row and scroll it into view; an unknown key moves nothing."""
        self._move_cursor(self._index_of(key, self._cursor))

    def _index_of(self, key: str | None, guess: int) -> int:
        """Where the key is now; its old place, kept inside the table, when it is gone."""
        keys = self._rows.keys
        if guess < len(keys) and keys[guess] == key:
            return guess
        found = next((i for i, known in enumerate(keys) if known == key), None)
        return min(guess, max(0, len(keys) - 1)) if found is None else found

    def _refresh_changed(self) -> None:
        top = self.scroll_offset.y
        # the highlight follows the key, so a moved row shows as a changed line by itself
        for i in range(top, min(len(self._rows), top + self.size.height)):
            drawn = self._drawn.get(i)
            if drawn is None or not self._rows[i].looks_like(drawn):
                self.refresh_line(i + 1)

    def _move_cursor(self, index: int) -> None:
        index = max(0, min(len(self._rows) - 1, index))
        if index != self._cursor:
            self.refresh_line(self._cursor + 1)
            self._cursor = index
            self.refresh_line(index + 1)
            self.post_message(self.Highlighted(self.cursor_key, self))
        self._show_cursor()

    @property
    def _page(self) -> int:
        """Rows on screen, the header not counted."""
        return max(1, self.scrollable_content_region.height - 1)

    def _show_cursor(self) -> None:
        top = min(self._cursor, max(self.scroll_offset.y, self._cursor - self._page + 1))
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)

    def on_resize(self) -> None:
        self._show_cursor()

    def action_move(self, rows: int) -> None:
        self._move_cursor(self._cursor + rows)

    def action_move_edge(self, direction: int) -> None:
        self._move_cursor(0 if direction < 0 else len(self._rows) - 1)

    def action_page(self, pages: int) -> None:
        self._move_cursor(self._cursor + pages * self._page)

    def action_choose(self) -> None:
        if (key := self.cursor_key) is not None:
            self.post_message(self.Chosen(key, self))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y == 0:
            return
        index = offset.y - 1 + self.scroll_offset.y
        if index < len(self._rows):
            self._move_cursor(index)
            if event.chain == 2:
                self.action_choose()

    def render_lines(self, crop: Region) -> list[Strip]:
        # working a style out walks the whole ancestry: once a pass, not once a line
        self._styles.clear()
        return super().render_lines(crop)

    def _style(self, name: str = "") -> Style:
        """The style of a component of the table, or of the table itself."""
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(f"virtual-table--{name}") if name else self.rich_style
        return self._styles[name]

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if y == 0:
            style = self._style("header")
            return self._line("", tuple(column.label for column in self._columns), style, width)
        if not self._rows:
            return self._empty_line(y, width)
        index = y - 1 + self.scroll_offset.y
        if index >= len(self._rows):
            return Strip.blank(width, self._style())
        row, at_cursor = self._rows[index], index == self._cursor
        self._drawn[index] = row
        style = self._style("cursor") if at_cursor else self._style()
        key = (row.key, at_cursor, (width, style))
        cached = self._strips.get(key)
        if cached is not None and cached[0].looks_like(row):
            return cached[1]
        if row.style:
            style = style + Style.parse(row.style)
        strip = self._line(">" if at_cursor else " ", row.cells, style, width)
        self._strips[key] = (row, strip)
        return strip

    def _line(self, mark: str, cells: tuple[Text | str, ...], style: Style, width: int) -> Strip:
        """One line: a cell for the cursor's mark, then each cell at its column's width."""
        segments = [Segment(mark.ljust(1), style)]
        widths = column_widths(self._columns, width - 1)
        for i, (column, cell) in enumerate(zip(self._columns, cells, strict=False)):
            if i:
                segments.append(Segment(" ", style))
            fitted = fit_cell(cell, widths[i], column.right)
            if fitted.spans or fitted.style:
                segments += Segment.apply_style(fitted.render(self.app.console), style)
            else:
                segments.append(Segment(fitted.plain, style))
        return Strip(segments).adjust_cell_length(width, style).simplify()

    def _empty_line(self, y: int, width: int) -> Strip:
        if y != max(1, self.size.height // 2):
            return Strip.blank(width, self._style())
        style = self._style("empty")
        text = fit_cell(self._empty_text, min(width, cell_len(self._empty_text)))
        left = (width - cell_len(text.plain)) // 2
        return Strip([Segment(" " * left + text.plain, style)]).adjust_cell_length(width, style)
