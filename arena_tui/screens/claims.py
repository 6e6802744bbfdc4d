"""Claims: published findings and our verdicts, each with the test that decided it. Told by `autoresearch claims`."""

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll

from arena_tui import formatting
from arena_tui.commentary import interval
from arena_tui.findings import Finding, Findings, findings_of
from arena_tui.keys import AGAIN, GLOBAL, Key, picked
from arena_tui.rows import styled
from arena_tui.screens.told import ToldScreen
from arena_tui.summary import labelled
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.table import Column, Row, VirtualTable

# A verdict is a word first, and colour a bonus.
STYLES = {"supported": "bold green", "refuted": "bold red", "inconclusive": "yellow"}
REACH_CELLS = 25
# The finding has what the numbers leave, and they come one after the other as there is room: all of them are told of
# the row under the cursor. From so many cells of the screen on.
NUMBERS = (
    (0, Column("verdict", "our verdict", 12)),
    (0, Column("effect", "effect", 7, right=True)),
    (100, Column("n", "n", 2, right=True)),
    (100, Column("left", "runs left", 9, right=True)),
    (150, Column("reach", "95 % interval around 0", REACH_CELLS)),
    (150, Column("p", "p", 8, right=True)),
    (200, Column("source", "source", 34)),
)
SHORTER = {"not measured yet": "not measured", "not testable as published": "not testable"}


class ClaimsScreen(ToldScreen):
    """The row under the cursor is told below the list: what was published, how it is tested, what came of it."""

    DEFAULT_CSS = """
    ClaimsScreen #summary { height: auto; max-height: 2; color: $text-muted; }
    ClaimsScreen VirtualTable { height: 1fr; }
    ClaimsScreen #about {
        height: auto; min-height: 4; max-height: 50%; border-top: hkey $panel; scrollbar-size-vertical: 1;
    }
    """
    TAB = "claims"
    OF_STUDY = False
    COMMAND = "claims"
    KEYS: ClassVar[Sequence[Key]] = (AGAIN, *picked(GLOBAL, "help", "quit"))

    def compose_body(self) -> ComposeResult:
        yield Lines(id="where")
        yield Lines(id="summary")
        yield VirtualTable()
        with VerticalScroll(id="about", can_focus=False):
            yield Lines(id="about-text")

    def path(self) -> tuple[str, ...]:
        return ("claims",)

    # what is asked

    def about(self) -> str | None:
        """One answer for a store; it knows of what ships too."""
        return str(self.arena.mirror.source.path) if self.arena.mirror.source else None

    def stamp(self) -> int:
        return sum(study.n_done for study in self.arena.mirror.studies.values())

    def question(self, about: str) -> Sequence[str]:
        return []

    def read(self, text: str) -> Findings:
        return findings_of(text)

    def basis(self) -> str:
        found = self.findings()
        return "" if found is None else " on " + ", ".join(filter(None, (found.corpus, found.device_class)))

    # drawing

    @property
    def table(self) -> VirtualTable:
        return self.query_one(VirtualTable)

    def findings(self) -> Findings | None:
        found: Findings | None = self.told()
        return found

    def redraw(self) -> None:
        super().redraw()
        found = self.findings()
        rows = found.rows if found else ()
        self.table.empty_text = self._empty()
        columns = columns_for(self.app.size.width)
        self.table.set_columns(columns)
        ends = [abs(end) for row in rows for end in (row.low, row.high) if end is not None]
        self.table.set_rows([_row(row, columns, max(ends, default=1.0)) for row in rows])
        self.query_one("#summary", Lines).show(_summary(found) if found else Text(""))
        self._draw_about()

    def _empty(self) -> str:
        mirror = self.arena.mirror
        if not mirror.loaded:
            return "reading the store"
        if mirror.source is None:
            return "no store yet: `autoresearch claims` tells of what ships"
        return "no verdicts: ^r asks again" if self.wrong() else "the verdicts are being read, which takes some seconds"

    def _draw_about(self) -> None:
        found, key = self.findings(), self.table.cursor_key
        row = next((row for row in found.rows if row.name == key), None) if found else None
        self.query_one("#about-text", Lines).show(finding_text(row, self.app.size.width - 4) if row else Text(""))
        self.query_one("#about").scroll_home(animate=False)

    def on_virtual_table_highlighted(self) -> None:
        self._draw_about()


def columns_for(width: int) -> tuple[Column, ...]:
    """Of a screen so wide."""
    numbers = (column for least, column in NUMBERS if width >= least)
    return (Column("claim", "published finding", 0), *numbers)


def _row(row: Finding, columns: Sequence[Column], far: float) -> Row:
    cells: dict[str, Text | str] = {
        "claim": row.text,
        "verdict": styled(SHORTER.get(row.verdict, row.verdict), STYLES.get(row.verdict, "dim")),
        "effect": formatting.delta(row.effect),
        "n": str(row.n) if row.n else formatting.ABSENT,
        "left": str(row.runs_left) if row.runs_left else "",
        "reach": interval(row.low, row.effect, row.high, -far, far, REACH_CELLS),
        "p": formatting.ABSENT if row.p is None else f"{row.p:.2g}",
        "source": row.source,
    }
    return Row(row.name, tuple(cells[column.key] for column in columns))


def _summary(found: Findings) -> Text:
    """How the verdicts fell, and what is left to do."""
    counts = Counter(SHORTER.get(row.verdict, row.verdict) for row in found.rows)
    text = Text("  ".join(f"{verdict} {n}" for verdict, n in counts.most_common()))
    if found.runs_left:
        text.append(f"; {found.runs_left} runs left, {found.hours_left:.1f} core hours")
    return text


def finding_text(row: Finding, width: int) -> Text:
    """All that is known of a finding, the verdict first."""
    text = Text.assemble((row.verdict, STYLES.get(row.verdict, "bold")), f"  {row.text}\n")
    if row.artefact:
        text.append("an artefact of tuning: untuned arms said what tuned ones refute\n", "yellow")
    reach = "" if row.low is None or row.high is None else f"{row.low:+.4f} to {row.high:+.4f} nats/byte"
    if reach and row.p is not None:
        reach += f"  p {row.p:.2g}"
    if reach:
        reach += f"  n {row.n}"
    said = (
        ("because", row.why),
        ("interval", reach),
        ("tested by", row.tested + (", across budgets by declaration" if row.cross_budget else "")),
        ("published", f"{row.published} ({row.source})"),
        ("note", row.note),
        ("untuned", "" if row.untuned is None else f"{row.untuned:+.4f}, one search seed an arm"),
        ("left to run", f"{row.runs_left} runs" if row.runs_left else ""),
    )
    return text.append_text(labelled([(name, value) for name, value in said if value], width))
