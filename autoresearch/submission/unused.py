"""What nothing in a script asks for: definitions, members, fields of records, variables."""

import ast
from collections.abc import Iterator

import torch

from autoresearch.submission.folding import is_pure
from autoresearch.submission.known import Known
from autoresearch.submission.plainer import Edit
from autoresearch.submission.scopes import free_names
from autoresearch.submission.whole import Script

_REFLECT = frozenset({"asdict", "vars", "fields", "astuple"})


def unused(script: Script) -> Iterator[Edit]:
    """Everything without a reader."""
    yield from script.without(
        [*_definitions(script), *_members(script), *_variables(script), *_kept_for_nobody(script)]
    )
    yield from _imports(script)


def _definitions(script: Script) -> Iterator[ast.stmt]:
    """What `main` does not reach."""
    homes = {name: node for node in script.tree.body for name in _names(node)}
    reached: set[ast.stmt] = set()
    waiting: list[ast.stmt] = [node for node in script.tree.body if isinstance(node, ast.If)]
    while waiting:
        node = waiting.pop()
        if node in reached:
            continue
        reached.add(node)
        names = {
            inner.id for inner in script.inside(node) if isinstance(inner, ast.Name) and inner not in script.annotations
        }
        waiting += [homes[name] for name in names if name in homes]
    return (node for node in homes.values() if node not in reached)


def _names(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign():
            return {inner.id for target in node.targets for inner in ast.walk(target) if isinstance(inner, ast.Name)}
    return set()


def _imports(script: Script) -> Iterator[Edit]:
    used = {n.id for n in script.nodes if isinstance(n, ast.Name)}
    for node in script.tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom) or getattr(node, "module", "") == "__future__":
            continue
        kept = [a for a in node.names if (a.asname or a.name).partition(".")[0] in used]
        if not kept:
            yield (*script.lines(node), b"")
        elif len(kept) < len(node.names):
            names = ", ".join(f"{a.name} as {a.asname}" if a.asname else a.name for a in kept)
            start, end = script.span(node)
            yield start, end, script.raw[start:end].partition(b"import ")[0] + b"import " + names.encode()


def _members(script: Script) -> Iterator[ast.stmt]:
    for cls in script.classes.values():
        above = [base for base in script.bases(cls) if getattr(base, "__name__", "") != "Protocol"]
        for inner in cls.body:
            match inner:
                case ast.FunctionDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                    pass
                case _:
                    continue
            asked = _is_asked(script, name, inner) or (name.startswith("__") and name.endswith("__"))
            if name == "__post_init__" and isinstance(inner, ast.FunctionDef):
                asked = not isinstance(inner.body[0], ast.Pass)
            if not asked and not any(hasattr(base, name) or base.__module__ == "enum" for base in above):
                yield inner


def _is_asked(script: Script, name: str, member: ast.stmt) -> bool:
    """Whether a name is mentioned, and for a method so that it could be this one: with as many arguments."""
    if name not in script.mentioned:
        return False
    if not isinstance(member, ast.FunctionDef) or member.decorator_list or name in script.words:
        return True
    args = member.args
    if args.vararg or args.kwarg or args.kwonlyargs:
        return True
    most = len(args.args) - 1
    for node in script.attributes[name]:
        match script.parents[node]:
            case ast.Call(func=func, args=given, keywords=named) if func is node:
                spread = any(isinstance(a, ast.Starred) for a in given) or any(k.arg is None for k in named)
                if spread or most - len(args.defaults) <= len(given) + len(named) <= most:
                    return True
            case _:
                return True
    return False


# fields


def unread_fields(script: Script) -> Iterator[Edit]:
    """Fields of records that nobody asks for, with what they are given; records that meet in one call take turns."""
    taken: set[ast.AST] = set()
    known = Known(script)
    for cls in script.classes.values():
        if not script.is_record(cls) or cls.name in script.subclassed or _is_reflected(script, cls):
            continue
        fields = script.fields(cls)
        gone = {name for name in fields if not known.reads(cls, name)}
        gone = {name for name in gone if _may_go(script, cls, name)}
        calls = [*script.calls_of[cls.name], *script.calls_of["replace"]]
        around = {node for call in calls for node in script.inside(call)}
        if gone and not around & taken:
            taken |= around
            yield from script.without([fields[name] for name in gone])
            for call in calls:
                yield from _call_without(script, call, cls, gone)


def _is_reflected(script: Script, cls: ast.ClassDef) -> bool:
    """Whether fields are read without being named, here or, of techniques, where the recipe is written down."""
    for call in (call for name in _REFLECT for call in script.calls_of[name]):
        around = script.class_of(call)
        if around is cls or (around is None and (cls.name == "Stack" or any(map(_is_name, cls.body)))):
            return True
    return False


def _is_name(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "name"


def _may_go(script: Script, cls: ast.ClassDef, name: str) -> bool:
    """Whether every value that the field is given can be left out."""
    place = list(script.fields(cls)).index(name)
    for call in [*script.calls_of[cls.name], *script.calls_of["replace"]]:
        assert isinstance(call.func, ast.Name)
        if call.func.id == cls.name and any(isinstance(arg, ast.Starred) for arg in call.args):
            return False
        values = [k.value for k in call.keywords if k.arg == name]
        values += call.args[place : place + 1] if call.func.id == cls.name else []
        if any(k.arg is None for k in call.keywords) or not all(is_pure(script, value) for value in values):
            return False
    return True


def _call_without(script: Script, call: ast.Call, cls: ast.ClassDef, gone: set[str]) -> Iterator[Edit]:
    if not isinstance(call.func, ast.Name) or call.func.id not in (cls.name, "replace"):
        return
    fields = list(script.fields(cls))
    items: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    cut = {n for n, item in enumerate(items) if isinstance(item, ast.keyword) and item.arg in gone}
    if call.func.id == cls.name:
        cut |= {n for n in range(len(call.args)) if fields[n] in gone}
    if cut and call.func.id == "replace" and len(cut) == len(items) - 1:
        yield (*script.span(call), script.source(call.args[0]))
    elif cut:
        yield from script.fewer(items, cut)


# variables


def _variables(script: Script) -> Iterator[ast.stmt]:
    """Assignments to a name that its function never reads."""
    for function in script.nodes:
        if not isinstance(function, ast.FunctionDef):
            continue
        inside = script.inside(function)
        read = {n.id for n in inside if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)}
        outer = {name for n in inside if isinstance(n, ast.Nonlocal | ast.Global) for name in n.names}
        for node in inside:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=same)) if name == same:
                    yield node
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    if name not in read | outer and is_pure(script, value):
                        yield node
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                    pairs = zip(names, values, strict=False)
                    if all(
                        isinstance(n, ast.Name) and n.id not in read | outer and is_pure(script, v) for n, v in pairs
                    ):
                        yield node


def unread_names(script: Script) -> Iterator[Edit]:
    """Some of several names that are bound together."""
    for function in script.nodes:
        if not isinstance(function, ast.FunctionDef):
            continue
        inside = script.inside(function)
        read = {n.id for n in inside if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)}
        for node in inside:
            match node:
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(
                    values
                ):
                    pairs = list(zip(names, values, strict=True))
                    left = [(n, v) for n, v in pairs
                            if not isinstance(n, ast.Name) or n.id in read or not is_pure(script, v)]  # fmt: skip
                    if 0 < len(left) < len(pairs) and script.function_of(node) is function:
                        sides = (
                            b", ".join(script.source(side) for side in column) for column in zip(*left, strict=True)
                        )
                        yield (*script.span(node), b" = ".join(sides))


def _kept_for_nobody(script: Script) -> Iterator[ast.stmt]:
    """What an object keeps under a name that nobody asks for; a module of torch registers what it keeps."""
    for cls in script.classes.values():
        if any(issubclass(base, torch.nn.Module) for base in script.bases(cls) if isinstance(base, type)):
            plain = False
        else:
            plain = True
        for node in script.inside(cls):
            match node:
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
                    simple = isinstance(value, ast.Constant | ast.List | ast.Tuple | ast.Dict) and not list(
                        free_names(value)
                    )
                    # what is only passed on from a record
                    simple = simple or (isinstance(value, ast.Attribute) and value.attr == name)
                    if name not in script.mentioned and (simple or (plain and is_pure(script, value))):
                        yield node
