"""curve.csv: step, seconds, train_loss, probe_loss; an empty cell where no probe was due."""

import math
import re
from collections.abc import Iterable

from bench.errors import ConfigError
from bench.records import Point

HEADER = "step,seconds,train_loss,probe_loss"
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def to_csv(points: Iterable[Point]) -> str:
    """Every number with all its digits."""
    rows = [
        f"{p.step},{p.seconds!r},{p.train_loss!r},{'' if p.probe_loss is None else repr(p.probe_loss)}" for p in points
    ]
    return "\n".join([HEADER, *rows]) + "\n"


def from_csv(text: str) -> list[Point]:
    """The points of a file, steps rising; raises ConfigError with the line that is wrong."""
    lines = text.split("\n")
    if lines[0] != HEADER or lines[-1] != "":
        raise ConfigError("the curve does not begin with its header or ends within a line", f"the header is {HEADER}")
    points: list[Point] = []
    for number, line in enumerate(lines[1:-1], start=2):
        cells = line.split(",")
        if len(cells) != 4 or not cells[0].isascii() or not cells[0].isdigit() or len(cells[0]) > 18:
            raise ConfigError(f"line {number} of the curve is no step with three numbers", f"the header is {HEADER}")
        seconds, train_loss = _finite(cells[1], number), _finite(cells[2], number)
        point = Point(int(cells[0]), seconds, train_loss, _finite(cells[3], number) if cells[3] else None)
        if points and (point.step <= points[-1].step or point.seconds < points[-1].seconds):
            raise ConfigError(f"line {number} of the curve goes back in steps or seconds", "a curve only goes forward")
        points.append(point)
    return points


def _finite(cell: str, line: int) -> float:
    value = float(cell) if _NUMBER.fullmatch(cell) else math.nan
    if not math.isfinite(value):
        raise ConfigError(f"line {line} of the curve holds what is no finite number", "every loss is a finite number")
    return value
