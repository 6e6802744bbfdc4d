"""Research: the commentary on the study, live. Computed by `autoresearch report` in a process of its own."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll

from arena_tui import formatting
from arena_tui.commentary import Line, Section, lines_of, sections_of
from arena_tui.keys import AGAIN, GLOBAL, LISTS, OPEN, SECTION, bindings, picked
from arena_tui.screens.listing import NOTHING
from arena_tui.screens.told import ToldScreen
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.table import Column, Row, VirtualTable
from bench.records import State

ENDED = (State.COMPLETE, State.FAILED, State.PRUNED, State.REFUSED)


class ResearchScreen(ToldScreen):
    """h and l go through the sections; enter opens the trial that a line rests on."""

    DEFAULT_CSS = """
    ResearchScreen #body { height: 1fr; }
    ResearchScreen #sections { display: none; width: 39; border-right: vkey $panel; }
    ResearchScreen.-wide #sections { display: block; }
    ResearchScreen VirtualTable { height: 1fr; width: 1fr; }
    ResearchScreen #about {
        height: auto; min-height: 4; max-height: 50%; border-top: hkey $panel; scrollbar-size-vertical: 1;
    }
    ResearchScreen.-prose #about { display: none; }
    """
    TAB = "research"
    COMMAND = "report"
    KEYS = (OPEN, SECTION, AGAIN, *picked(GLOBAL, "help", "quit"))
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(picked(LISTS, "sideways"))]

    def __init__(self) -> None:
        super().__init__()
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

    # what is asked

    def about(self) -> str | None:
        return self.arena.study.name if self.arena.study else None

    def stamp(self) -> int:
        # of the study's own row: its trials may still be on their way here
        study = self.arena.study
        return sum(n for state, n in study.n_by_state.items() if state in ENDED) if study else 0

    def question(self, about: str) -> Sequence[str]:
        return [about]

    def read(self, text: str) -> tuple[Section, ...]:
        return sections_of(text)

    # drawing

    @property
    def table(self) -> VirtualTable:
        return self.query_one(VirtualTable)

    def sections(self) -> tuple[Section, ...]:
        return self.told() or ()

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
        width = (self.table.size.width or self.app.size.width - 40 * wide) - 3
        lines = lines_of(sections[at], width) if sections else []
        self._lines = {line.key: line for line in lines}
        # a section of sentences alone has nothing to say of one of its lines
        self.set_class(not any(line.about or line.trials for line in lines), "-prose")
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

    def _empty(self) -> str:
        mirror, study = self.arena.mirror, self.arena.study
        if not mirror.loaded:
            return "reading the store"
        if study is None:
            return NOTHING
        if self.wrong():
            return "no commentary: ^r asks again"
        return "the commentary is being made, which takes some seconds"

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
