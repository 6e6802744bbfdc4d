"""Which names of a piece of Python mean something outside it: scopes, from the syntax tree alone."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True)
class Free:
    """A name that no scope inside the piece binds; `annotates` where it stands in an annotation, which runs nothing."""

    node: ast.Name
    annotates: bool


# One script asks for the same piece many times, and the next script for most of the same pieces.
_REMEMBERED = 20_000


@lru_cache(_REMEMBERED)
def free_names(node: ast.AST) -> tuple[Free, ...]:
    """Every use of a name that the node does not bind itself, in a scope of its own."""
    return tuple(_free(node, frozenset(), False))


@lru_cache(_REMEMBERED)
def nodes(node: ast.AST) -> tuple[ast.AST, ...]:
    """The node and everything in it."""
    return tuple(ast.walk(node))


@lru_cache(_REMEMBERED)
def members(node: ast.ClassDef) -> frozenset[str]:
    """Names that the body of a class binds."""
    return frozenset(_bindings(node.body))


@lru_cache(_REMEMBERED)
def bound_anywhere(node: ast.AST) -> set[str]:
    """Every name that some function inside the node binds for itself."""
    found: set[str] = set()
    for inner in nodes(node):
        if isinstance(inner, _Function):
            found |= _locals(inner)
        elif isinstance(inner, _Comprehension):
            found |= {name for generator in inner.generators for name in _targets(generator.target)}
    return found


def _free(node: ast.AST, bound: frozenset[str], annotates: bool) -> Iterator[Free]:
    match node:
        case ast.Name(id=name):
            if name not in bound:
                yield Free(node, annotates)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            yield from _function(node, bound, annotates)
        case ast.ClassDef():
            yield from _each([*node.decorator_list, *node.bases, *node.keywords], bound, annotates)
            own = bound | members(node)
            for statement in node.body:
                # what a class binds is not seen by the functions in it
                inside = bound if isinstance(statement, _Function) else own
                yield from _free(statement, inside, annotates)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            own = bound | {name for generator in node.generators for name in _targets(generator.target)}
            yield from _free(node.generators[0].iter, bound, annotates)
            later = [part for part in ast.iter_child_nodes(node) if part is not node.generators[0]]
            first = node.generators[0]
            yield from _each([*later, first.target, *first.ifs], own, annotates)
        case ast.AnnAssign():
            yield from _free(node.annotation, bound, True)
            yield from _each([node.target, *([node.value] if node.value else [])], bound, annotates)
        case _:
            yield from _each(ast.iter_child_nodes(node), bound, annotates)


def _each(nodes: Iterable[ast.AST], bound: frozenset[str], annotates: bool) -> Iterator[Free]:
    for node in nodes:
        yield from _free(node, bound, annotates)


def _function(node: _Function, bound: frozenset[str], annotates: bool) -> Iterator[Free]:
    args = node.args
    outside: list[ast.AST] = [*args.defaults, *(default for default in args.kw_defaults if default)]
    annotations = [arg.annotation for arg in _arguments(args) if arg.annotation]
    own = bound | _locals(node)
    if isinstance(node, ast.Lambda):
        yield from _each(outside, bound, annotates)
        yield from _free(node.body, own, annotates)
        return
    yield from _each([*node.decorator_list, *outside], bound, annotates)
    yield from _each([*annotations, *([node.returns] if node.returns else [])], bound, True)
    yield from _each(node.body, own, annotates)


def _arguments(args: ast.arguments) -> list[ast.arg]:
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    return [*named, *(extra for extra in (args.vararg, args.kwarg) if extra)]


def _locals(node: _Function) -> set[str]:
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    return {arg.arg for arg in _arguments(node.args)} | _bindings(body)


def _bindings(body: Iterable[ast.AST]) -> set[str]:
    """Names bound by statements, those in scopes of their own left out."""
    found: set[str] = set()
    outer: set[str] = set()
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found |= {(alias.asname or alias.name).partition(".")[0] for alias in names}
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                outer |= set(names)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                found.add(name)
            case ast.MatchMapping(rest=str(name)):
                found.add(name)
        if isinstance(node, _Comprehension):
            # its targets are its own; a walrus in it binds out here
            waiting += [inner.target for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr)]
        elif not isinstance(node, SCOPES):
            waiting += list(ast.iter_child_nodes(node))
    return found - outer


def _targets(target: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
