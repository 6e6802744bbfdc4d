"""What a language model may say: stacks of the catalog with knob values in range, each with a hypothesis. No more.

Its words are data. What is unknown, out of range or run before is rejected with a sentence, never bent into shape.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autoresearch.researcher.local import Params
from autoresearch.visible import visible
from bench.config import SLOTS, fingerprint
from bench.errors import ArenaError
from bench.knobs import Choice, Knob, Span, Value

if TYPE_CHECKING:
    # of its interface alone: the researcher reaches neither torch nor Optuna
    from autoresearch.space import Space

MOST_STACKS = 3
MOST_HYPOTHESIS = 300
MOST_QUOTED = 60

_Text = Annotated[str, Field(max_length=200)]
_Knob = bool | Annotated[int, Field(ge=-(2**53), le=2**53)] | Annotated[float, Field(allow_inf_nan=False)] | _Text


class Proposed(BaseModel):
    """One stack, as its difference from the incumbent's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    hypothesis: Annotated[str, Field(min_length=1, max_length=10_000, description="one sentence: why it would win")]
    techniques: Annotated[
        dict[_Text, Annotated[list[_Text], Field(max_length=30)]],
        Field(max_length=30, description="slot: its techniques, all of them; a slot not named stays as it is"),
    ]
    knobs: Annotated[
        dict[_Text, _Knob], Field(max_length=60, description="technique.knob: value; others stay as they are")
    ]
    effect: Annotated[
        float | None,
        Field(ge=-10, le=10, allow_inf_nan=False, description="expected change of val_loss"),
    ]
    basis: Annotated[list[int], Field(max_length=20, description="numbers of the trials it rests on")]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    stacks: Annotated[list[Proposed], Field(min_length=1, max_length=MOST_STACKS)]


SCHEMA: dict[str, Any] = Answer.model_json_schema()


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack that may be proposed: parameters of the study's space, and what goes beside the trial."""

    params: Params
    fingerprint: str
    hypothesis: str
    effect: float | None
    basis: tuple[int, ...]


@dataclass(frozen=True)
class Understood:
    """What of an answer can be proposed, and why the rest can't."""

    stacks: tuple[Stack, ...] = ()
    rejected: tuple[str, ...] = ()


class Unfit(Exception):
    """A stack that is none of this study's, as a sentence."""


def understood(text: str, space: "Space", incumbent: Mapping[str, Value], known: Mapping[str, int]) -> Understood:
    """Read an answer against a study; `known` are the trials by fingerprint."""
    try:
        answer = Answer.model_validate_json(_json_in(text))
    except ValidationError as wrong:
        return Understood(rejected=_objections(wrong))
    stacks: dict[str, Stack] = {}
    rejected = []
    for place, proposed in enumerate(answer.stacks, 1):
        try:
            stack = _stack(proposed, space, incumbent, known)
        except (Unfit, ArenaError) as wrong:
            rejected.append(f"stack {place}: {visible(str(wrong))}")
        else:
            stacks.setdefault(stack.fingerprint, stack)
    return Understood(tuple(stacks.values()), tuple(rejected))


def _json_in(text: str) -> str:
    """The text, or what stands in its first fence."""
    _, fence, rest = text.partition("```")
    return rest.partition("```")[0].strip().removeprefix("json") if fence else text


def _objections(wrong: ValidationError) -> tuple[str, ...]:
    """The first few, by place; never what was sent, which may be megabytes of anything."""
    found = wrong.errors(include_url=False, include_input=False, include_context=False)
    places = [(".".join(map(str, each["loc"])) or "the answer", each["msg"]) for each in found[:MOST_STACKS]]
    return tuple(visible(f"{place}: {said}", 160) for place, said in places)


def _stack(proposed: Proposed, space: "Space", incumbent: Mapping[str, Value], known: Mapping[str, int]) -> Stack:
    wanted: Params = {}
    for slot, names in proposed.techniques.items():
        wanted |= _choices(space, slot, names)
    params: Params = {}

    def choose(name: str, values: Span | Choice) -> Value:
        if name in proposed.knobs and "." in name:
            params[name] = _fitting(name, values, proposed.knobs[name])
        elif name in wanted:
            params[name] = wanted[name]
        elif name in incumbent and (not isinstance(values, Choice) or incumbent[name] in values.options):
            params[name] = incumbent[name]
        else:
            params[name] = space.unchanged(name, values)
        return params[name]

    config = space.walk(choose)
    if homeless := [name for name, value in wanted.items() if value is not False and name not in params]:
        raise Unfit(f"{homeless[0]} has no place in that stack")
    if idle := [name for name in proposed.knobs if name not in params or "." not in name]:
        raise Unfit(f"{_quoted(idle[0])} is no knob of that stack, or is pinned in this study")
    print_ = fingerprint(config)
    if print_ in known:
        raise Unfit(f"trial {known[print_]} was that already")
    if strangers := set(proposed.basis) - set(known.values()):
        raise Unfit(f"there is no trial {min(strangers)} to rest on")
    return Stack(
        params=params,
        fingerprint=print_,
        hypothesis=visible(proposed.hypothesis, MOST_HYPOTHESIS),
        effect=proposed.effect,
        basis=tuple(sorted(set(proposed.basis))),
    )


def _choices(space: "Space", slot: str, names: Collection[str]) -> Params:
    """The parameters that fill a slot with techniques."""
    many = {s.name: s.many for s in SLOTS}
    if slot not in many:
        raise Unfit(f"there is no slot {_quoted(slot)}")
    if slot not in space.division.free:
        raise Unfit(f"{space.division.name} fixes the slot {slot}")
    allowed = space.allowed(slot)
    if strangers := [name for name in names if name not in allowed]:
        raise Unfit(f"slot {slot} has no technique {_quoted(strangers[0])} in this study; it has {', '.join(allowed)}")
    if many[slot]:
        return {name: name in names for name in allowed}
    if len(names) != 1:
        raise Unfit(f"slot {slot} takes one technique, not {len(names)}")
    return {slot: next(iter(names))} if len(allowed) > 1 else {}


def _fitting(name: str, values: Span | Choice, value: Value) -> Value:
    """The value in the range's own type; Unfit outside it."""
    if isinstance(values, Span) and values.whole and isinstance(value, float) and value.is_integer():
        value = int(value)
    default = values.options[0] if isinstance(values, Choice) else (values.low if values.whole else float(values.low))
    knob = Knob(name, default, values, "")
    if misfit := knob.misfit(value):
        raise Unfit(f"{name} = {_quoted(str(value))} {misfit}")
    return knob.coerced(value)


def _quoted(text: str) -> str:
    return repr(visible(text, MOST_QUOTED))
