"""Local edits: the incumbent with one or two of its choices changed. Knows no techniques, only names and ranges."""

import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from autoresearch.researcher.feasibility import TRIES
from bench.knobs import Choice, Span, Value

Chooser = Callable[[str, Span | Choice], Value]
Params = dict[str, Value]

ONE_EDIT = 0.7
# Knobs moved by a factor 10 ** N(0, sd), by the last part of their name; every other one is drawn anew.
JITTER = {"lr": 0.25, "weight_decay": 0.4}
# A learning rate is moved so many times as often as any other choice: on real text tuning is worth a technique or three
# (Muon has 1.0801 at its defaults, and 1.0186 with all its knobs tuned: `make measure optimizer`).
LR_WEIGHT = 3


def local_edit(
    walk: Callable[[Chooser], Any],
    incumbent: Mapping[str, Value],
    fresh: Chooser,
    rng: random.Random,
    unwanted: Callable[[Params], bool] = lambda params: False,
) -> Params:
    """The parameters of a neighbour, as `walk` asks for them; an unwanted one only if eight tries find no other.

    `walk` asks for every parameter that the answers so far make active, so an edit may bring new
    ones (those of a technique just switched on): `fresh` answers for these.
    """
    for _ in range(TRIES):
        edited = _edited(walk, incumbent, fresh, rng)
        if not unwanted(edited):
            break
    return edited


def _edited(
    walk: Callable[[Chooser], Any], incumbent: Mapping[str, Value], fresh: Chooser, rng: random.Random
) -> Params:
    active: dict[str, Span | Choice] = {}

    def kept(name: str, values: Span | Choice) -> Value:
        active[name] = values
        return incumbent[name] if name in incumbent and _holds(values, incumbent[name]) else fresh(name, values)

    walk(kept)
    movable = [name for name, values in active.items() if _width(values) > 1]
    n_edits = 1 if rng.random() < ONE_EDIT else 2
    moved: list[str] = []
    while len(moved) < min(n_edits, len(movable)):
        left = [name for name in movable if name not in moved]
        moved += rng.choices(left, [LR_WEIGHT if name.endswith("lr") else 1 for name in left])
    changes = {name: changed(name, active[name], incumbent.get(name), rng) for name in moved}
    params: Params = {}

    def choose(name: str, values: Span | Choice) -> Value:
        if name in changes and _holds(values, changes[name]):
            params[name] = changes[name]
        else:
            params[name] = kept(name, values)
        return params[name]

    walk(choose)
    return params


def changed(name: str, values: Span | Choice, now: Value | None, rng: random.Random) -> Value:
    """Another value: a different option, a jittered learning rate, or a new draw."""
    jitter = JITTER.get(name.rpartition(".")[2])
    if jitter and isinstance(values, Span) and isinstance(now, int | float) and not values.whole:
        return min(values.high, max(values.low, now * 10 ** rng.gauss(0.0, jitter)))
    if isinstance(values, Choice):
        return rng.choice([option for option in values.options if option != now])
    drawn = drawn_from(values, rng)
    while drawn == now:
        drawn = drawn_from(values, rng)
    return drawn


def drawn_from(values: Span | Choice, rng: random.Random) -> Value:
    """A value drawn evenly, over the logarithm where the range says so; whole numbers stay whole."""
    match values:
        case Choice(options=options):
            return rng.choice(options)
        case Span(low=low, high=high, log=log):
            if not values.whole:
                drawn = math.exp(rng.uniform(math.log(low), math.log(high))) if log else rng.uniform(low, high)
                return min(high, max(low, drawn))
            if log:
                return min(int(high), int(math.exp(rng.uniform(math.log(low), math.log(high + 1)))))
            return rng.randint(int(low), int(high))


def _holds(values: Span | Choice, value: Value) -> bool:
    match values:
        case Choice(options=options):
            return value in options
        case Span(low=low, high=high):
            return not isinstance(value, str) and low <= value <= high


def _width(values: Span | Choice) -> float:
    """How many values there are; infinite for an interval."""
    match values:
        case Choice(options=options):
            return len(options)
        case Span(low=low, high=high) if values.whole:
            return high - low + 1
        case Span(low=low, high=high):
            return math.inf if high > low else 1
