"""report.html: the report as one page that needs nothing else: no script, no font, no address."""

from html import escape

from autoresearch.reporting.markdown import as_of, few, linked
from autoresearch.reporting.plots import drawn
from autoresearch.reporting.report import Part, Report, Sentence, Table, Trials, shown
from autoresearch.visible import visible

LINK = '<a href="#trial-{}">#{}</a>'

# Okabe and Ito's colours, which colour-blind eyes tell apart; lighter ones on dark
_STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2937; --faint: #e5e7eb; --soft: #6b7280; --link: #0059a3;
  --c0: #0072b2; --c1: #d55e00; --c2: #b0367a; --c3: #007a5e; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --ink: #e5e7eb; --faint: #2f3640; --soft: #9ca3af;
  --link: #7cc4f5; --c0: #56b4e9; --c1: #e69f00; --c2: #e08fc0; --c3: #3fc79a; } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; max-width: 1100px;
  margin: 2rem auto; padding: 0 1rem; }
a { color: var(--link); } nav a { margin-right: 1em; white-space: nowrap; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--faint); }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 14px; }
th, td { padding: 3px 10px; border-bottom: 1px solid var(--faint); text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 600; } td { overflow-wrap: break-word; max-width: 28em; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr:target { outline: 2px solid var(--c1); }
figure { margin: 1rem 0; } svg { display: block; width: 100%; max-width: 800px; height: auto; }
figcaption { color: var(--soft); font-size: 14px; max-width: 800px; }
svg text { fill: var(--ink); font: 13px sans-serif; }
svg .grid { stroke: var(--faint); } svg .ink { stroke: var(--ink); }
svg .reference { stroke: var(--soft); stroke-dasharray: 6 4; }
svg .open { fill: none; stroke: var(--soft); stroke-width: 2; }
svg .l0, svg .l1, svg .l2, svg .l3 { fill: none; stroke-width: 2.5; }
svg .l0 { stroke: var(--c0); } svg .l1 { stroke: var(--c1); }
svg .l2 { stroke: var(--c2); } svg .l3 { stroke: var(--c3); }
svg .c0 { fill: var(--c0); } svg .c1 { fill: var(--c1); }
"""


def to_html(report: Report) -> str:
    title = f"{_text(report.study)}: report"
    body = [f"<h1>{title}</h1>", f"<p>As of {as_of(report)} UTC, from the ledger alone.</p>", _contents(report)]
    for at, section in enumerate(report.sections, start=1):
        body += [f'<section id="s{at}">', f"<h2>{_text(section.title)}</h2>", *map(_part, section.parts), "</section>"]
    head = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        # whatever a name or a message may hold, the browser is to load and run nothing
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
    ]
    return "\n".join([*head, *body, "</body>", "</html>"]) + "\n"


def _contents(report: Report) -> str:
    links = (f'<a href="#s{at}">{_text(s.title)}</a>' for at, s in enumerate(report.sections, start=1))
    return f"<nav>{' '.join(links)}</nav>"


def _part(part: Part) -> str:
    match part:
        case Sentence():
            text = linked(_text(part.text), part.trials, LINK)
            unnamed = tuple(n for n in part.trials if f'"#trial-{n}"' not in text)
            return f"<p>{text}{f' ({_links(unnamed)})' if unnamed else ''}</p>"
        case Table():
            return _table(part)
        case _:
            return f"<figure>\n{drawn(part)}\n<figcaption>{_text(part.alt)}</figcaption>\n</figure>"


def _table(table: Table) -> str:
    naming = not table.anchors and any(row.trials for row in table.rows)
    kinds = [' class="number"' if column.form else "" for column in table.columns]
    head = [f"<th{kind}>{_text(column.name)}</th>" for kind, column in zip(kinds, table.columns, strict=True)]
    lines = [f"<tr>{''.join(head)}{'<th>rests on</th>' * naming}</tr>"]
    for row in table.rows:
        cells = [
            linked(_text(shown(value, column.form)), row.trials, LINK)
            for value, column in zip(row.cells, table.columns, strict=True)
        ]
        begun = f'<tr id="trial-{row.cells[0]}">' if table.anchors else "<tr>"
        told = "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, cells, strict=True))
        lines.append(f"{begun}{told}{f'<td>{_links(row.trials)}</td>' * naming}</tr>")
    return "\n".join(['<div class="wide"><table>', *lines, "</table></div>"])


def _links(trials: Trials) -> str:
    named, more = few(trials)
    return ", ".join(LINK.replace("{}", str(n)) for n in named) + more


def _text(text: str) -> str:
    return escape(visible(text))
