"""The text of a brought mixer, read by its syntax tree alone: one class, its name, its knobs, its points."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.errors import ConfigError
from bench.knobs import Choice, Knob, Span

MAX_BYTES = 65_536
HINT = "docs/bring-your-own-fighter.md has a whole file to begin from"
# the pick's and the fighter's own keys
RESERVED = frozenset({"title", "code", "file"})
METHODS = ("build", "flops", "parameters")
RANGES: dict[str, Any] = {"Span": Span, "Choice": Choice}
SHAPE = 'write `taps: int = knob(4, Span(2, 8), "why")`, with plain numbers'
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, kw_only=True)
class Text:
    """What a brought file says of itself."""

    code: str
    title: str
    class_name: str
    line: int
    doc: str
    source: str
    points: frozenset[str]
    knobs: tuple[Knob, ...]
    methods: frozenset[str]

    @property
    def label(self) -> str:
        return f"brought:{self.title}"

    @property
    def place(self) -> str:
        """What stands for a file name in tracebacks."""
        return f"<{self.label}>"


def wrong(line: int | None, what: str, hint: str = HINT) -> ConfigError:
    where = "the brought mixer" if line is None else f"the brought mixer, line {line}"
    return ConfigError(f"{where}: {' '.join(what.split())}", hint)


def read(code: str) -> Text:
    """What the text declares, without running it; raises ConfigError with the line that is wrong."""
    size = len(code.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise wrong(
            None, f"it has {size:,} bytes, and {MAX_BYTES:,} is the most", "leave out what the mixer does not need"
        )
    found = [(node, literals) for node, literals in _classes(_tree(code)) if literals.get("slot") == "mixer"]
    if not found:
        raise wrong(None, 'it has no class with `slot: ClassVar = "mixer"`')
    if len(found) > 1:
        (first, _), (second, _) = found[:2]
        raise wrong(second.lineno, f"{second.name} is a second mixer, after {first.name}", "keep one mixer in the file")
    ((node, literals),) = found
    return Text(
        code=code,
        title=_title(node, literals),
        class_name=node.name,
        line=node.lineno,
        doc=_doc(node),
        source=str(_attribute(node, literals, "source", str)),
        points=frozenset(_attribute(node, literals, "points", frozenset)),
        knobs=tuple(_knobs(node)),
        methods=_methods(node),
    )


def _tree(code: str) -> ast.Module:
    try:
        return ast.parse(code)
    except SyntaxError as broken:
        raise wrong(broken.lineno, f"a syntax error: {broken.msg}") from broken
    except (ValueError, RecursionError, MemoryError) as broken:  # null bytes, brackets nested by the thousand
        raise wrong(None, f"it is no Python: {broken or type(broken).__name__}") from broken


def _classes(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, dict[str, Any]]]:
    """The classes of the file's top level, each with the attributes that are plain values."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node, {name: _plain(value) for name, value in _assigned(node) if _is_plain(value)}


def _assigned(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for item in node.body:
        match item:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value


def _title(node: ast.ClassDef, literals: dict[str, Any]) -> str:
    title = str(_attribute(node, literals, "name", str))
    if not NAME.fullmatch(title):
        raise wrong(node.lineno, f"name is {title[:60]!r}, and is one word of up to 40 of a-z, 0-9 and _")
    return title


def _attribute(node: ast.ClassDef, literals: dict[str, Any], name: str, kind: type) -> Any:
    if not isinstance(literals.get(name), kind):
        example = {"points": "frozenset()", "name": '"my_mixer"', "source": '"my own"'}[name]
        raise wrong(node.lineno, f"{node.name} has no `{name}: ClassVar = {example}`")
    return literals[name]


def _doc(node: ast.ClassDef) -> str:
    doc = ast.get_docstring(node)
    if not doc:
        raise wrong(node.lineno, f"{node.name} has no docstring", "say in a line what the mixer does")
    return doc


def _methods(node: ast.ClassDef) -> frozenset[str]:
    found = frozenset(item.name for item in node.body if isinstance(item, ast.FunctionDef))
    if missing := [name for name in METHODS if name not in found]:
        raise wrong(node.lineno, f"{node.name} has no method {missing[0]}")
    return found


def _knobs(node: ast.ClassDef) -> Iterator[Knob]:
    for item in node.body:
        match item:
            case ast.AnnAssign(target=ast.Name(id=name)) if "ClassVar" not in ast.unparse(item.annotation):
                yield _knob(name, item)


def _knob(name: str, item: ast.AnnAssign) -> Knob:
    if name in RESERVED:
        raise wrong(item.lineno, f"no knob can be called {name}", "call it otherwise")
    match item.value:
        case ast.Call(func=ast.Name("knob"), args=[default, ast.Call(ast.Name(kind)) as ends, why], keywords=[]):
            pass
        case _:
            raise wrong(item.lineno, f"{name} is no knob", SHAPE)
    values = (default, why, *ends.args, *(keyword.value for keyword in ends.keywords))
    if kind not in RANGES or not all(_is_plain(value) for value in values):
        raise wrong(item.lineno, f"{name} is not written in plain values, and the file is not run to read it", SHAPE)
    try:
        named = {str(keyword.arg): _plain(keyword.value) for keyword in ends.keywords}
        knob = Knob(name, _plain(default), RANGES[kind](*(_plain(end) for end in ends.args), **named), str(_plain(why)))
        fault = _fault(knob)
    except (TypeError, ValueError) as broken:
        raise wrong(item.lineno, f"{name} is no knob: {broken}", SHAPE) from broken
    if fault:
        raise wrong(item.lineno, f"{name} {fault}", SHAPE)
    return knob


def _fault(knob: Knob) -> str | None:
    """Why a knob can't be searched, as the end of a sentence."""
    match knob.range:
        case Span(low=low, high=high, log=log):
            if not low < high or (log and low <= 0):
                return f"can't be searched from {low:g} to {high:g}"
            if knob.range.whole != isinstance(knob.default, int):
                return "has whole numbers on one side only"
        case Choice(options=options):
            if not isinstance(options, tuple) or len(set(options)) < 2:
                return "has no choice of two"
    misfit = knob.misfit(knob.default)
    return f"= {knob.default} {misfit}" if misfit else None


def _is_plain(value: ast.expr) -> bool:
    try:
        _plain(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
    return True


def _plain(value: ast.expr) -> Any:
    """A literal, or a frozenset of literals."""
    match value:
        case ast.Call(func=ast.Name(id="frozenset"), args=[], keywords=[]):
            return frozenset()
        case ast.Call(func=ast.Name(id="frozenset"), args=[inner], keywords=[]):
            return frozenset(ast.literal_eval(inner))
        case _:
            return ast.literal_eval(value)
