"""Leaderboard: Parameter Golf's, as facts with their source and date; the network is asked by F alone."""

from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.message import Message

from arena_tui import formatting
from arena_tui.keys import DIVISION, GLOBAL, LEADERBOARD, LISTS, bindings, picked
from arena_tui.leaderboard import (
    DIVISIONS,
    FIELDS,
    MEANING,
    ORDERS,
    SHIPPED_COMMIT,
    Place,
    Status,
    ordered,
    place_facts,
    ranks,
    shipped,
)
from arena_tui.rows import styled
from arena_tui.screens.listing import ListScreen
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.table import Column, Row, VirtualTable
from bench.errors import DataError

STYLES = {Status.OFFICIAL: "bold", Status.VALIDATED: "", Status.UNVALIDATED: "yellow", Status.RULED_OUT: "red"}
COLUMNS = (
    Column("rank", "#", 3, right=True),
    Column("val_bpb", "val_bpb", 7, right=True),
    Column("name", "entry", 0),
    Column("author", "author", 14),
    Column("pr", "PR", 6, right=True),
    Column("status", "status", 11),
)
WIDE_COLUMNS = (*COLUMNS, Column("date", "date", 10), Column("as_of", "status as of", 12))


class LeaderboardScreen(ListScreen):
    """h and l go through its two divisions; the row under the cursor is told below the list."""

    DEFAULT_CSS = """
    LeaderboardScreen #where { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    LeaderboardScreen #said { height: auto; max-height: 3; }
    LeaderboardScreen VirtualTable { height: 1fr; }
    LeaderboardScreen #about {
        height: auto; min-height: 4; max-height: 50%; border-top: hkey $panel; scrollbar-size-vertical: 1;
    }
    """
    TAB = "leaderboard"
    OF_STUDY = False
    FIELDS = FIELDS
    KEYS = (
        *picked(LEADERBOARD, "fetch"),
        DIVISION,
        *picked(LISTS, "filter", "sort"),
        *picked(LEADERBOARD, "copy"),
        *picked(GLOBAL, "help", "quit"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(picked(LISTS, "filter", "sort", "sideways"), LEADERBOARD)]

    class Fetched(Message):
        """What came of asking; `said` is the sentence for the top of the screen."""

        def __init__(self, places: list[Place] | None, said: str, wrong: bool) -> None:
            super().__init__()
            self.places, self.said, self.wrong = places, said, wrong

    def __init__(self) -> None:
        super().__init__()
        self._places = shipped()
        self._ranks = {name: ranks(self._of(name)) for name in DIVISIONS}
        self._division = 0
        self._order = 0
        self._asking = False
        self._said = Text(f"shipped: the README at {SHIPPED_COMMIT}; F fetches today's from api.github.com", "dim")

    def compose_list(self) -> ComposeResult:
        yield Lines(id="where")
        yield Lines(id="said")
        yield VirtualTable(COLUMNS)
        with VerticalScroll(id="about", can_focus=False):
            yield Lines(id="about-text")

    def on_mount(self) -> None:
        self.run_worker(self._recall, thread=True, group="leaderboard")

    def path(self) -> tuple[str, ...]:
        return ("Parameter Golf", "leaderboard")

    # fetching

    def _recall(self) -> None:
        """What an earlier session fetched, from the disk; httpx is imported here, off the screen's thread."""
        from arena_tui.leaderboard_fetch import kept

        found = kept()
        if found.at is not None:
            self.post_message(self.Fetched(found.board(), f"fetched {formatting.day_time(found.at)}", False))

    def action_fetch(self) -> None:
        if not self._asking:
            self._asking = True
            self._said = Text("asking api.github.com", "bold")
            self.redraw()
            self.run_worker(partial(self._fetch), thread=True, group="leaderboard")

    def _fetch(self) -> None:
        from arena_tui import leaderboard_fetch

        try:
            found, limit = leaderboard_fetch.refresh(leaderboard_fetch.API)
        except DataError as wrong:
            self.post_message(self.Fetched(None, f"{wrong.problem}; {wrong.hint}", True))
            return
        said = f"fetched {formatting.day_time(found.at or 0.0)}"
        if limit is not None:
            until = formatting.clock_time(limit.until)
            said += f"; GitHub allows {limit.left} more of {limit.of} requests until {until}"
        self.post_message(self.Fetched(found.board(), said, False))

    def on_leaderboard_screen_fetched(self, fetched: Fetched) -> None:
        self._asking = False
        self._said = Text(fetched.said, "bold red" if fetched.wrong else "")
        if fetched.places is not None:
            self._places = fetched.places
            self._ranks = {name: ranks(self._of(name)) for name in DIVISIONS}
        if self.is_current:
            self.redraw()

    # drawing

    def _of(self, division: str) -> list[Place]:
        return [place for place in self._places if place.division == division]

    def redraw(self) -> None:
        super().redraw()
        division, order = DIVISIONS[self._division], ORDERS[self._order]
        mine = ordered(self._of(division), order)
        rows = self.narrowed(mine, place_facts, "no entry here")
        self.table.set_columns(WIDE_COLUMNS if self.has_class("-wide") else COLUMNS)
        self.table.set_rows([self._row(place) for place in rows])
        text = Text(no_wrap=True)
        for name in DIVISIONS:
            text.append(f" {name} ", "reverse bold" if name == division else "")
        filtered = f"  filter: {self.filter_text}" if self.filter_text else ""
        text.append(f"  {len(rows)} of {len(mine)} entries  order: {order} (s){filtered}")
        self.query_one("#where", Lines).show(text)
        self.query_one("#said", Lines).show(self._said)
        self._draw_about()

    def _row(self, place: Place) -> Row:
        rank = self._ranks[place.division].get(place.key)
        cells = (
            str(rank or ""),
            f"{place.val_bpb:.4f}",
            formatting.one_line(place.name),
            formatting.one_line(place.author),
            "" if place.pr is None else f"#{place.pr}",
            styled(place.status.value, STYLES[place.status]),
            place.date or formatting.ABSENT,
            place.as_of,
        )
        return Row(place.key, cells)

    def _selected(self) -> Place | None:
        key = self.table.cursor_key
        return next((place for place in self._places if place.key == key), None)

    def _draw_about(self) -> None:
        place = self._selected()
        self.query_one("#about-text", Lines).show(place_text(place) if place else Text("no entry under the cursor"))
        self.query_one("#about").scroll_home(animate=False)

    # keys

    def action_sideways(self, step: int) -> None:
        self._division = (self._division + step) % len(DIVISIONS)
        self.redraw()
        self.table.action_move_edge(-1)

    def action_sort(self) -> None:
        self._order = (self._order + 1) % len(ORDERS)
        self.redraw()

    def action_copy(self) -> None:
        if (place := self._selected()) is not None:
            self.app.copy_to_clipboard(place.address)
            self.notify(f"copied: {place.address}", markup=False, timeout=3)

    def on_virtual_table_highlighted(self) -> None:
        self._draw_about()


def place_text(place: Place) -> Text:
    """All that is known of an entry."""
    text = Text()
    text.append(f"{place.val_bpb:.4f} bits/byte", "bold")
    text.append(f"  {formatting.one_line(place.name)}\n")
    by = [f"by {formatting.one_line(place.author)}"]
    by += [place.date] if place.date else []
    by += [f"{place.seeds} seeds" if place.seeds != 1 else "1 seed"] if place.seeds else []
    text.append("  ".join([*by, place.address]) + "\n")
    text.append(place.status.value, STYLES[place.status])
    text.append(f": {MEANING[place.status]} (as of {place.as_of})\n")
    text.append(f"source: {place.source}; FineWeb: never ranked with ours", "dim")
    return text
