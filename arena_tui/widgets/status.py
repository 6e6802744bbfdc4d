"""The top lines of every screen: where one is, what the study has done, whether it lives, and what is wrong."""

import textwrap
from dataclasses import dataclass
from typing import Literal

from rich.text import Text
from textual.app import RenderResult
from textual.reactive import reactive
from textual.widget import Widget

TABS = (
    ("1", "Live", "live"),
    ("2", "Standings", "standings"),
    ("3", "Trials", "trials"),
    ("4", "Studies", "studies"),
    ("5", "Compare", "compare"),
    ("6", "Research", "research"),
    ("7", "Claims", "claims"),
    ("8", "Golf", "leaderboard"),
)


@dataclass(frozen=True)
class StatusFacts:
    path: tuple[str, ...] = ()
    counts: str = ""
    status: str = ""
    status_style: str = ""
    corpus: str = ""
    tab: str = ""
    notice: str = ""
    notice_style: str = "dim"


def first_line(facts: StatusFacts, width: int) -> Text:
    """Breadcrumbs, counts, status: the status always stays, then the counts, and a long name gives way."""
    right = Text(f" {facts.status} ", facts.status_style)
    room = width - right.cell_len
    counts = facts.counts if len(facts.counts) + 24 <= room else ""
    left = Text(" arena", "bold")
    for part in facts.path:
        left.append(" › ", "dim")
        left.append(part)
    left.truncate(max(0, room - len(counts) - 1), overflow="ellipsis")
    gap = max(1, room - left.cell_len - len(counts) - 1)
    return Text.assemble(left, " " * gap, (counts, ""), " " if counts else "", right, no_wrap=True, end="")


def _tabs(tab: str, form: Literal["wide", "close", "keys"]) -> Text:
    """The pages with their keys, the one on show marked."""
    line = Text(" ", no_wrap=True, end="")
    for key, name, mode in TABS:
        here = mode == tab
        if form == "wide":
            line.append(f" {key} {name} ", "reverse bold" if here else "")
        else:
            line.append(f"{key}", "reverse bold" if here else "bold dim")
            line.append(name if form == "close" or here else "", "reverse bold" if here else "")
            line.append(" ")
    return line


def second_line(facts: StatusFacts, width: int) -> Text:
    name, _, _ = facts.corpus.partition(" ")
    # the corpus is named on every screen, so the tabs give way first: their spaces, then the names of the others
    if _tabs(facts.tab, "wide").cell_len + len(facts.corpus) + 2 <= width:
        line, corpus = _tabs(facts.tab, "wide"), facts.corpus
    elif (line := _tabs(facts.tab, "close")).cell_len + len(name) + 1 <= width:
        corpus = facts.corpus if line.cell_len + len(facts.corpus) + 1 <= width else name
    else:
        line, corpus = _tabs(facts.tab, "keys"), facts.corpus
    right = Text(f"{corpus} ", "dim" if not facts.corpus.startswith("toystories") else "yellow")
    more = "? help  ^p palette "
    if line.cell_len + right.cell_len + len(more) + 4 <= width:
        right = Text.assemble(right, "  ", (more, "dim"))
    right.truncate(max(0, width - line.cell_len), overflow="ellipsis")
    line.append(" " * max(0, width - line.cell_len - right.cell_len))
    line.append_text(right)
    return line


class Status(Widget):
    """Drawn again only when a fact changes."""

    DEFAULT_CSS = """
    Status { dock: top; height: auto; width: 1fr; background: $panel; }
    """

    def __init__(self, facts: StatusFacts = StatusFacts()) -> None:
        super().__init__()
        self.set_reactive(Status.facts, facts)

    facts: reactive[StatusFacts] = reactive(StatusFacts(), layout=True)

    def render(self) -> RenderResult:
        width = self.size.width or self.app.size.width
        lines = [first_line(self.facts, width), second_line(self.facts, width)]
        if self.facts.notice:
            told = textwrap.wrap(self.facts.notice, max(20, width - 1), initial_indent=" ", subsequent_indent=" ")
            lines.append(Text("\n".join(told), self.facts.notice_style))
        return Text("\n").join(lines)
