"""Numbers, times and names as the screens and the printed board spell them. Everything is plain text."""

import math
import re
import time
from collections.abc import Mapping

from bench.records import Identity, State

ABSENT = "-"


def loss(value: float | None) -> str:
    """Nats per byte; a number too large for four digits keeps its size instead of its digits."""
    if value is None or math.isnan(value):
        return ABSENT
    if math.isinf(value):
        return "inf"
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.2e}"


def delta(value: float | None) -> str:
    """New minus old with its sign; never `-0.0000`."""
    if value is None or not math.isfinite(value):
        return ABSENT
    text = f"{value:+.4f}"
    return " 0.0000" if float(text) == 0 else text


def size(n_bytes: int | None) -> str:
    if n_bytes is None:
        return ABSENT
    if n_bytes < 1000:
        return f"{n_bytes} B"
    for unit, scale in (("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        scaled = n_bytes / scale
        if scaled < 999.5 or unit == "GB":
            break
    return f"{scaled:.2f} {unit}" if scaled < 99.995 and unit != "kB" else f"{scaled:.0f} {unit}"


def amount(number: float | None) -> str:
    """A count in three digits: 950, 821k, 1.21M, 3.2e15."""
    if number is None:
        return ABSENT
    for unit, scale in (("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)):
        scaled = number / scale
        if scaled < 999.5:
            return f"{scaled:.0f}{unit}" if scaled >= 100 or not unit else f"{scaled:.3g}{unit}"
    return f"{number:.1e}"


def duration(seconds: float | None) -> str:
    """Two units at most: 41s, 3m12s, 2h05m, 3d04h."""
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def age(seconds: float) -> str:
    """One unit, so that an old age stands still on the screen: 42s, 5m, 3h, 2d."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return f"{int(seconds)}s"


def seconds(value: float | None) -> str:
    if value is None:
        return ABSENT
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def clock_time(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def day_time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def corpus(name: str, digest: str) -> str:
    return f"{name} {digest[:8]}"


def identity(of: Identity, corpus_name: str) -> str:
    """What a board's scores share, in one line."""
    return (
        f"{of.track} v{of.track_version}  {corpus(corpus_name, of.corpus_digest)}  "
        f"{of.steps} steps x {of.batch} x {of.seq_len} bytes  {of.device_class}"
    )


# What the header counts, in this order: the words a person asks for, shorter than the states' names.
COUNTED = (
    (State.RUNNING, "running"),
    (State.QUEUED, "queued"),
    (State.COMPLETE, "ok"),
    (State.FAILED, "failed"),
    (State.REFUSED, "refused"),
    (State.PRUNED, "pruned"),
    (State.INTERRUPTED, "interrupted"),
)


def counts(by_state: Mapping[State, int]) -> str:
    """`running 1  ok 12  failed 2`; states with nothing in them are left out."""
    return "  ".join(f"{word} {by_state[state]}" for state, word in COUNTED if by_state.get(state)) or "no trials yet"


def one_line(text: str) -> str:
    """Text of another program on one line, without control characters that would move the cursor."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def printable(text: str) -> str:
    """Text of another program on its own lines; control characters that would move the cursor are dropped."""
    return "\n".join("".join(c if c.isprintable() else " " for c in line) for line in text.splitlines())


_PICK = re.compile(r"([^\s()]+)(?:\(([^)]*)\))?")


def names_first(recipe: str) -> str:
    """A recipe for where it may be cut: `muon+normuon  lr=0.03` of `muon(lr=0.03) normuon`."""
    picks = _PICK.findall(recipe)
    knobs = " ".join(knobs for _, knobs in picks if knobs)
    return "+".join(name for name, _ in picks) + (f"  {knobs}" if knobs else "")
