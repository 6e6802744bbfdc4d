"""A knob is a dataclass field that carries its default, its range and its reason, so they cannot drift apart."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

Value = float | int | str | bool


@dataclass(frozen=True)
class Span:
    """A closed interval; whole numbers when both ends are ints, searched on a log scale when `log`."""

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    options: tuple[Value, ...]

    def __str__(self) -> str:
        return "one of " + ", ".join(str(option) for option in self.options)


@dataclass(frozen=True)
class Knob:
    """One tunable field of a technique, read back from its class."""

    name: str
    default: Value
    range: Span | Choice
    why: str

    def misfit(self, value: Value) -> str | None:
        """Why the value can't stand here, as the end of a sentence; None when it can."""
        match self.range:
            case Choice(options=options):
                return None if value in options and type(value) is type(self.default) else f"is not {self.range}"
            case Span(low=low, high=high):
                if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                    return "is not a finite number"
                if self.range.whole and not isinstance(value, int):
                    return "is not a whole number"
                return None if low <= value <= high else f"is outside {self.range}"

    def coerced(self, value: Value) -> Value:
        """The value in the field's own type, so that 1 and 1.0 give one fingerprint."""
        if isinstance(self.default, float) and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        return value

    def to_json(self) -> dict[str, Any]:
        ends = (
            {"low": self.range.low, "high": self.range.high, "log": self.range.log}
            if isinstance(self.range, Span)
            else {"options": list(self.range.options)}
        )
        return {"name": self.name, "default": self.default, "range": ends, "why": self.why}


def knob(default: Value, range: Span | Choice, why: str) -> Any:
    """A dataclass field that is a knob; Any, so that the annotation of the field stays the only type."""
    return dataclasses.field(default=default, metadata={"range": range, "why": why})


@cache
def knobs_of(technique: Any) -> tuple[Knob, ...]:
    """The knobs of a technique class, in the order they are written."""
    return tuple(
        Knob(field.name, cast(Value, field.default), field.metadata["range"], field.metadata["why"])
        for field in dataclasses.fields(technique)
        if "range" in field.metadata
    )


def defaults_of(technique: Any) -> dict[str, Value]:
    return {knob.name: knob.default for knob in knobs_of(technique)}


def short(values: Mapping[str, Value]) -> str:
    """Knob values for one line of text: `lr=0.004 beta1=0.9`."""
    return " ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in values.items()
    )
