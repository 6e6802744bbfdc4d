"""curve.svg: the training curve as a picture that any browser shows, written without a plotting library."""

import math
import re
from collections.abc import Sequence
from xml.sax.saxutils import escape

from bench.records import Point

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 62, 52
TITLE_CHARACTERS = 80  # of a bold 15 pixel font, about the width
TRAIN, PROBE, INK, GRID = "#8a94a6", "#c2410c", "#1f2937", "#e5e7eb"


def to_svg(points: Sequence[Point], title: str) -> str:
    """Train and probe loss over steps, nats per byte; says so when there is nothing to draw."""
    shown = title if len(title) <= TITLE_CHARACTERS else title[: TITLE_CHARACTERS - 3] + "..."
    trained = [(p.step, p.train_loss) for p in points]
    probed = [(p.step, p.probe_loss) for p in points if p.probe_loss is not None]
    losses = [loss for _, loss in trained + probed]
    xs = ticks(0, max([p.step for p in points], default=10), 8)
    ys = ticks(min(losses, default=0.0), max(losses, default=1.0), 6)

    def place(step: float, loss: float) -> tuple[float, float]:
        across = (step - xs[0]) / (xs[-1] - xs[0])
        up = (loss - ys[0]) / (ys[-1] - ys[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    body = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>', _text(LEFT, 24, shown, size=15, bold=True)]
    for x in xs:
        at, _ = place(x, ys[0])
        body += [_line(at, TOP, at, HEIGHT - BOTTOM, GRID), _text(at, HEIGHT - BOTTOM + 18, f"{x:g}", anchor="middle")]
    for y in ys:
        _, at = place(xs[0], y)
        body += [_line(LEFT, at, WIDTH - RIGHT, at, GRID), _text(LEFT - 8, at + 4, f"{y:.6g}", anchor="end")]
    body += [
        _line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, INK),
        _line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, INK),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, "step", anchor="middle"),
        _text(LEFT, 46, "nats per byte"),
    ]
    if not points:
        body.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT / 2, "no point was recorded", anchor="middle"))
    body += _series([place(*at) for at in trained], TRAIN, "train_loss", WIDTH - RIGHT - 200, dots=len(trained) < 3)
    body += _series([place(*at) for at in probed], PROBE, "probe_loss", WIDTH - RIGHT - 95, dots=True)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
    return "\n".join(
        ['<?xml version="1.0" encoding="UTF-8"?>', head, f"<title>{_plain(title)}</title>", *body, "</svg>\n"]
    )


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`, about so many; at least two."""
    rough = max(high - low, abs(high) * 1e-6, 1e-9) / most
    power = 10.0 ** math.floor(math.log10(rough))
    # the last may be off by a rounding error: 10 always serves
    step = power * next(nice for nice in (1, 2, 5, 10) if nice * power >= rough or nice == 10)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    # through text, so that 0.30000000000000004 is drawn and written as 0.3
    return [float(f"{n * step:.12g}") for n in range(first, max(last, first + 1) + 1)]


def _series(places: Sequence[tuple[float, float]], color: str, name: str, legend: float, dots: bool) -> list[str]:
    """A line with its entry in the legend."""
    drawn = [_line(legend, 42, legend + 22, 42, color, 2), _text(legend + 28, 46, name)]
    if len(places) > 1:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        drawn.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2" stroke-linejoin="round"/>'
        )
    if dots:
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places]
    return drawn


def _line(x1: float, y1: float, x2: float, y2: float, color: str, width: int = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, size: int = 12, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    font = f'font-family="sans-serif" font-size="{size}" text-anchor="{anchor}"{weight}'
    return f'<text x="{x:.1f}" y="{y:.1f}" {font} fill="{INK}">{_plain(text)}</text>'


def _plain(text: str) -> str:
    """Text for XML: escaped, and without the characters that XML can't hold at all."""
    return escape(re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text))
