"""Parameters that are the same in every call, that nobody reads, or whose default nobody needs."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from autoresearch.submission.folding import is_pure
from autoresearch.submission.plainer import Edit
from autoresearch.submission.scopes import bound_anywhere
from autoresearch.submission.whole import LIBRARY_NAMES, Script


@dataclass
class Callee:
    """The functions that go by one name, and every call of them; `skipped` is 1 for a method's `self`."""

    functions: list[ast.FunctionDef] = field(default_factory=list)
    calls: list[ast.Call] = field(default_factory=list)
    skipped: int = 0


def callees(script: Script) -> Iterator[Callee]:
    """Those whose calls are all seen: functions, methods by name, and what a class takes when it is made."""
    by_name: dict[tuple[str, str], Callee] = defaultdict(Callee)
    closed: set[tuple[str, str]] = set()
    for name, function in script.functions.items():
        by_name["", name].functions.append(function)
    for cls in script.classes.values():
        above = [base for base in script.bases(cls) if getattr(base, "__name__", "") != "Protocol"]
        for inner in cls.body:
            if not isinstance(inner, ast.FunctionDef):
                continue
            if inner.name == "__init__":
                key = ("", cls.name)
                if cls.name in script.subclassed or "Exception" in {base.__name__ for base in above}:
                    closed.add(key)
            else:
                key = (".", inner.name)
                if inner.decorator_list or inner.name in LIBRARY_NAMES or any(hasattr(b, inner.name) for b in above):
                    closed.add(key)
                if inner.name.startswith("__") or inner.name in script.stores:
                    closed.add(key)
            by_name[key].functions.append(inner)
            by_name[key].skipped = 1
    called = set()
    for call in script.calls:
        match call.func:
            case ast.Name(id=name) if script.is_global(call.func):
                by_name["", name].calls.append(call)
            case ast.Attribute(attr=name):
                by_name[".", name].calls.append(call)
        called.add(call.func)
    for node in script.nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Load()) if (
                node not in called and node not in script.annotations and script.is_global(node)
            ):
                closed.add(("", name))
            case ast.Attribute(attr=name, ctx=ast.Load()) if node not in called:
                closed.add((".", name))
            case ast.Constant(value=str(name)):
                closed.add((".", name))
    for key, callee in by_name.items():
        if key not in closed and callee.functions and callee.calls and _is_plain(callee):
            yield callee


def _is_plain(callee: Callee) -> bool:
    for function in callee.functions:
        args = function.args
        if args.vararg or args.kwarg or args.kwonlyargs or args.posonlyargs:
            return False
    spread = any(isinstance(arg, ast.Starred) for call in callee.calls for arg in call.args)
    return not spread and not any(k.arg is None for call in callee.calls for k in call.keywords)


def fewer_parameters(script: Script) -> Iterator[Edit]:
    """One parameter of one function less; the next round finds the next."""
    for callee in callees(script):
        first, *others = (_names(function, callee.skipped) for function in callee.functions)
        if any(names != first for names in others):
            continue
        for place, name in enumerate(first):
            if edits := list(_without(script, callee, place, name)):
                yield from edits
                break


def _names(function: ast.FunctionDef, skipped: int) -> list[str]:
    return [arg.arg for arg in function.args.args][skipped:]


def _given(call: ast.Call, place: int, name: str) -> ast.expr | None:
    if place < len(call.args):
        return call.args[place]
    return next((k.value for k in call.keywords if k.arg == name), None)


def _default(function: ast.FunctionDef, place: int, skipped: int) -> ast.expr | None:
    late = place + skipped - (len(function.args.args) - len(function.args.defaults))
    return function.args.defaults[late] if late >= 0 else None


def _without(script: Script, callee: Callee, place: int, name: str) -> Iterator[Edit]:
    given = [_given(call, place, name) for call in callee.calls]
    defaults = [_default(function, place, callee.skipped) for function in callee.functions]
    reads = [_reads(script, function, name) for function in callee.functions]
    if not any(reads) and all(value is None or is_pure(script, value) for value in given):
        yield from _taken_out(script, callee, place, name)
        return
    values = [value for value in given if value is not None]
    if len(values) < len(given):
        values += [default for default in defaults if default is not None]
    texts = {ast.unparse(value) for value in values}
    if (
        len(texts) == 1
        and _is_constant(script, values[0])
        and not any(_stored(script, f, name) for f in callee.functions)
    ):
        (text,) = texts
        if any(text in bound_anywhere(function) for function in callee.functions):
            return
        yield from _taken_out(script, callee, place, name)
        for found in reads:
            yield from ((*script.span(node), text.encode()) for node in found)
        return
    if len([v for v in given if v is not None]) == len(given):
        for function in callee.functions:
            late = place + callee.skipped - (len(function.args.args) - len(function.args.defaults))
            if late == 0:
                arg = function.args.args[place + callee.skipped]
                yield script.span(arg)[1], script.span(function.args.defaults[0])[1], b""


def _taken_out(script: Script, callee: Callee, place: int, name: str) -> Iterator[Edit]:
    for function in callee.functions:
        args = function.args
        ends = _with_defaults(script, args)
        yield from _fewer(ends, {place + callee.skipped})
    for call in callee.calls:
        items: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
        gone = {place} if place < len(call.args) else {
            n for n, item in enumerate(items) if isinstance(item, ast.keyword) and item.arg == name
        }  # fmt: skip
        if gone:
            yield from script.fewer(items, gone)


def _with_defaults(script: Script, args: ast.arguments) -> list[tuple[int, int]]:
    spans = [script.span(arg) for arg in args.args]
    for number, default in enumerate(args.defaults, start=len(args.args) - len(args.defaults)):
        end = script.span(default)[1]
        while script.raw[end : end + 1] == b")" and script.raw[spans[number][0] : end].count(b"(") > script.raw[
            spans[number][0] : end
        ].count(b")"):
            end += 1
        spans[number] = (spans[number][0], end)
    return spans


def _fewer(spans: list[tuple[int, int]], gone: set[int]) -> Iterator[Edit]:
    (place,) = gone
    if len(spans) == 1:
        yield spans[0][0], spans[0][1], b""
    elif place + 1 < len(spans):
        yield spans[place][0], spans[place + 1][0], b""
    else:
        yield spans[place - 1][1], spans[place][1], b""


def _reads(script: Script, function: ast.FunctionDef, name: str) -> list[ast.Name]:
    inside = [n for statement in function.body for n in script.inside(statement)]
    return [n for n in inside if isinstance(n, ast.Name) and n.id == name]


def _stored(script: Script, function: ast.FunctionDef, name: str) -> bool:
    """Whether the name is bound again inside, by whatever means."""
    for node in script.inside(function):
        match node:
            case ast.Name(id=own, ctx=ast.Store() | ast.Del()) if own == name:
                return True
            case ast.FunctionDef() | ast.Lambda() if node is not function:
                if name in {arg.arg for arg in node.args.args}:
                    return True
    return False


def _is_constant(script: Script, node: ast.expr) -> bool:
    """A value that stands for itself wherever it is written: nothing, or a name at the top of the script."""
    match node:
        case ast.Constant(value=None | bool() | 0):
            return True
        case ast.Tuple(elts=[]):
            return True
        case ast.Name(id=name):
            return name in script.at_top and script.is_global(node)
        case ast.Attribute(value=ast.Name(id=name) as of, attr=attr):
            return name in script.constants and script.is_global(of) and attr not in script.stores
    return False


# names for what has one already


def aliases(script: Script) -> Iterator[Edit]:
    """A local name of a constant is that constant; a function that only gives one back is it too."""
    for name, function in script.functions.items():
        match function.body:
            case [*_, ast.Return(value=ast.Name(id=constant))] if (
                len(_said(function)) == 1 and constant in script.constants
            ):
                for call in script.calls_of[name]:
                    if all(is_pure(script, arg) for arg in call.args):
                        yield (*script.span(call), constant.encode())
    for node in script.nodes:
        if not isinstance(node, ast.FunctionDef):
            continue
        stored = [n for n in script.inside(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)]
        for statement in node.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    once = sum(n.id == name for n in stored) == 1 and name not in {a.arg for a in node.args.args}
                    outer = {
                        n for s in script.inside(node) if isinstance(s, ast.Nonlocal | ast.Global) for n in s.names
                    }
                    if (
                        not once
                        or name in outer
                        or not _is_constant(script, value)
                        or _stored_inside(script, node, name)
                    ):
                        continue
                    text = script.source(value)
                    if text.decode() in bound_anywhere(node):
                        continue
                    yield from (
                        (*script.span(n), text) for n in _reads(script, node, name) if isinstance(n.ctx, ast.Load)
                    )
                    yield from script.without([statement])
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                    if any(not isinstance(n, ast.Name) for n in names) or len(names) != len(values):
                        continue
                    for target, value in zip(names, values, strict=True):
                        assert isinstance(target, ast.Name)
                        once = sum(n.id == target.id for n in stored) == 1
                        if not once or not _is_constant(script, value) or _stored_inside(script, node, target.id):
                            continue
                        place = names.index(target)
                        text = script.source(value)
                        yield from (
                            (*script.span(n), text)
                            for n in _reads(script, node, target.id)
                            if isinstance(n.ctx, ast.Load)
                        )
                        left = [n for n in range(len(names)) if n != place]
                        sides = (b", ".join(script.source(side[n]) for n in left) for side in (names, values))
                        yield (*script.span(statement), b" = ".join(sides))
                        break


def _said(function: ast.FunctionDef) -> list[ast.stmt]:
    return [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]


def _stored_inside(script: Script, function: ast.FunctionDef, name: str) -> bool:
    for node in script.inside(function):
        match node:
            case ast.FunctionDef(args=args) | ast.Lambda(args=args) if node is not function:
                if name in {arg.arg for arg in args.args}:
                    return True
    return False
