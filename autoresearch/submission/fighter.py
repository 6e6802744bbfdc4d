"""fighter.toml: a config entered in one division, with its seed, as text that a person can read and edit."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.brought import declared
from bench.config import BROUGHT, SLOTS, Budget, Pick, RunConfig, make_config
from bench.errors import ConfigError
from bench.knobs import Value

SHAPE = "a fighter has name, track, division, seed, [budget] and a [picks.SLOT.TECHNIQUE] for every pick"
# what the text of a mixer that the fighter brings is called, beside the TOML that names it
MIXER_FILE = "mixer.py"
TOP_LEVEL = {"name", "track", "division", "seed", "budget", "picks"}
# TOML promises no more than this, and a knob never needs it
LARGEST_INT = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Fighter:
    """A named config entered in exactly one division. `seed` is the one its score was made with."""

    name: str
    division: str
    seed: int
    config: RunConfig


def to_toml(fighter: Fighter) -> str:
    """Every slot in canonical order, every knob spelled out; `from_toml` gives back an equal fighter.

    The text of a brought mixer is a file of its own, `mixer_text` under the name MIXER_FILE. Raises ConfigError for a
    budget that no division has: a short run's, or one that a clock ends.
    """
    config, budget = fighter.config, fighter.config.budget
    if budget.short or budget.seconds is not None:
        what = "is of a short run" if budget.short else f"ends after {budget.seconds:g} s"
        raise ConfigError(
            f"a fighter's budget is in steps, and this one {what}", "run the config for a number of steps"
        )
    lines = [
        "# A fighter: one config, entered in one division. Every knob is spelled out, none is left to default.",
        f"name = {_toml(fighter.name)}",
        f"track = {_toml(config.track)}",
        f"division = {_toml(fighter.division)}",
        f"seed = {fighter.seed}",
        "",
        "[budget]",
        f"steps = {budget.steps}",
        f"batch = {budget.batch}  # sequences a step",
        f"seq_len = {budget.seq_len}  # bytes of context",
    ]
    for slot in SLOTS:
        picks = config.picks[slot.name]
        if not picks:
            lines += ["", f"[picks.{slot.name}]  # nothing"]
        for pick in picks:
            lines += ["", f"[picks.{slot.name}.{_key(pick.name)}]"]
            lines += [f"file = {_toml(MIXER_FILE)}"] if pick.name == BROUGHT else []
            lines += [f"{_key(knob)} = {_toml(value)}" for knob, value in pick.shown.items()]
    return "\n".join(lines) + "\n"


def mixer_text(config: RunConfig) -> str | None:
    """The text of the mixer that a config brings, if it brings one."""
    return str(config.pick("mixer").knobs["code"]) if config.brings_code else None


def no_file(name: str) -> str:
    raise ConfigError(f"the fighter names a file, {name}, and came without one", "keep the file beside the TOML")


def from_toml(text: str, file: Callable[[str], str] = no_file) -> Fighter:
    """The fighter that a text describes; a slot it leaves out gets its neutral pick. Raises ConfigError.

    `file` gives the text under a name, for a fighter that brings a mixer; nothing of that text is run.
    """
    try:
        plain = tomllib.loads(text)
    except (ValueError, RecursionError) as wrong:  # the second for brackets nested by the thousand
        raise ConfigError(f"the fighter is no TOML: {wrong}", SHAPE) from wrong
    if strange := sorted(set(plain) ^ TOP_LEVEL):
        raise ConfigError(f"the fighter lacks or should not have {', '.join(strange)}", SHAPE)
    budget = _table(plain["budget"], "budget")
    if strange := sorted(set(budget) ^ {"steps", "batch", "seq_len"}):
        raise ConfigError(f"[budget] lacks or should not have {', '.join(strange)}", "it has steps, batch and seq_len")
    numbers = {name: _whole(value, f"budget.{name}") for name, value in budget.items()}
    picks = {
        slot: tuple(_picks(slot, _table(chosen, f"picks.{slot}"), file))
        for slot, chosen in _table(plain["picks"], "picks").items()
    }
    return Fighter(
        name=_text(plain["name"], "name"),
        division=_text(plain["division"], "division"),
        seed=_whole(plain["seed"], "seed"),
        config=make_config(_text(plain["track"], "track"), picks, Budget(short=False, **numbers)),
    )


def _picks(slot: str, chosen: Mapping[str, Any], file: Callable[[str], str]) -> Iterator[Pick]:
    for name, plain in chosen.items():
        table = _table(plain, f"{slot}.{name}")
        knobs = {knob: _value(value, f"{slot}.{knob}") for knob, value in table.items()}
        if name == BROUGHT:
            where = _text(knobs.pop("file", None), f"{slot}.{name}.file")
            knobs = {**declared(file(where)).carried, **knobs}
        yield Pick(name, knobs)


def _table(plain: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(plain, dict):
        raise ConfigError(f"{where} is no table in the fighter", SHAPE)
    return plain


def _text(plain: Any, where: str) -> str:
    if not isinstance(plain, str):
        raise ConfigError(f"{where} is no text in the fighter", SHAPE)
    return plain


def _whole(plain: Any, where: str) -> int:
    if not isinstance(plain, int) or isinstance(plain, bool) or not 0 <= plain <= LARGEST_INT:
        raise ConfigError(f"{where} is no whole number from 0 up in the fighter", SHAPE)
    return plain


def _value(plain: Any, where: str) -> Value:
    if not isinstance(plain, bool | int | float | str) or (
        not isinstance(plain, str) and not abs(plain) <= LARGEST_INT
    ):
        raise ConfigError(f"{where} is nothing a knob can be", "a knob is a number, a text, true or false")
    return plain


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: Value) -> str:
    """Numbers as Python writes them, which loses no bit; text as JSON does, which TOML can read."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return repr(value)
