"""A config as the module that a script begins with: the recipe as data, its techniques by name, the entry point."""

import dataclasses
from typing import Any

from autoresearch.submission.bundle import bundle
from bench.catalog import technique_of
from bench.config import BROUGHT, SLOTS, RunConfig, fingerprint
from bench.estimate import estimate
from bench.tracks import track_named

# The module of the recipe, and that of a mixer which the fighter brings.
RECIPE, MIXER = "recipe", "mixer"
# What the run's page asks of the whole catalog, and the recipe answers for itself.
INSTEAD = {
    ("bench.catalog", "realise"): (RECIPE, "realise"),
    ("bench.estimate", "estimate"): (RECIPE, "estimate"),
    ("bench.config", "fingerprint"): (RECIPE, "fingerprint"),
    ("bench.config", "to_json"): (RECIPE, "to_json"),
}


@dataclasses.dataclass(frozen=True)
class Recorded:
    """What a script is told of the run that it repeats."""

    config: RunConfig
    seed: int
    threads: int
    more: tuple[str, ...] = ()  # what else the entry point takes


def script(recorded: Recorded, entry: tuple[str, str]) -> str:
    """The one file that repeats a run; `entry` is the function of ours, by module and name, that it ends in."""
    texts = {RECIPE: _module(recorded, entry)}
    mixer = recorded.config.pick("mixer")
    if mixer.name == BROUGHT:
        texts[MIXER] = str(mixer.knobs["code"])
    return bundle(texts, (RECIPE, "main"), INSTEAD)


def _module(recorded: Recorded, entry: tuple[str, str]) -> str:
    config = recorded.config
    track = dataclasses.replace(track_named(config.track), rules=(), published=(), title="")
    kinds = {
        slot.name: [_class_of(config, slot.name, n) for n in range(len(config.picks[slot.name]))] for slot in SLOTS
    }
    imported = {
        ("bench.config", "Budget"),
        ("bench.config", "RunConfig"),
        ("bench.stack", "Stack"),
        ("bench.estimate", "Estimate"),
        *((kind.__module__, kind.__name__) for kind in _dataclasses_in(track)),
        *(kind for chosen in kinds.values() for kind in chosen),
        entry,
    }
    # two techniques of one class name in two slots are told apart by their slot
    named: dict[tuple[str, str], str] = {}
    for module, name in sorted(imported):
        named[module, name] = name if name not in named.values() else f"{name}_{len(named)}"
    lines = [f"from {module} import {name} as {local}" for (module, name), local in named.items()]
    slots = []
    for slot in SLOTS:
        made = [
            f"{named[kind]}({', '.join(f'{knob}={value!r}' for knob, value in pick.shown.items())})"
            for kind, pick in zip(kinds[slot.name], config.picks[slot.name], strict=True)
        ]
        slots.append(f"    {slot.name}={_tuple(made) if slot.many else made[0]},")
    newline, given = "\n", "".join(f", {value!r}" for value in (recorded.seed, recorded.threads, *recorded.more))
    return f'''"""The recipe: the contest, and every technique by slot with its knobs."""

{newline.join(lines)}

TRACK = {_literal(track, 0)}
STACK = Stack(
    track=TRACK,
{newline.join(slots)}
)
PICKS = {{
    slot: chosen if isinstance(chosen, tuple) else (chosen,) for slot, chosen in vars(STACK).items() if slot != "track"
}}
CONFIG = RunConfig(track={config.track!r}, picks=PICKS, budget={_literal(config.budget, 1)})


def realise(config):
    return STACK


def estimate(config):
    """Parameters, FLOPs and tokens of the recorded budget, as its techniques declare them."""
    return {_literal(estimate(config), 1)}


def fingerprint(config):
    """Of the recorded config."""
    return {fingerprint(config)!r}


def to_json(config):
    """What a packed model says of itself: the recipe's techniques by slot with their knobs, and the budget."""
    picks = {{slot: [{{"name": t.name, "knobs": vars(t)}} for t in chosen] for slot, chosen in config.picks.items()}}
    return {{"track": config.track, "budget": config.budget.to_json(), "picks": picks{_told_otherwise(config)}}}


def main():
    # the recorded seed and number of threads: with them, the same kind of machine gives the same bits
    {named[entry]}(CONFIG, TRACK{given})
'''


def _tuple(texts: list[str]) -> str:
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def _told_otherwise(config: RunConfig) -> str:
    """Picks whose knobs are more than the technique's own: a mixer that a user brings carries its text."""
    plain = {
        slot: [{"name": pick.name, "knobs": dict(pick.knobs)} for pick in picks]
        for slot, picks in config.picks.items()
        if any(pick.name == BROUGHT for pick in picks)
    }
    return f" | {plain!r}" if plain else ""


def _class_of(config: RunConfig, slot: str, number: int) -> tuple[str, str]:
    """Module and name of the class behind a pick."""
    pick = config.picks[slot][number]
    chosen = technique_of(slot, pick)
    return (MIXER, chosen.text.class_name) if pick.name == BROUGHT else (chosen.__module__, chosen.__name__)


def _dataclasses_in(value: Any) -> set[type]:
    if dataclasses.is_dataclass(value):
        inner = (getattr(value, field.name) for field in dataclasses.fields(value))
        return {type(value)}.union(*(_dataclasses_in(each) for each in inner))
    return set().union(*(_dataclasses_in(each) for each in value)) if isinstance(value, tuple) else set()


def _literal(value: Any, depth: int) -> str:
    """A frozen record as the call that makes it, one field a line where there are many; defaults are left out."""
    if not dataclasses.is_dataclass(value):
        return repr(value)
    told = [
        f"{field.name}={_literal(getattr(value, field.name), depth + 1)}"
        for field in dataclasses.fields(value)
        if getattr(value, field.name) != field.default
    ]
    name = type(value).__name__
    if len(whole := f"{name}({', '.join(told)})") <= 100 and "\n" not in whole:
        return whole
    pad = "    " * (depth + 1)
    return f"{name}(\n" + "".join(f"{pad}{line},\n" for line in told) + f"{pad[4:]})"
