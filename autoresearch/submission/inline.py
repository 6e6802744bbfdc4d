"""A function that is one expression and has one caller, written where it is called if the line has room for it."""

import ast
from collections.abc import Iterator

from autoresearch.submission.layout import WIDTH
from autoresearch.submission.plainer import Edit
from autoresearch.submission.whole import Script

_SIMPLE = (ast.Name, ast.Constant, ast.Attribute)
_WHOLE = (*_SIMPLE, ast.Call, ast.Subscript, ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.JoinedStr)


def inlined(script: Script) -> Iterator[Edit]:
    """One function at a time: what it says may hold the next one's call."""
    for name, function in script.functions.items():
        match function.body:
            case [ast.Return(value=ast.Name(id=given))] if [arg.arg for arg in function.args.args] == [given]:
                calls = script.calls_of[name]
                if calls and len(calls) == len(script.names[name]) and all(len(call.args) == 1 for call in calls):
                    yield from ((*script.span(call), script.source(call.args[0])) for call in calls)
                    return
            case [ast.Return(value=ast.expr() as value)] if not function.decorator_list:
                uses = script.names[name]
                if (
                    len(uses) == 1
                    and len(script.calls_of[name]) == 1
                    and (edit := _written_out(script, function, value))
                ):
                    yield edit
                    return


def _written_out(script: Script, function: ast.FunctionDef, value: ast.expr) -> Edit | None:
    (call,) = script.calls_of[function.name]
    if script.function_of(call) is None:
        return None
    names = [arg.arg for arg in function.args.args]
    args = function.args
    if args.vararg or args.kwarg or args.kwonlyargs or call.keywords or len(call.args) != len(names):
        return None
    if not all(isinstance(arg, _SIMPLE) and "(" not in ast.unparse(arg) for arg in call.args):
        return None
    if any(isinstance(n, ast.Lambda | ast.NamedExpr | ast.JoinedStr) for n in script.inside(value)):
        return None
    # a name of the script must not mean something else where it comes to stand
    around = _bound_around(script, call)
    uses = [n for n in script.inside(value) if isinstance(n, ast.Name)]
    if any(n.id in around for n in uses if script.is_global(n)) or any(
        script.bound.get(n) for n in script.inside(value)
    ):
        return None
    given = dict(zip(names, call.args, strict=True))
    start, end = script.span(value)
    edits = [(*script.span(n), script.source(given[n.id])) for n in uses if n.id in given]
    text = script.edited(start, end, edits)
    if not isinstance(value, _WHOLE) or (isinstance(value, ast.Tuple) and not text.startswith("(")):
        text = f"({text})"
    first, last = script.span(call)
    line = len(script.raw[script.raw.rindex(b"\n", 0, first) + 1 : script.raw.index(b"\n", last)].decode())
    if "\n" in text or line - (last - first) + len(text) > WIDTH:
        return None
    return first, last, text.encode()


def _bound_around(script: Script, node: ast.AST) -> set[str]:
    found: set[str] = set()
    at: ast.AST | None = node
    while at is not None and not isinstance(at, ast.Module):
        found |= script.bound.get(at, set())
        at = script.parents.get(at)
    return found
