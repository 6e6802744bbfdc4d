"""The rows of words around a plot: header, legend, and the values under the crosshair."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from arena_tui.widgets.curve_picture import Picture
from arena_tui.widgets.curves import Floats, nearest
from arena_tui.widgets.plot_axes import value_label
from arena_tui.widgets.series import Palette, Series, View


class Part(NamedTuple):
    """A phrase of the header; the highest rank goes first when room is short, to its short form if it has one."""

    rank: int
    words: str
    short: str = ""


def header(title: str, x_name: str, view: View, picture: Picture | None, width: int, n_hidden: int = 0) -> str:
    """Title and state in one line; what says that something is not shown is shortened, and goes last."""
    parts = [Part(0, title)] if title else []
    parts.append(Part(3 if view.log_x else 5, f"x={x_name}" + (" log" if view.log_x else "")))
    if n_hidden:
        parts.append(Part(2, f"{n_hidden} hidden", f"-{n_hidden}"))
    if picture is None or not picture.refused_log:
        parts.append(Part(3, f"y={'log' if view.log_y else 'lin'}"))
    if view.smoothing > 0:
        parts.append(Part(3, f"ema {view.smoothing:g}" + (" + raw" if view.raw else "")))
    parts.append(Part(4, f"fit={'tail' if view.tail else 'full'}"))
    if view.window is not None:
        parts.append(Part(4, "zoom"))
    if picture is not None:
        parts += _not_shown(picture)
    while len(parts) > 1 and cell_len("  ".join(part.words for part in parts)) > width:
        i = max(range(len(parts)), key=lambda i: (parts[i].rank, i))
        parts[i : i + 1] = [Part(1, parts[i].short)] if parts[i].short else []
    return "  ".join(part.words for part in parts)


def _not_shown(picture: Picture) -> list[Part]:
    parts, counts = [], picture.clipped
    if picture.refused_log:
        parts.append(Part(2, "log y refused: no value is above 0", "y=lin!"))
    elif picture.n_dropped:
        parts.append(Part(2, f"{picture.n_dropped} not above 0 dropped", f"-{picture.n_dropped}"))
    if counts.above:
        parts.append(Part(2, f"^{counts.above} clipped, max {value_label(counts.highest)}", f"^{counts.above}"))
    if counts.below:
        parts.append(Part(2, f"v{counts.below} clipped, min {value_label(counts.lowest)}", f"v{counts.below}"))
    return parts + [Part(3, outside) for outside in picture.references_outside]


class Place(NamedTuple):
    """Where a curve's name stands in the legend: columns from start to stop."""

    key: str
    start: int
    stop: int


def legend(
    series: Sequence[Series],
    width: int,
    palette: Palette,
    hidden: Collection[str] = (),
    at: int | None = None,
) -> tuple[Text, list[Place]]:
    """Letter and name of each curve, and how many more there are when the row is full; where each name stands."""
    entries = [(s, f"({s.letter} {s.key})" if s.key in hidden else f"{s.letter} {s.key}") for s in series]
    # the entry that the keys are at is always in the row
    first = 0
    while at is not None and first < at and _width(entries[first : at + 1]) > width - 6:
        first += 1
    text, places = _row("" if not first else f"+{first}", entries[first:], width, palette)
    if at is not None:
        for place in places:
            if place.key == series[at].key:
                text.stylize("reverse", place.start, place.stop)
    return text, places


def _width(entries: Sequence[tuple[Series, str]]) -> int:
    return sum(cell_len(words) + 2 for _, words in entries)


def readout(
    series: Sequence[Series], lines: Sequence[Floats], x: float, x_name: str, width: int, palette: Palette
) -> Text:
    """Each curve's value at its point nearest to x; `-` where there is none so far along."""
    entries = []
    for s, line in zip(series, lines, strict=True):
        reached = len(s.x) > 0 and s.x[0] <= x <= s.x[-1]
        entries.append((s, f"{s.letter} {value_label(float(line[nearest(s.x, x)])) if reached else '-'}"))
    return _row(f"{x_name} {x:g}", entries, width, palette)[0]


def _row(start: str, entries: Sequence[tuple[Series, str]], width: int, palette: Palette) -> tuple[Text, list[Place]]:
    places: list[Place] = []
    text = Text(start, style=palette.base, no_wrap=True, end="")
    for nth, (series, words) in enumerate(entries):
        gap = 2 if text.plain else 0
        more = f"  +{len(entries) - nth}"
        room = width - text.cell_len - (len(more) if nth < len(entries) - 1 else 0)
        if gap + cell_len(words) > room:
            text.append(more.strip() if not text.plain else more, palette.axis)
            break
        text.append(" " * gap)
        places.append(Place(series.key, text.cell_len, text.cell_len + cell_len(words)))
        text.append(words, palette.curve(series.colour) + Style(bold=True))
    return text, places
