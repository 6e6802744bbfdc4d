"""The report on a study as lines for a list: what `autoresearch report NAME --json` says, fitted to a width.

Every number comes from the report itself; nothing is computed here but where a line ends.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from arena_tui.commands import UnknownFormatError
from arena_tui.formatting import names_first
from arena_tui.widgets.table import fit_cell

FORMAT = 1  # of the JSON that this module reads
GAP = 2
# cells of the drawn interval, and the least width at which there is room for one
REACH_CELLS, REACH_FROM = 31, 110
# a column of words gets no narrower than this while a wider one can give way
LEAST_WORDS = 14
# and columns of numbers are left out, the last first, where words would be cut to less than this: a row in full is
# told below
FAIR_WORDS = 26
RECIPE = "recipe"


@dataclass(frozen=True)
class Line:
    """One line of a section. `about` is a table's row in full, label by label; `trials` are what the line rests on."""

    key: str
    text: Text
    about: tuple[tuple[str, str], ...] = ()
    trials: tuple[int, ...] = ()


@dataclass(frozen=True)
class Section:
    title: str
    parts: tuple[Mapping[str, Any], ...]


def sections_of(text: str) -> tuple[Section, ...]:
    """The sections of a report's JSON; UnknownFormatError when it is another program's or a later one's."""
    try:
        report = json.loads(text)
        if report["format"] != FORMAT:
            raise UnknownFormatError(f"the report has format {report['format']}, and this program reads {FORMAT}")
        return tuple(Section(str(s["title"]), tuple(s["parts"])) for s in report["sections"])
    except (ValueError, KeyError, TypeError) as wrong:
        raise UnknownFormatError(f"the report can't be read: {wrong!r}") from wrong


def lines_of(section: Section, width: int) -> list[Line]:
    """A section's sentences wrapped and its tables set, each at most `width` cells."""
    lines: list[Line] = []
    for at, part in enumerate(section.parts):
        if part["kind"] == "forest":
            continue  # drawn beside the rows of its table
        if lines:
            lines.append(Line(f"{at}", Text("")))
        lines += _part(f"{at}", part, width)
    return lines


def _part(key: str, part: Mapping[str, Any], width: int) -> Iterator[Line]:
    if part["kind"] == "sentence":
        yield from _wrapped(key, str(part["text"]), tuple(part["trials"]), width, "")
    elif part["kind"] == "table":
        yield from _table(key, part["columns"], part["rows"], width)
    else:
        yield from _wrapped(key, str(part["alt"]), (), width, "dim italic")


def _wrapped(key: str, said: str, trials: tuple[int, ...], width: int, style: str) -> Iterator[Line]:
    for at, line in enumerate(textwrap.wrap(said, max(20, width)) or [""]):
        yield Line(f"{key}.{at}", Text(line, style), (), trials)


def shown(value: object, form: str) -> str:
    """A cell as the report's own renderers write it."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else format(value, form)


def _table(
    key: str, columns: Sequence[Mapping[str, str]], rows: Sequence[Mapping[str, Any]], width: int
) -> Iterator[Line]:
    names = [str(column["name"]) for column in columns]
    cells = [[shown(v, c["form"]) for v, c in zip(row["cells"], columns, strict=True)] for row in rows]
    right = [bool(column["form"]) for column in columns]
    reach = _reach(names, rows) if width >= REACH_FROM else None
    room = width - (REACH_CELLS + GAP if reach else 0)
    heads = [_head(name) for name in names]
    kept, widths = fitted_columns([heads, *cells], right, room)

    def set_(line: Sequence[str], style: str) -> Text:
        fitted = (_fitted(names[i], line[i], width) for i, width in zip(kept, widths, strict=True))
        return _set(list(fitted), widths, [right[i] for i in kept], style)

    yield Line(f"{key}.head", set_(heads, "bold dim") + Text(_scale(reach), "bold dim"))
    for at, (row, line) in enumerate(zip(rows, cells, strict=True)):
        text = set_(line, "")
        if reach is not None:
            text.append(" " * GAP + interval(*reach.ends(row["cells"]), reach.low, reach.high, REACH_CELLS))
        about = tuple((name, cell) for name, cell in zip(names, line, strict=True) if cell != "-")
        yield Line(f"{key}.{at}", text, about, tuple(row["trials"]))


def _head(name: str) -> str:
    """Without its unit, which the line below the list says with the whole name."""
    return name.partition(",")[0]


def _fitted(name: str, cell: str, width: int) -> str:
    """A recipe that will be cut says first what was chosen, or its likes would read alike."""
    return names_first(cell) if _head(name) == RECIPE and cell_len(cell) > width else cell


def fitted_columns(rows: Sequence[Sequence[str]], right: Sequence[bool], room: int) -> tuple[list[int], list[int]]:
    """Which columns are shown, and how wide each is."""
    kept = list(range(len(right)))
    while True:
        widths = fitted_widths([[row[i] for i in kept] for row in rows], [right[i] for i in kept], room)
        cut = sum(widths) + GAP * (len(widths) - 1) > room or any(
            width < min(FAIR_WORDS, max(cell_len(row[i]) for row in rows))
            for i, width in zip(kept, widths, strict=True)
            if not right[i]
        )
        # the first numbers are what a table is about
        spare = [i for i in kept if right[i]][2:]
        if not cut or not spare:
            return kept, widths
        kept.remove(spare[-1])


def fitted_widths(rows: Sequence[Sequence[str]], right: Sequence[bool], room: int) -> list[int]:
    """Numbers whole, words cut where they must be: the widest column of words gives way first."""
    widths = [max(cell_len(row[i]) for row in rows) for i in range(len(right))]
    words = [i for i in range(len(right)) if not right[i]]
    while sum(widths) + GAP * (len(widths) - 1) > room:
        widest = max(words, key=lambda i: widths[i], default=None)
        if widest is None or widths[widest] <= LEAST_WORDS:
            break
        others = sum(widths) - widths[widest] + GAP * (len(widths) - 1)
        second = max((widths[i] for i in words if i != widest), default=0)
        widths[widest] = max(LEAST_WORDS, min(widths[widest] - 1, max(room - others, second)))
    return widths


def _set(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool], style: str) -> Text:
    text = Text(style=style, no_wrap=True)
    for i, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        text.append_text(fit_cell(cell, width, right[i]))
        if i < len(cells) - 1:
            text.append(" " * GAP)
    return text


@dataclass(frozen=True)
class Reach:
    """Which columns are an interval and its middle, and the span that all of a table's intervals share."""

    at: tuple[int, int, int]
    low: float
    high: float

    def ends(self, cells: Sequence[Any]) -> tuple[float | None, float | None, float | None]:
        """Low, middle, high."""
        middle, low, high = (cells[i] for i in self.at)
        return low, middle, high


def _reach(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Reach | None:
    """The interval of a table whose columns `from` and `to` follow what they are about."""
    if "from" not in names or names.index("from") == 0 or "to" not in names:
        return None
    at = (names.index("from") - 1, names.index("from"), names.index("to"))
    ends = [row["cells"][i] for row in rows for i in at[1:] if row["cells"][i] is not None]
    if not ends:
        return None
    signed = names[at[0]].startswith(("effect", "beyond"))
    low, high = min(ends), max(ends)
    # an effect is read against zero, a score against the other scores
    return Reach(at, min(low, 0.0), max(high, 0.0)) if signed else Reach(at, low, high)


def _scale(reach: Reach | None) -> str:
    if reach is None:
        return ""
    low, high = f"{reach.low:.3g}", f"{reach.high:.3g}"
    return " " * GAP + low + " " * max(1, REACH_CELLS - len(low) - len(high)) + high


def interval(low: float | None, middle: float | None, high: float | None, first: float, last: float, width: int) -> str:
    """An interval drawn between `first` and `last`: dashes from low to high, `o` its middle, `|` zero where it lies."""
    if low is None or middle is None or high is None or last <= first:
        return " " * width

    def place(value: float) -> int:
        return min(width - 1, max(0, round((value - first) / (last - first) * (width - 1))))

    drawn = [" "] * width
    drawn[place(low) : place(high) + 1] = "-" * (place(high) + 1 - place(low))
    if first <= 0.0 <= last:
        drawn[place(0.0)] = "|"
    drawn[place(middle)] = "o"
    return "".join(drawn)
