"""Branches and loops of a script that its values decide already: only the side that runs stays."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from autoresearch.submission.known import Known, Named, UnknownError
from autoresearch.submission.plainer import Edit
from autoresearch.submission.whole import Script, dotted

_NOTHING = {"NoneType": "None", "tuple": "()", "list": "[]", "bool": ""}
# Calls that change nothing and can be left out with what they give.
PURE = frozenset({
    "len", "tuple", "list", "int", "float", "str", "bool", "min", "max", "sum", "range", "zip", "isinstance", "getattr",
    "dict", "set", "any", "all", "sorted", "enumerate", "partial", "time.perf_counter", "replace", "math.log",
    "reversed", "peak_bytes", "resource.getrusage", "hashlib.sha256", "nn.ModuleList", "struct.unpack_from",
})  # fmt: skip


def folded(script: Script) -> Iterator[Edit]:
    """Every decision that is known before the script runs."""
    known = Known(script)
    gone: list[ast.stmt] = []
    for node in script.nodes:
        match node:
            case ast.Assert():
                gone.append(node)
            # like an assertion, about our own code
            case ast.If(
                test=test, body=[ast.Raise(exc=ast.Call(func=ast.Name(id="TypeError" | "ValueError")))], orelse=[]
            ):
                if is_pure(script, test) and not isinstance(script.parents[node], ast.Try):
                    gone.append(node)
            case ast.If(test=test):
                if (decided := _decided(known, test)) is not None:
                    yield _branch(script, node, decided)
            case ast.For(iter=items, orelse=[]):
                if _is_empty(known, items) or (_only_passes(node.body) and is_pure(script, items)):
                    gone.append(node)
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) as call) if (
                name in known.idle
            ):
                if all(is_pure(script, arg) for arg in call.args):
                    gone.append(node)
            case ast.Match(cases=cases) if len(cases) > 1 and all(isinstance(c.pattern, ast.MatchValue) for c in cases):
                # one of several numbers for which nothing is done
                idle = [case for case in cases if _only_passes(case.body)][: len(cases) - 1]
                for case in idle:
                    yield script.case_lines(case)
            case ast.expr():
                yield from _expression(script, known, node)
    for node in script.nodes:
        gone += _after_the_end(node)
        if isinstance(node, ast.If) and _only_passes([*node.body, *node.orelse]) and is_pure(script, node.test):
            gone.append(node)
    yield from script.without(gone)


def _after_the_end(node: ast.AST) -> list[ast.stmt]:
    """Statements below a `return`."""
    body = getattr(node, "body", None)
    if isinstance(body, list):
        for number, statement in enumerate(body[:-1], start=1):
            if isinstance(statement, ast.Return | ast.Raise):
                return list(body[number:])
    return []


def _only_passes(body: list[ast.stmt]) -> bool:
    return all(isinstance(statement, ast.Pass) for statement in body)


def is_pure(script: Script, node: ast.expr) -> bool:
    """Whether an expression may be left out when nobody wants its value."""
    for inner in script.inside(node):
        match inner:
            case ast.NamedExpr() | ast.Await() | ast.Yield() | ast.YieldFrom():
                return False
            case ast.Call(func=func):
                name = dotted(func)
                if name in PURE:
                    continue
                if name in script.classes and _is_made_purely(script, script.classes[name]):
                    continue
                method = func.attr if isinstance(func, ast.Attribute) else name
                if method in _PURE_METHODS or script.is_pure_function(method, lambda inner: is_pure(script, inner)):
                    continue
                return False
    return True


_PURE_METHODS = frozenset({
    "size", "items", "hexdigest", "digest", "values", "keys", "numel", "parameters", "is_file", "get", "encode", "stat",
    "removeprefix", "startswith", "dim", "isfinite", "partition", "rpartition",
    # every rank asks for it or none does
    "slowest",
})  # fmt: skip


def _is_made_purely(script: Script, cls: ast.ClassDef) -> bool:
    return script.is_record(cls) or not any(getattr(inner, "name", "") == "__init__" for inner in cls.body)


def _decided(known: Known, node: ast.expr) -> bool | None:
    try:
        found = known.value(node)
    except UnknownError:
        return True if known.is_object(node) else _always_false(known, node)
    # what a test names on its way stays
    binds = any(isinstance(inner, ast.NamedExpr) for inner in ast.walk(node))
    return None if binds and found else bool(found)


def _always_false(known: Known, node: ast.expr) -> bool | None:
    match node:
        case ast.BoolOp(op=ast.And(), values=values) if any(_decided(known, v) is False for v in values):
            return False if all(is_pure(known.script, v) for v in values) else None
    return None


def _is_empty(known: Known, node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and dotted(node.func) in ("reversed", "enumerate") and len(node.args) == 1:
        return _is_empty(known, node.args[0])
    try:
        return known.value(node) in ((), [])
    except UnknownError:
        return False


def _branch(script: Script, node: ast.If, runs: bool) -> Edit:
    """The `if` without the side that never runs."""
    start, end = script.whole_lines(node)
    at = script.span(node)[0]
    later = script.raw[at : at + 4] == b"elif"
    indent = b" " * node.col_offset
    if runs and later:
        body = script.raw[script.lines(node.body[0])[0] : script.lines(node.body[-1])[1]]
        return script.lines(node)[0], end, indent + b"else:\n" + body
    if runs:
        return start, end, _dedented(script, node.body)
    match node.orelse:
        case []:
            if later:
                return script.lines(node)[0], end, b""
            alone = _is_alone(script, node)
            return start, end, indent + b"pass\n" if alone else b""
        case [ast.If() as other] if script.raw[script.span(other)[0] :].startswith(b"elif"):
            first = script.span(other)[0] + (0 if later else 2)
            return (at if later else start), end, (b"" if later else indent) + script.raw[first:end]
        case _:
            if later:
                body = script.raw[script.lines(node.orelse[0])[0] : script.lines(node.orelse[-1])[1]]
                return script.lines(node)[0], end, indent + b"else:\n" + body
            return start, end, _dedented(script, node.orelse)


def _is_alone(script: Script, node: ast.stmt) -> bool:
    parent = script.parents[node]
    return any(getattr(parent, name, None) == [node] for name in ("body", "orelse", "finalbody"))


def _dedented(script: Script, body: list[ast.stmt]) -> bytes:
    first, last = script.whole_lines(body[0])[0], script.lines(body[-1])[1]
    return re.sub(rb"^    ", b"", script.raw[first:last], flags=re.MULTILINE)


def _expression(script: Script, known: Known, node: ast.expr) -> Iterator[Edit]:
    match node:
        case ast.IfExp(test=test):
            if (decided := _decided(known, test)) is not None:
                yield _as(script, node, node.body if decided else node.orelse)
        case ast.BoolOp(values=values):
            yield from _shorter(script, known, node, values)
        case ast.ListComp(generators=[generator]) | ast.GeneratorExp(generators=[generator]):
            if not isinstance(node, ast.ListComp | ast.GeneratorExp):
                return
            if _is_empty(known, generator.iter) or any(_decided(known, t) is False for t in generator.ifs):
                empty = b"[]" if isinstance(node, ast.ListComp) else b"()"
                bare = script.raw[script.span(node)[0] : script.span(node)[0] + 1] in b"(["
                yield (*script.span(node), empty if bare else b"()")
            else:
                for test in generator.ifs:
                    if _decided(known, test) is True:
                        start, end = script.span(test)
                        lead = script.raw.rindex(b" if ", 0, start)
                        yield lead, end, b""
        case ast.List(elts=elts) | ast.Tuple(elts=elts):
            gone = {n for n, e in enumerate(elts) if isinstance(e, ast.Starred) and _is_empty(known, e.value)}
            if gone and len(elts) - len(gone) != 1:
                yield from script.fewer(elts, gone)
            elif gone:
                (left,) = (e for n, e in enumerate(elts) if n not in gone)
                if isinstance(left, ast.Starred):
                    given, how = script.source(left.value), b"list(%s)" if isinstance(node, ast.List) else b"tuple(%s)"
                    yield (*script.span(node), how % given)
                else:
                    yield (
                        *script.span(node),
                        (b"[%s]" if isinstance(node, ast.List) else b"(%s,)") % script.source(left),
                    )
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            for side, other in ((left, right), (right, left)):
                if isinstance(side, ast.Tuple | ast.List) and not side.elts:
                    yield _as(script, node, other)
        case ast.BinOp(op=ast.Sub(), left=left, right=right) if _is_zero(known, right):
            yield _as(script, node, left)
        case ast.Call(func=ast.Name(id="sum"), args=[items, start]) if _is_empty(known, items):
            yield _as(script, node, start)
        case ast.Call(func=ast.Name(id="getattr"), args=[of, ast.Constant(value=str(name)), _]):
            if not isinstance(of, ast.Name | ast.Attribute):
                return
            yield from _nothing(script, known, node)
            _ = name
        case ast.Name(ctx=ast.Load()):
            if node not in script.annotations:
                yield from _nothing(script, known, node)
        case ast.Attribute(ctx=ast.Load()) | ast.Call() | ast.Subscript(ctx=ast.Load()):
            yield from _nothing(script, known, node)


def _is_named(known: Known, node: ast.expr) -> bool:
    try:
        return isinstance(known.value(node), Named)
    except UnknownError:
        return False


def _is_zero(known: Known, node: ast.expr) -> bool:
    try:
        return type(found := known.value(node)) is int and found == 0
    except UnknownError:
        return False


def _nothing(script: Script, known: Known, node: ast.expr) -> Iterator[Edit]:
    """A value that is nothing at all, written out."""
    parent = script.parents[node]
    if (
        isinstance(node, ast.Attribute)
        and isinstance(parent, ast.Call)
        and parent.func is node
        and not _is_named(known, node)
    ):
        return
    try:
        found = known.value(node)
    except UnknownError:
        return
    text = found.name if isinstance(found, Named) else _text(found)
    if isinstance(found, Named) and isinstance(node, ast.Name | ast.Lambda):
        return
    if text is not None and text != script.source(node).decode():
        yield (*script.span(node), text.encode())


def _text(found: Any) -> str | None:
    if found is None or isinstance(found, bool):
        return repr(found)
    if isinstance(found, int) and found == 0:
        return "0"
    return {(): "()"}.get(found) if isinstance(found, tuple) else ("[]" if found == [] else None)


def _shorter(script: Script, known: Known, node: ast.BoolOp, values: list[ast.expr]) -> Iterator[Edit]:
    """`and` and `or` without the sides that decide nothing."""
    neutral = isinstance(node.op, ast.And)
    decided = [_decided(known, value) for value in values]
    if decided[0] is (not neutral):
        yield _as(script, node, values[0])
        return
    # the last one may be the value that is wanted
    left = [
        v for n, v in enumerate(values) if decided[n] is not neutral or (n == len(values) - 1 and _wanted(script, node))
    ]
    if len(left) < len(values):
        word = b" and " if neutral else b" or "
        yield (*script.span(node), word.join(script.source(v) for v in left) or (b"True" if neutral else b"False"))


def _wanted(script: Script, node: ast.expr) -> bool:
    """Whether the value itself counts, and not only whether it is true."""
    match script.parents[node]:
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            return test is not node
        case ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.comprehension():
            return False
    return True


def _as(script: Script, node: ast.expr, kept: ast.expr) -> Edit:
    """An expression in place of one around it, in brackets where it could fall apart."""
    text = script.source(kept)
    loose = isinstance(kept, ast.IfExp | ast.BoolOp | ast.BinOp | ast.Lambda | ast.Compare | ast.NamedExpr)
    parent = script.parents[node]
    safe = isinstance(parent, ast.Assign | ast.Return | ast.keyword | ast.Call | ast.arguments | ast.Expr)
    safe = safe and not (isinstance(parent, ast.Call) and parent.func is node)
    bare = b"\n" in text and not text.startswith((b"(", b"["))
    return (*script.span(node), text if (safe or not loose) and not bare else b"(" + text + b")")
