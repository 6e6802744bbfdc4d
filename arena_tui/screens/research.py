"""Research: the commentary on the study, live. Computed by `autoresearch report` in a process of its own."""

import subprocess
import time
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message

from arena_tui import formatting
from arena_tui.commands import Answer, ask, command_line
from arena_tui.commentary import Line, Section, UnknownFormatError, lines_of, sections_of
from arena_tui.keys import AGAIN, GLOBAL, LISTS, OPEN, SECTION, bindings, picked
from arena_tui.screens.base import ArenaScreen
from arena_tui.screens.listing import NOTHING
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.table import Column, Row, VirtualTable

# It costs seconds of a core each time (it imports torch to estimate what untried stacks cost): while trials end one
# after the other it is asked again only after this many times as long as it took, and never sooner than this.
PATIENCE = 10.0
LEAST_WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class Known:
    """A study's commentary, and how far the study was then."""

    sections: tuple[Section, ...]
    stamp: int
    seconds: float
    at: float  # monotonic


class ResearchScreen(ArenaScreen):
    """h and l go through the sections; enter opens the trial that a line rests on."""

    DEFAULT_CSS = """
    ResearchScreen #where { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    ResearchScreen #body { height: 1fr; }
    ResearchScreen #sections { display: none; width: 30; border-right: vkey $panel; }
    ResearchScreen.-wide #sections { display: block; }
    ResearchScreen VirtualTable { height: 1fr; width: 1fr; }
    ResearchScreen #about { height: 5; border-top: hkey $panel; scrollbar-size-vertical: 1; }
    ResearchScreen.-tall #about { height: 12; }
    """
    TAB = "research"
    KEYS = (OPEN, SECTION, AGAIN, *picked(GLOBAL, "help", "quit"))
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(picked(LISTS, "sideways"))]

    class Told(Message):
        def __init__(self, study: str, stamp: int, seconds: float, answer: Answer) -> None:
            super().__init__()
            self.study, self.stamp, self.seconds, self.answer = study, stamp, seconds, answer

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, Known] = {}
        self._wrong: dict[str, tuple[str, str]] = {}
        self._asked: tuple[str, float] | None = None  # the study, and since when (monotonic)
        self._process: subprocess.Popen[str] | None = None
        self._leaving = False
        self._title = ""
        self._lines: dict[str, Line] = {}

    def compose_body(self) -> ComposeResult:
        yield Lines(id="where")
        with Horizontal(id="body"):
            yield Lines(id="sections")
            yield VirtualTable((Column("line", "", 0),))
        with VerticalScroll(id="about", can_focus=False):
            yield Lines(id="about-text")

    def path(self) -> tuple[str, ...]:
        return (*super().path(), "research")

    # asking

    def stamp(self) -> int:
        """How many of the study's trials have ended: what the commentary rests on."""
        return sum(1 for trial in self.arena.trials() if trial.ended_at is not None)

    def _ask_if_due(self) -> None:
        study, source = self.arena.study, self.arena.mirror.source
        if study is None or source is None or self._asked is not None or self.arena.frozen or self._leaving:
            return
        name, stamp = study.name, self.stamp()
        known = self._known.get(name)
        if name in self._wrong or (known and (known.stamp == stamp or time.monotonic() < self._due(known))):
            return
        self._asked = (name, time.monotonic())
        words = ["report", name, "--json", "--store", str(source.path)]
        self.run_worker(partial(self._ask, name, stamp, words), thread=True, group="commentary")

    @staticmethod
    def _due(known: Known) -> float:
        return known.at + max(LEAST_WAIT_SECONDS, PATIENCE * known.seconds)

    def _ask(self, name: str, stamp: int, words: list[str]) -> None:
        begun = time.monotonic()
        answer = ask(words, self._begun)
        self.post_message(self.Told(name, stamp, time.monotonic() - begun, answer))

    def _begun(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        if self._leaving:
            process.terminate()

    def on_unmount(self) -> None:
        self._leaving = True
        if self._process is not None:
            self._process.terminate()

    def on_research_screen_told(self, told: Told) -> None:
        self._asked = self._process = None
        self._wrong.pop(told.study, None)
        if told.answer.code:
            self._wrong[told.study] = (told.answer.problem, told.answer.hint)
        else:
            try:
                sections = sections_of(told.answer.out)
            except UnknownFormatError as wrong:
                self._wrong[told.study] = (str(wrong), "is `autoresearch` of the same version as `arena`?")
            else:
                self._known[told.study] = Known(sections, told.stamp, told.seconds, time.monotonic())
        if self.is_current:
            self.redraw()

    def reread(self) -> None:
        """Ask again now, whatever is known and whatever went wrong."""
        if (study := self.arena.study) is not None:
            self._wrong.pop(study.name, None)
            if (known := self._known.get(study.name)) is not None:
                self._known[study.name] = Known(known.sections, -1, 0.0, float("-inf"))
        self.redraw()

    # drawing

    @property
    def table(self) -> VirtualTable:
        return self.query_one(VirtualTable)

    def sections(self) -> tuple[Section, ...]:
        study = self.arena.study
        known = self._known.get(study.name) if study else None
        return known.sections if known else ()

    def shown_section(self) -> int:
        """By its title, so that it stays when the commentary is told anew."""
        titles = [section.title for section in self.sections()]
        return titles.index(self._title) if self._title in titles else 0

    def redraw(self) -> None:
        super().redraw()
        sections, at = self.sections(), self.shown_section()
        self.table.empty_text = self._empty()
        wide = self.has_class("-wide")
        # before the layout the table has no width: the screen's own will do, and a resize follows
        width = (self.table.size.width or self.app.size.width - 31 * wide) - 3
        lines = lines_of(sections[at], width) if sections else []
        self._lines = {line.key: line for line in lines}
        title = sections[at].title if sections else ""
        told = f"{title}" if wide or not sections else f"{at + 1} of {len(sections)}  {title}"
        self.table.set_columns((Column("line", told, 0),))
        self.table.set_rows([Row(line.key, (line.text,)) for line in lines])
        named = Text("\n").join(
            Text(f"{section.title.partition(':')[0]}", "reverse bold" if i == at else "")
            for i, section in enumerate(sections)
        )
        self.query_one("#sections", Lines).show(named)
        self._draw_about()

    def tick(self) -> None:
        super().tick()
        self._ask_if_due()
        self.query_one("#where", Lines).show(self._where())

    def _empty(self) -> str:
        mirror, study = self.arena.mirror, self.arena.study
        if not mirror.loaded:
            return "reading the store"
        if study is None:
            return NOTHING
        if study.name in self._wrong:
            return "no commentary: ^r asks again"
        return "the commentary is being made, which takes some seconds"

    def _where(self) -> Text:
        """How fresh it is, and what is being done about it."""
        study = self.arena.study
        if study is None:
            return Text("")
        known, wrong = self._known.get(study.name), self._wrong.get(study.name)
        if wrong is not None:
            return Text(formatting.one_line(f"{wrong[0]} ({wrong[1]})" if wrong[1] else wrong[0]), "bold red")
        text = Text(no_wrap=True, overflow="ellipsis")
        if known is not None:
            behind = self.stamp() - known.stamp if known.stamp >= 0 else 0
            text.append(f"after {known.stamp} ended trials" if known.stamp >= 0 else "asked again")
            text.append(f"; {behind} more since" if behind else "", "yellow")
        if self._asked is not None and self._asked[0] == study.name:
            text.append("; " if known else "")
            text.append(f"`{command_line(['report', study.name])}` has been at work for ", "dim")
            text.append(formatting.duration(time.monotonic() - self._asked[1]))
        elif known is not None and known.stamp != self.stamp():
            wait = max(0.0, self._due(known) - time.monotonic())
            text.append(f"; told anew in {formatting.duration(wait)}, ^r now", "dim")
        return text

    def _draw_about(self) -> None:
        line = self._lines.get(self.table.cursor_key or "")
        text = Text("")
        if line is not None:
            for name, value in line.about:
                text.append(f"{name} ", "dim")
                text.append(formatting.one_line(value) + "   ")
            if line.trials:
                text.append("\n" if line.about else "")
                text.append("rests on ", "dim")
                text.append(", ".join(f"#{number}" for number in line.trials[:12]), "bold")
                more = len(line.trials) - 12
                text.append(f" and {more} more" if more > 0 else "", "dim")
        self.query_one("#about-text", Lines).show(text)
        self.query_one("#about").scroll_home(animate=False)

    # keys

    def action_sideways(self, step: int) -> None:
        if sections := self.sections():
            self._title = sections[(self.shown_section() + step) % len(sections)].title
            self.redraw()
            self.table.action_move_edge(-1)

    def on_virtual_table_highlighted(self) -> None:
        self._draw_about()

    def on_virtual_table_chosen(self, chosen: VirtualTable.Chosen) -> None:
        line, study = self._lines.get(chosen.key), self.arena.study
        if study is not None and line is not None and line.trials:
            self.arena.open_trial(study.name, line.trials[0])

    def on_lines_widened(self) -> None:
        self.redraw()
