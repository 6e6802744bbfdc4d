"""What a run is made of, as plain data: picks for every slot, a budget, and the fingerprint of both."""

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.errors import ConfigError
from bench.knobs import Value


@dataclass(frozen=True)
class Slot:
    """A place in the config. `many` slots hold any number of techniques, the others exactly one.

    `neutral` is the pick that means "nothing here" and is left out of the fingerprint: a slot added
    later leaves every earlier fingerprint as it was.
    """

    name: str
    many: bool = False
    neutral: str | None = None


SLOTS: tuple[Slot, ...] = (
    Slot("shape", neutral="fixed"),
    Slot("features", many=True),
    Slot("mixer"),
    Slot("mixer_modifiers", many=True),
    Slot("ffn"),
    Slot("residual", neutral="pre_norm"),
    Slot("block_modifiers", many=True),
    Slot("head", neutral="untied"),
    Slot("logits", many=True),
    Slot("init"),
    Slot("optimizer"),
    Slot("optimizer_modifiers", many=True),
    Slot("schedule"),
    Slot("averaging", neutral="last"),
    Slot("addons", many=True),
    Slot("precision", neutral="fp32"),
    Slot("precision_modifiers", many=True),
    Slot("codec"),
    Slot("evaluator", neutral="windows"),
)
SLOT_NAMES: tuple[str, ...] = tuple(slot.name for slot in SLOTS)
_BY_NAME = {slot.name: slot for slot in SLOTS}


def slot_named(name: str) -> Slot:
    if name in _BY_NAME:
        return _BY_NAME[name]
    raise ConfigError(f"there is no slot named {name}", f"the slots are {', '.join(SLOT_NAMES)}")


# The mixer that a user brings as a file: its text and the name it gives itself travel beside its knobs.
BROUGHT = "brought"
CARRIED = frozenset({"title", "code"})


@dataclass(frozen=True)
class Pick:
    """One slot filled: a technique's name and every one of its knobs, none left to default."""

    name: str
    knobs: Mapping[str, Value] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name for people: `lion`, and for what a user brings `brought:windowed_mean`."""
        return f"{BROUGHT}:{self.knobs.get('title', '')}" if self.name == BROUGHT else self.name

    @property
    def shown(self) -> Mapping[str, Value]:
        """The knobs for people: a text that a user brings is no knob."""
        if self.name != BROUGHT:
            return self.knobs
        return {name: value for name, value in self.knobs.items() if name not in CARRIED}


Picks = Mapping[str, tuple[Pick, ...]]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much training a run may use: optimizer updates, sequences a step, tokens of context.

    With `seconds` it ends at the first step that reaches them, or at `steps`; see `bench.training`.
    A `short` one is a step of a search: scored on the track's rung bytes, and never ranked with the others.
    """

    steps: int
    batch: int = 32
    seq_len: int = 96
    seconds: float | None = None
    short: bool = False

    def to_json(self) -> dict[str, Any]:
        """As data; written as it was before there were seconds and short runs, so that no earlier fingerprint moves."""
        left_out = ("seconds", "short")
        return {name: value for name, value in asdict(self).items() if name not in left_out or value}


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything a run depends on except the seed; equal configs have equal fingerprints."""

    track: str
    picks: Picks
    budget: Budget

    def pick(self, slot: str) -> Pick:
        """The one pick of a `one` slot."""
        (pick,) = self.picks[slot]
        return pick

    @property
    def brings_code(self) -> bool:
        """True when building its model runs a text that a user wrote."""
        return self.pick("mixer").name == BROUGHT

    def replaced(self, slot: str, picks: Iterable[Pick]) -> "RunConfig":
        return make_config(self.track, {**self.picks, slot: tuple(picks)}, self.budget)


def make_config(track: str, picks: Picks, budget: Budget) -> RunConfig:
    """A config in canonical order, with budget and the arity of every slot checked; raises ConfigError."""
    for name in picks:
        slot_named(name)
    if budget.seconds is not None:
        seconds: Any = budget.seconds
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
            raise ConfigError(f"budget.seconds = {seconds!r} is no time above zero", "give seconds, or leave them out")
    for name in ("steps", "batch", "seq_len"):
        amount = getattr(budget, name)
        if type(amount) is not int or amount < 1:
            raise ConfigError(f"budget.{name} = {amount!r} is no whole number above zero", f"give {name} as 1 or more")
    if type(budget.short) is not bool:
        raise ConfigError(f"budget.short = {budget.short!r} is neither true nor false", "leave it out for a ranked run")
    ordered: dict[str, tuple[Pick, ...]] = {}
    for slot in SLOTS:
        chosen = picks.get(slot.name, () if slot.many or slot.neutral is None else (Pick(slot.neutral),))
        if not slot.many and len(chosen) != 1:
            raise ConfigError(
                f"slot {slot.name} holds {len(chosen)} techniques and takes exactly one",
                f"name one technique for {slot.name}",
            )
        if len(chosen) > 1:
            names = [pick.name for pick in chosen]
            if len(set(names)) != len(names):
                raise ConfigError(f"slot {slot.name} names {', '.join(names)}: one of them twice", "name each once")
            chosen = tuple(sorted(chosen, key=lambda pick: pick.name))
        ordered[slot.name] = tuple(chosen)
    return RunConfig(track=track, picks=ordered, budget=budget)


def fingerprint(config: RunConfig) -> str:
    """Hash of all a run depends on but the seed: 32 hex digits of SHA-256 over canonical JSON."""
    telling = {
        slot.name: [{"name": pick.name, "knobs": dict(pick.knobs)} for pick in config.picks[slot.name]]
        for slot in SLOTS
        if config.picks[slot.name] and config.picks[slot.name] != (Pick(slot.neutral or ""),)
    }
    text = canonical({"track": config.track, "picks": telling, "budget": config.budget.to_json()})
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def canonical(plain: Any) -> str:
    """JSON with one spelling: sorted keys, no blanks, no NaN."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def to_json(config: RunConfig) -> dict[str, Any]:
    return {
        "track": config.track,
        "budget": config.budget.to_json(),
        "picks": {
            slot: [{"name": pick.name, "knobs": dict(pick.knobs)} for pick in picks]
            for slot, picks in config.picks.items()
        },
    }


@functools.cache
def _bare(name: str) -> "Pick":
    """A technique without knobs: a ledger of ten thousand configs holds each of them a hundred thousand times."""
    return Pick(name, {})


def from_json(plain: Mapping[str, Any]) -> RunConfig:
    """The config that `to_json` wrote; a slot it does not know yet gets its neutral pick."""
    try:
        picks = {
            slot: tuple(
                Pick(pick["name"], dict(pick["knobs"])) if pick["knobs"] else _bare(pick["name"]) for pick in chosen
            )
            for slot, chosen in plain["picks"].items()
        }
        return make_config(plain["track"], picks, Budget(**plain["budget"]))
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise ConfigError(f"this is no config: {wrong!r}", "a config has track, budget and picks by slot") from wrong
