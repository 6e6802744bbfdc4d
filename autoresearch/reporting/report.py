"""What a report is, as data: sections of sentences, tables and figures, each with the trials it rests on.

Text is plain here, users' names and messages included: a renderer escapes all of it.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

Value = str | int | float | None
Trials = tuple[int, ...]

FORMAT = 1
LOSS, DELTA, COUNT, SECONDS = ".4f", "+.4f", ",d", ",.0f"


@dataclass(frozen=True)
class Sentence:
    """Generated from numbers; `#7` in it is trial 7 when `trials` has it."""

    text: str
    trials: Trials = ()


@dataclass(frozen=True)
class Column:
    """A heading with its unit, and the format of its numbers."""

    name: str
    form: str = ""


@dataclass(frozen=True)
class Row:
    cells: tuple[Value, ...]
    trials: Trials = ()


@dataclass(frozen=True)
class Table:
    """With `anchors` its first column is the number of the trial that the row is about, where links lead."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    anchors: bool = False

    def __post_init__(self) -> None:
        wrong = [row for row in self.rows if len(row.cells) != len(self.columns)]
        assert not wrong, f"{len(self.columns)} columns, and {wrong[0]}"


@dataclass(frozen=True, kw_only=True)
class Trace:
    """val_loss by trial, nats per byte, and the best so far; what has no score is at the edge."""

    alt: str
    scored: tuple[tuple[int, float], ...]
    best: tuple[tuple[int, float], ...]
    failed: Trials
    refused: Trials
    lines: tuple[tuple[str, float], ...]  # the baseline's, and published ones as references


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Effects with their 95 % intervals, nats per byte: `(name, mean, low, high, runs)`."""

    alt: str
    effects: tuple[tuple[str, float, float, float, int], ...]


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Probe loss (train loss where none was probed) over steps: `(trial, ((step, nats per byte), ...))`."""

    alt: str
    series: tuple[tuple[int, tuple[tuple[int, float], ...]], ...]


Figure = Trace | Forest | Curves
Part = Sentence | Table | Figure


@dataclass(frozen=True)
class Section:
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The commentary on one study; `as_of` is the last change of the ledger, seconds since 1970 UTC."""

    study: str
    as_of: float
    sections: tuple[Section, ...]


def table(columns: tuple[Column, ...], rows: list[Row], anchors: bool = False) -> Table:
    """A table without the columns that no row fills."""
    kept = [i for i in range(len(columns)) if any(row.cells[i] is not None for row in rows)]
    return Table(
        tuple(columns[i] for i in kept),
        tuple(Row(tuple(row.cells[i] for i in kept), row.trials) for row in rows),
        anchors,
    )


def shown(value: Value, form: str) -> str:
    """A cell as text."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else format(value, form)


def to_json(report: Report) -> str:
    """Every number with all its digits; each part says what it is."""

    def plain(part: Part) -> dict[str, Any]:
        return {"kind": type(part).__name__.lower(), **asdict(part)}

    sections = [
        {"title": section.title, "parts": [plain(part) for part in section.parts]} for section in report.sections
    ]
    data = {"format": FORMAT, "study": report.study, "as_of": report.as_of, "sections": sections}
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
