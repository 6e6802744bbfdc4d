"""report.md: the report as Markdown. Names and messages are data: nothing in them can become markup."""

import re
from datetime import UTC, datetime

from autoresearch.reporting.report import Part, Report, Sentence, Table, Trials, shown
from autoresearch.visible import visible

# how the folder's owner knows its own file
MARK = "<!-- written by autoresearch report -->"
MOST_LINKS = 12
LINK = "[#{}](#trial-{})"

# what could begin or end markup inside a line; an underscore within a word could not
_MARKUP = re.compile(r"[\\`*\[\]|~]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\.")
_BLOCK = re.compile(r"^(?=[#+\-=>])|^(\d+)(?=[.)])")


def to_markdown(report: Report) -> str:
    """One page; figures are told by their alternative text, and drawn on the HTML page."""
    parts = [MARK, f"# {plain(report.study)}: report", f"As of {as_of(report)} UTC, from the ledger alone."]
    parts.append(" | ".join(f"[{section.title}](#{_slug(section.title)})" for section in report.sections))
    for section in report.sections:
        parts += [f"## {section.title}", *(_part(part) for part in section.parts)]
    return "\n\n".join(parts) + "\n"


def as_of(report: Report) -> str:
    return datetime.fromtimestamp(report.as_of, UTC).strftime("%Y-%m-%d %H:%M")


def plain(text: str) -> str:
    """Any text as one line that shows as it is."""
    seen = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(lambda found: f"\\{found[0]}", seen)


def few(trials: Trials) -> tuple[Trials, str]:
    """The trials to name, each once, and how many more there are."""
    once = tuple(dict.fromkeys(trials))
    more = len(once) - MOST_LINKS
    return once[:MOST_LINKS], f" and {more} more" if more > 0 else ""


def linked(text: str, trials: Trials, link: str) -> str:
    """Escaped text with each `#7` of these trials as a link; `link` holds `{}` for the number."""

    def one(found: re.Match[str]) -> str:
        number = int(found[1])
        return link.replace("{}", str(number)) if number in trials else found[0]

    return re.sub(r"(?<![&\w])#(\d{1,9})\b", one, text)


def _part(part: Part) -> str:
    match part:
        case Sentence():
            return _BLOCK.sub(_guard, _said(part))
        case Table():
            return _table(part)
        case _:
            return f"*Figure, drawn in report.html: {plain(part.alt)}.*"


def _guard(found: re.Match[str]) -> str:
    return f"{found[1]}\\" if found[1] else "\\"


def _said(sentence: Sentence) -> str:
    text = linked(plain(sentence.text), sentence.trials, LINK)
    unnamed = tuple(n for n in sentence.trials if f"(#trial-{n})" not in text)
    return f"{text} ({_links(unnamed)})" if unnamed else text


def _links(trials: Trials) -> str:
    named, more = few(trials)
    return ", ".join(LINK.replace("{}", str(n)) for n in named) + more


def _table(table: Table) -> str:
    naming = not table.anchors and any(row.trials for row in table.rows)
    head = [plain(column.name) for column in table.columns] + ["rests on"] * naming
    right = [bool(column.form) for column in table.columns] + [False] * naming
    lines = [head, ["---:" if is_right else "---" for is_right in right]]
    for row in table.rows:
        cells = [
            linked(plain(shown(value, column.form)), row.trials, LINK)
            for value, column in zip(row.cells, table.columns, strict=True)
        ]
        if table.anchors:
            cells[0] = f'<a id="trial-{row.cells[0]}"></a>#{row.cells[0]}'
        lines.append([*cells, _links(row.trials)] if naming else cells)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _slug(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
