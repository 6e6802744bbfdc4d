"""The filter language: words AND, `!` NOT, `|` OR, `field:value`, `knob>=number`. Pure: text in, a test of rows out.

`lion state:fail | lr>=1e-3 !sophia` keeps rows with lion that failed, and rows with lr from 0.001 on but not sophia.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(r'\||(?:"[^"]*"|[^\s|"])+|"')
_COMPARISON = re.compile(r"^([\w.]+)(>=|<=|>|<|=)(.*)$")
_FIELD = re.compile(r"^(\w+):(.*)$")

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "=": math.isclose,
}


class FilterError(Exception):
    """Why a filter can't be read, as a sentence."""


@dataclass(frozen=True)
class Facts:
    """What a filter may ask of a row. Texts in lower case; a number that a row lacks matches no comparison."""

    text: str
    fields: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)


Test = Callable[[Facts], bool]


def compile_filter(text: str, fields: Collection[str], numbers: Collection[str]) -> Test:
    """The test that a filter stands for, given the names it may use; raises FilterError."""
    groups: list[list[Test]] = [[]]
    for token in _TOKEN.findall(text):
        if token == '"':
            raise FilterError('a quote (") is left open')
        if token == "|":
            groups.append([])
        else:
            groups[-1].append(_term(token, fields, numbers))
    if groups == [[]]:
        return lambda facts: True
    if not all(groups):
        raise FilterError("| needs something on both sides")
    return lambda facts: any(all(test(facts) for test in group) for group in groups)


def _term(token: str, fields: Collection[str], numbers: Collection[str]) -> Test:
    if token.startswith("!"):
        if token == "!":
            raise FilterError("! needs a word after it")
        test = _term(token[1:], fields, numbers)
        return lambda facts: not test(facts)
    if compared := _COMPARISON.match(token):
        return _comparison(token, compared, numbers)
    named = _FIELD.match(token)
    if named and not token.startswith('"'):
        return _field(named[1].lower(), _bare(named[2]), fields)
    word = _bare(token)
    return lambda facts: word in facts.text


def _field(name: str, value: str, fields: Collection[str]) -> Test:
    if name not in fields:
        raise FilterError(f"there is no field {name}: the fields are {', '.join(sorted(fields))}")
    return lambda facts: value in facts.fields.get(name, "")


def _comparison(token: str, compared: re.Match[str], numbers: Collection[str]) -> Test:
    name, sign, value = compared.groups()
    if name not in numbers:
        known = ", ".join(sorted(n for n in numbers if "." not in n)[:12])
        raise FilterError(f"no row has a number named {name}: try {known}")
    try:
        limit = float(value)
    except ValueError:
        raise FilterError(f"{token}: {value or 'nothing'} is no number") from None
    compare = _COMPARE[sign]

    def test(facts: Facts) -> bool:
        number = facts.numbers.get(name)
        return number is not None and compare(number, limit)

    return test


def _bare(text: str) -> str:
    return text.replace('"', "").lower()
