"""`--set`: `slot.knob=value` pins a knob, `slot=a,b` narrows a slot to some of its techniques."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.catalog import CATALOG, full_pick, technique
from bench.config import slot_named
from bench.divisions import Division, names
from bench.errors import BreachError, ConfigError
from bench.knobs import Value, knobs_of


@dataclass(frozen=True)
class Settings:
    """What the user fixed: techniques by slot, knob values by slot and technique."""

    narrowed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    knobs: dict[tuple[str, str], dict[str, Value]] = field(default_factory=dict)

    def pinned(self, slot: str, name: str) -> dict[str, Value]:
        return self.knobs.get((slot, name), {})


def parse_settings(texts: Iterable[str], division: Division) -> Settings:
    """Read and check the settings of a study; raises ConfigError or BreachError."""
    parsed = [_parsed(text) for text in texts]
    narrowed = {slot: _techniques(slot, right, division) for slot, knob, right in parsed if not knob}
    knobs: dict[tuple[str, str], dict[str, Value]] = {}
    for slot, knob, right in parsed:
        if knob:
            for name, value in _knob(slot, knob, right, division, narrowed.get(slot)).items():
                knobs.setdefault((slot, name), {})[knob] = value
    return Settings(narrowed, knobs)


def _parsed(text: str) -> tuple[str, str, str]:
    """Slot, knob (empty when a slot is narrowed) and the right side."""
    left, equals, right = text.partition("=")
    if not equals or not right.strip():
        raise ConfigError(f"--set {text} is no setting", "write slot.knob=value, or slot=technique,technique")
    slot, _, knob = left.strip().partition(".")
    return slot_named(slot).name, knob.strip(), right.strip()


def entrants(slot: str, division: Division) -> tuple[str, ...]:
    """The techniques that a division lets into a free slot."""
    return tuple(t.name for t in CATALOG[slot] if division.enters(slot, t.name))


def _techniques(slot: str, right: str, division: Division) -> tuple[str, ...]:
    wanted = tuple(name.strip() for name in right.split(",") if name.strip())
    if not wanted:
        raise ConfigError(f"--set {slot}={right} names no technique", "write slot=technique,technique")
    if wanted == ("none",) and slot_named(slot).many:
        wanted = ()
    for name in wanted:
        technique(slot, name)
        if not division.enters(slot, name):
            raise BreachError(
                division.no_entrant(slot, name), f"enter `open`, or take {name} out of `--set {slot}={right}`"
            )
    fixed = {pick.name for pick in division.fixed.picks[slot]}
    if slot not in division.free and set(wanted) != fixed:
        raise BreachError(
            f"{slot} is {' + '.join(wanted) or 'nothing'}, but {division.name} fixes it at "
            f"{names(division.fixed.picks[slot])}",
            f"enter `open`, or drop `--set {slot}={right}`",
        )
    return wanted


def _knob(slot: str, knob: str, text: str, division: Division, narrowed: tuple[str, ...] | None) -> dict[str, Value]:
    """The value for each technique of the slot that has the knob and may be chosen."""
    free = slot in division.free
    candidates: Iterable[str] = [p.name for p in division.fixed.picks[slot]]
    if free:
        candidates = narrowed if narrowed is not None else entrants(slot, division)
    found: dict[str, Value] = {}
    for name in candidates:
        known = {k.name: k for k in knobs_of(technique(slot, name))}
        if knob in known:
            value = _value(text, known[knob].default)
            found[name] = full_pick(slot, name, {knob: value}).knobs[knob]
    if not found:
        every = sorted({k.name for t in CATALOG[slot] for k in knobs_of(t)})
        raise ConfigError(
            f"slot {slot} has no knob {knob}", f"it has {', '.join(every)}" if every else f"{slot} has no knobs"
        )
    if not free and knob not in division.free_knobs:
        fixed = {p.name: p.knobs[knob] for p in division.fixed.picks[slot]}
        if found != fixed:
            raise BreachError(
                f"{slot}.{knob} is {text}, but {division.name} fixes it at {next(iter(fixed.values()))}",
                f"enter `open`, or drop `--set {slot}.{knob}={text}`",
            )
    return found


def _value(text: str, like: Value) -> Value:
    """The text as a value of the knob's type; a text that isn't stays one, for the range check to name."""
    if isinstance(like, bool):
        return {"true": True, "false": False}.get(text.lower(), text)
    for kind in (int, float):
        try:
            return kind(text) if not isinstance(like, str) else text
        except ValueError:
            continue
    return text
