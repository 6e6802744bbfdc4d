"""A report's figures as inline SVG; the page's style gives the colours, so that light and dark both read.

Series differ by dash and shape too, never by colour alone.
"""

from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise

from autoresearch.reporting.report import Curves, Figure, Forest, Trace
from autoresearch.submission.picture import ticks

WIDTH, HEIGHT = 800, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 50
NAMES_LEFT = 210  # room for a technique's name
NAME_CHARACTERS = 26  # of a 13 pixel font, about that room
ROW = 26
DASHES = ("none", "8 4", "2 3", "10 3 2 3")

Place = Callable[[float, float], tuple[float, float]]


def drawn(figure: Figure) -> str:
    match figure:
        case Trace():
            return _trace(figure)
        case Forest():
            return _forest(figure)
        case Curves():
            return _curves(figure)


def _trace(figure: Trace) -> str:
    numbers = [n for n, _ in figure.scored] + list(figure.failed) + list(figure.refused)
    xs = _whole(ticks(0, max(1, *numbers), 8))
    values = [v for _, v in figure.scored] + [v for _, v in figure.lines]
    ys = ticks(min(values), max(values), 6)
    place = _scale(xs, ys, LEFT, HEIGHT)
    body = _axes(xs, ys, place, LEFT, HEIGHT, "trial", "val_loss, nats per byte", ".6g")
    highest = max((value for _, value in figure.lines), default=0.0)
    for name, value in figure.lines:
        _, at = place(xs[0], value)
        body += [
            f'<line class="reference" x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}"/>',
            # the higher one above its line, the other below: they may be close
            _text(WIDTH - RIGHT - 4, at + (-4 if value == highest else 14), f"{name} {value:.4f}", "end"),
        ]
    for number, value in figure.scored:
        x, y = place(number, value)
        body.append(
            f'<circle class="c0" cx="{x:.1f}" cy="{y:.1f}" r="4">{_tip(f"trial {number}: {value:.4f}")}</circle>'
        )
    for lost, word, shape in ((figure.failed, "failed", _cross), (figure.refused, "refused", _square)):
        for number in lost:
            x, _ = place(number, ys[-1])
            body.append(shape(x, TOP + 6, f"trial {number} {word}"))
    # a staircase: each best holds until the next
    corners = [*figure.best, (max(numbers), figure.best[-1][1])]
    steps = [place(*corners[0])]
    for (_, before), (number, value) in pairwise(corners):
        steps += [place(number, before), place(number, value)]
    body.append(_polyline(steps, "l1", "none"))
    body += _legend([("best so far", "line l1"), ("a trial", "c0"), ("failed", "x"), ("refused", "q")])
    return _svg(HEIGHT, figure.alt, body)


def _forest(figure: Forest) -> str:
    height = TOP + BOTTOM + ROW * len(figure.effects)
    xs = ticks(min(0.0, *(e[2] for e in figure.effects)), max(0.0, *(e[3] for e in figure.effects)), 7)
    place = _scale(xs, [0, 1], NAMES_LEFT, height)
    body = _axes(xs, [], place, NAMES_LEFT, height, "effect on val_loss, nats per byte; left of zero helps", "", "")
    zero, _ = place(0.0, 0.0)
    body.append(f'<line class="ink" x1="{zero:.1f}" y1="{TOP}" x2="{zero:.1f}" y2="{height - BOTTOM}"/>')
    for at, (name, mean, low, high, n_runs) in enumerate(figure.effects):
        y = TOP + ROW * (at + 0.5)
        (x, _), (x1, _), (x2, _) = place(mean, 0), place(low, 0), place(high, 0)
        color = "1" if low > 0 else "0"
        told = _tip(f"{name}: {mean:+.4f}, {low:+.4f} to {high:+.4f}, {n_runs} runs")
        cut = name if len(name) <= NAME_CHARACTERS else name[: NAME_CHARACTERS - 3] + "..."
        body += [
            _text(NAMES_LEFT - 8, y + 4, f"{cut} ({n_runs})", "end"),
            f'<line class="l{color}" x1="{x1:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y:.1f}"/>',
            f'<circle class="c{color}" cx="{x:.1f}" cy="{y:.1f}" r="5">{told}</circle>',
        ]
    body.append(_text(NAMES_LEFT, 24, "point: mean; bar: 95 % of the belief; (runs)"))
    return _svg(height, figure.alt, body)


def _curves(figure: Curves) -> str:
    points = [point for _, series in figure.series for point in series]
    xs = _whole(ticks(0, max(step for step, _ in points), 8))
    ys = ticks(min(value for _, value in points), max(value for _, value in points), 6)
    place = _scale(xs, ys, LEFT, HEIGHT)
    body = _axes(xs, ys, place, LEFT, HEIGHT, "step", "probe loss, nats per byte", ".6g")
    entries = []
    for at, (number, series) in enumerate(figure.series):
        body.append(_polyline([place(*point) for point in series], f"l{at}", DASHES[at % len(DASHES)]))
        entries.append((f"trial {number}", f"line l{at} {DASHES[at % len(DASHES)]}"))
    return _svg(HEIGHT, figure.alt, body + _legend(entries))


def _scale(xs: Sequence[float], ys: Sequence[float], left: int, height: int) -> Place:
    def place(x: float, y: float) -> tuple[float, float]:
        across, up = (x - xs[0]) / (xs[-1] - xs[0]), (y - ys[0]) / (ys[-1] - ys[0])
        return left + across * (WIDTH - left - RIGHT), height - BOTTOM - up * (height - TOP - BOTTOM)

    return place


def _whole(marks: list[float]) -> list[float]:
    """Trials and steps have no halves."""
    return [mark for mark in marks if mark == int(mark)]


def _axes(
    xs: Sequence[float], ys: Sequence[float], place: Place, left: int, height: int, across: str, up: str, form: str
) -> list[str]:
    body = []
    for x in xs:
        at, _ = place(x, 0)
        body += [
            f'<line class="grid" x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{height - BOTTOM}"/>',
            _text(at, height - BOTTOM + 18, f"{x:g}", "middle"),
        ]
    for y in ys:
        _, at = place(xs[0], y)
        body += [
            f'<line class="grid" x1="{left}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}"/>',
            _text(left - 8, at + 4, format(y, form), "end"),
        ]
    body.append(_text((left + WIDTH - RIGHT) / 2, height - 10, across, "middle"))
    if up:
        body.append(_text(8, 24, up))
    return body


def _legend(entries: Sequence[tuple[str, str]]) -> list[str]:
    body = []
    for at, (name, mark) in enumerate(entries):
        x = WIDTH - RIGHT - 120 * (len(entries) - at)
        kind, *rest = mark.split(" ", 2)
        match kind:
            case "line":
                body.append(_polyline([(x, 20), (x + 24, 20)], rest[0], rest[1] if len(rest) > 1 else "none"))
            case "x":
                body.append(_cross(x + 12, 20, name))
            case "q":
                body.append(_square(x + 12, 20, name))
            case _:
                body.append(f'<circle class="{kind}" cx="{x + 12}" cy="20" r="4"/>')
        body.append(_text(x + 30, 24, name))
    return body


def _polyline(places: Sequence[tuple[float, float]], style: str, dash: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline class="{style}" stroke-dasharray="{dash}" points="{path}"/>'


def _cross(x: float, y: float, told: str) -> str:
    path = f"M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10"
    return f'<path class="l2" d="{path}">{_tip(told)}</path>'


def _square(x: float, y: float, told: str) -> str:
    return f'<rect class="open" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8">{_tip(told)}</rect>'


def _tip(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(height: int, alt: str, body: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(alt)}">'
    return "\n".join([head, _tip(alt), *body, "</svg>"])
