"""A script as one text and one tree: what it defines, who mentions what, and how to take a piece out of it."""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autoresearch.submission.plainer import Edit, Text

Function = ast.FunctionDef | ast.Lambda
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.Lambda, ast.Module)
_SCOPES = (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)
_SHARED = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
Items = Sequence[ast.expr | ast.keyword]
_LIBRARIES = (
    torch.Tensor, torch.nn.Module, torch.nn.ModuleList, torch.optim.Optimizer, torch.Generator, torch.device,
    torch.finfo, np.ndarray, Path, str, bytes, dict, list, tuple, int, float, set, re.Match,
)  # fmt: skip
# An attribute that a library's objects have as well says nothing of ours.
LIBRARY_NAMES = frozenset(name for kind in _LIBRARIES for name in dir(kind)) | {"param_groups", "state"}
# Of these, what is no method: a method is called, a value of ours is not.
LIBRARY_VALUES = frozenset(
    name for name in LIBRARY_NAMES if not any(callable(getattr(kind, name, None)) for kind in _LIBRARIES)
) | {"size", "shape", "name", "training"}


class Script(Text):
    """One parse of a script; a rule reads it and yields edits."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.nodes: list[ast.AST] = []
        self.parents: dict[ast.AST, ast.AST] = {}
        self._stretch: dict[ast.AST, tuple[int, int]] = {}
        self._walk(self.tree)
        self._pure: dict[str, bool] = {}
        self.functions: dict[str, ast.FunctionDef] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        self.constants: dict[str, ast.expr] = {}
        for node in self.tree.body:
            match node:
                case ast.FunctionDef(name=name):
                    self.functions[name] = node
                case ast.ClassDef(name=name):
                    self.classes[name] = node
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.constants[name] = value

    def _walk(self, node: ast.AST) -> None:
        first = len(self.nodes)
        self.nodes.append(node)
        for value in vars(node).values():
            for child in value if type(value) is list else (value,):
                # of contexts and operators one object stands everywhere
                if isinstance(child, ast.AST) and not isinstance(child, _SHARED):
                    self.parents[child] = node
                    self._walk(child)
        self._stretch[node] = first, len(self.nodes)

    def inside(self, node: ast.AST) -> list[ast.AST]:
        """A node and everything in it."""
        first, last = self._stretch[node]
        return self.nodes[first:last]

    @cached_property
    def calls(self) -> list[ast.Call]:
        return [node for node in self.nodes if isinstance(node, ast.Call)]

    @cached_property
    def calls_of(self) -> dict[str, list[ast.Call]]:
        """Calls of what stands at the top, or is Python's own."""
        found: dict[str, list[ast.Call]] = defaultdict(list)
        for call in self.calls:
            if isinstance(call.func, ast.Name) and self.is_global(call.func):
                found[call.func.id].append(call)
        return found

    @cached_property
    def attributes(self) -> dict[str, list[ast.Attribute]]:
        """Every use of an attribute by its name."""
        found: dict[str, list[ast.Attribute]] = defaultdict(list)
        for node in self.nodes:
            if isinstance(node, ast.Attribute):
                found[node.attr].append(node)
        return found

    @cached_property
    def names(self) -> dict[str, list[ast.Name]]:
        """Every use of what stands at the top, but for types."""
        found: dict[str, list[ast.Name]] = defaultdict(list)
        for node in self.nodes:
            if isinstance(node, ast.Name) and node not in self.annotations and self.is_global(node):
                found[node.id].append(node)
        return found

    @cached_property
    def _names_inside(self) -> dict[ast.AST, tuple[dict[str, list[ast.Name]], set[str]]]:
        return {}

    def names_inside(self, function: ast.FunctionDef) -> tuple[dict[str, list[ast.Name]], set[str]]:
        """Uses of each name in a function, and those that are parameters or belong to a scope outside."""
        if function not in self._names_inside:
            uses: dict[str, list[ast.Name]] = defaultdict(list)
            bound: set[str] = set()
            for node in self.inside(function):
                match node:
                    case ast.Name(id=name):
                        uses[name].append(node)
                    case ast.arg(arg=name):
                        bound.add(name)
                    case ast.Nonlocal(names=names) | ast.Global(names=names):
                        bound |= set(names)
            self._names_inside[function] = uses, bound
        return self._names_inside[function]

    @cached_property
    def at_top(self) -> set[str]:
        return {*self.functions, *self.classes, *self.constants}

    @cached_property
    def bound(self) -> dict[ast.AST, set[str]]:
        """The names that each function, class and comprehension binds for itself."""
        found: dict[ast.AST, set[str]] = defaultdict(set)
        for node in self.nodes:
            match node:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    walrus = isinstance(self.parents[node], ast.NamedExpr)
                    found[self._scope(node, _FUNCTIONS if walrus else _SCOPES)].add(name)
                case ast.arg(arg=name) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    found[self._scope(node, _FUNCTIONS)].add(name)
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                    found[self._scope(node, _SCOPES)].add(name)
        return found

    def _scope(self, node: ast.AST, kinds: tuple[type[ast.AST], ...]) -> ast.AST:
        while not isinstance(node := self.parents[node], kinds):
            pass
        return node

    def scope_of(self, node: ast.Name) -> ast.AST:
        """The function, class or comprehension that binds a name where it is used; else the module."""
        below: ast.AST = node
        at: ast.AST | None = self.parents.get(node)
        inside_function = False
        while at is not None and not isinstance(at, ast.Module):
            first = isinstance(at, ast.comprehension) and below is at.iter and self.parents[at].generators[0] is at  # type: ignore[attr-defined]
            if first:
                below, at = self.parents[at], self.parents.get(self.parents[at])
                continue
            seen = isinstance(at, _SCOPES) and not (isinstance(at, ast.ClassDef) and inside_function)
            head = isinstance(at, ast.FunctionDef) and (below in at.decorator_list or below is at.returns)
            if seen and not head and node.id in self.bound[at]:
                return at
            inside_function |= isinstance(at, ast.FunctionDef | ast.Lambda)
            below, at = at, self.parents.get(at)
        return self.tree

    def is_global(self, node: ast.Name) -> bool:
        return self.scope_of(node) is self.tree

    @cached_property
    def annotations(self) -> set[ast.AST]:
        """Everything inside a type."""
        found: set[ast.AST] = set()
        for node in self.nodes:
            match node:
                case ast.AnnAssign(annotation=kind) | ast.arg(annotation=ast.expr() as kind):
                    found |= set(self.inside(kind))
                case ast.FunctionDef(returns=ast.expr() as kind):
                    found |= set(self.inside(kind))
        return found

    @cached_property
    def mentioned(self) -> set[str]:
        """Names that may be asked of an object: attributes that are read, and every word in quotes."""
        found: set[str] = set()
        for node in self.nodes:
            match node:
                case ast.Attribute(attr=name) if self.is_read(node):
                    found.add(name)
                case ast.Constant(value=str(name)):
                    found.add(name)
                case ast.MatchClass(kwd_attrs=names):
                    found |= set(names)
        return found

    @cached_property
    def words(self) -> set[str]:
        """Everything in quotes."""
        return {node.value for node in self.nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}

    def is_read(self, node: ast.Attribute) -> bool:
        """Whether an attribute is asked for, and for more than to keep it somewhere else."""
        return isinstance(node.ctx, ast.Load) and not self._passes_on(node)

    def _passes_on(self, node: ast.Attribute) -> bool:
        """Whether a value is read only to be kept under the same name somewhere else."""
        match self.parents[node]:
            case ast.keyword(arg=name):
                return name == node.attr
            case ast.Assign(targets=[ast.Attribute(attr=name)]):
                return name == node.attr
            case ast.Call(func=ast.Name(id=made), args=args) if made in self.classes and node in args:
                fields = list(self.fields(self.classes[made]))
                return self.is_record(self.classes[made]) and fields[args.index(node)] == node.attr
        return False

    @cached_property
    def owners(self) -> dict[str, set[str]]:
        """The classes that have a name as field, method, class attribute or attribute of `self`."""
        found: dict[str, set[str]] = defaultdict(set)
        for name, node in self.classes.items():
            for inner in node.body:
                match inner:
                    case ast.FunctionDef(name=own) | ast.AnnAssign(target=ast.Name(id=own)):
                        found[own].add(name)
                    case ast.Assign(targets=[ast.Name(id=own)]):
                        found[own].add(name)
        for at in self.nodes:
            match at:
                case ast.Attribute(attr=own, ctx=ast.Store()):
                    found[own].add("")
        return found

    @cached_property
    def stores(self) -> dict[str, list[ast.Attribute]]:
        found: dict[str, list[ast.Attribute]] = defaultdict(list)
        for node in self.nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
                found[node.attr].append(node)
        return found

    @cached_property
    def libraries(self) -> dict[str, Any]:
        """What the script's own imports bring."""
        found: dict[str, Any] = {}
        lines = [ast.unparse(n) for n in self.tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
        exec("\n".join(line for line in lines if "__future__" not in line), found)
        return found

    def bases(self, node: ast.ClassDef) -> Iterator[Any]:
        """Classes of libraries among the ancestors of one of the script's."""
        for base in node.bases:
            bare = base.value if isinstance(base, ast.Subscript) else base
            if isinstance(bare, ast.Name) and bare.id in self.classes:
                yield from self.bases(self.classes[bare.id])
            elif (found := _looked_up(bare, self.libraries)) is not None:
                yield found

    @cached_property
    def subclassed(self) -> set[str]:
        return {base.id for node in self.classes.values() for base in node.bases if isinstance(base, ast.Name)}

    def function_of(self, node: ast.AST) -> ast.FunctionDef | None:
        """The function around a node."""
        up = self.parents.get(node)
        while up is not None and not isinstance(up, ast.FunctionDef):
            up = self.parents.get(up)
        return up

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """The class around a node."""
        up = self.parents.get(node)
        while up is not None and not isinstance(up, ast.ClassDef):
            up = self.parents.get(up)
        return up

    def is_record(self, node: ast.ClassDef) -> bool:
        """A dataclass or a named tuple: its fields are its arguments."""
        return any("dataclass" in ast.dump(d) for d in node.decorator_list) or any(
            getattr(base, "id", "") == "NamedTuple" for base in node.bases
        )

    def fields(self, node: ast.ClassDef) -> dict[str, ast.AnnAssign]:
        return {
            inner.target.id: inner
            for inner in node.body
            if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name)
        }

    def is_pure_function(self, name: str, is_pure: Callable[[ast.expr], bool]) -> bool:
        """Whether everything of ours that goes by a name only works a value out."""
        if name not in self._pure:
            self._pure[name] = True  # a function that calls itself is judged by the rest of it
            bodies = [n.body for n in self.nodes if isinstance(n, ast.FunctionDef) and n.name == name]
            self._pure[name] = bool(bodies) and all(self._works_out(s, is_pure) for body in bodies for s in body)
        return self._pure[name]

    def _works_out(self, statement: ast.stmt, is_pure: Callable[[ast.expr], bool]) -> bool:
        """Whether a statement changes nothing but variables of its function."""
        parts: list[ast.expr | None] = []
        inner: list[ast.stmt] = []
        match statement:
            case ast.Pass() | ast.Raise() | ast.Break() | ast.Continue():
                return True
            case ast.Expr(value=ast.Yield(value=value)) | ast.Return(value=value) | ast.Expr(value=value):
                parts = [value]
            case ast.Assign(targets=targets, value=value):
                names = [n for target in targets for n in (target.elts if isinstance(target, ast.Tuple) else [target])]
                parts = [value]
                if not all(isinstance(name, ast.Name) for name in names):
                    return False
            case ast.AugAssign(target=ast.Name(), value=value):
                parts = [value]
            case ast.If(test=test, body=body, orelse=orelse) | ast.While(test=test, body=body, orelse=orelse):
                parts, inner = [test], [*body, *orelse]
            case ast.Match(subject=subject, cases=cases):
                parts, inner = [subject], [s for case in cases for s in case.body]
            case _:
                return False
        return all(p is None or is_pure(p) for p in parts) and all(self._works_out(s, is_pure) for s in inner)

    def source(self, node: ast.expr | ast.stmt) -> bytes:
        start, end = self.span(node)
        return self.raw[start:end]

    # edits

    def whole_lines(self, node: ast.stmt) -> tuple[int, int]:
        """The lines of a statement, with its decorators and the comments right above it."""
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        row = min([node.lineno, *(d.lineno for d in decorators)]) - 1
        while row and self._row(row - 1).lstrip().startswith(b"#"):
            row -= 1
        return self.line_starts[row], self.line_starts[node.end_lineno or 0]

    def case_lines(self, case: ast.match_case) -> Edit:
        """One case of a `match` taken out."""
        return self.line_starts[case.pattern.lineno - 1], self.line_starts[case.body[-1].end_lineno or 0], b""

    def _row(self, number: int) -> bytes:
        return self.raw[self.line_starts[number] : self.line_starts[number + 1] - 1]

    def without(self, gone: Iterable[ast.stmt]) -> Iterator[Edit]:
        """Statements taken out; a body that would be empty keeps a `pass`."""
        dropped = set(gone)
        for node in self.nodes:
            for name in ("body", "orelse", "finalbody"):
                body = getattr(node, name, None)
                if not isinstance(body, list) or not (cut := [s for s in body if s in dropped]):
                    continue
                for number, statement in enumerate(cut):
                    start, end = self.whole_lines(statement)
                    keeps = len(cut) == len(body) and number == 0 and name == "body" and node is not self.tree
                    indent = b" " * statement.col_offset
                    yield start, end, indent + b"pass\n" if keeps else b""
                if len(cut) == len(body) and name == "orelse":
                    above = self.raw.rindex(b"else:", 0, self.whole_lines(cut[0])[0])
                    yield above - (above - self.raw.rindex(b"\n", 0, above) - 1), above + len(b"else:\n"), b""

    def fewer(self, items: Items, gone: set[int]) -> Iterator[Edit]:
        """Some of the items of a comma-separated list taken out, the lines of the others kept."""
        spans = [self._item(item) for item in items]
        kept = [n for n in range(len(items)) if n not in gone]
        if not kept:
            end = spans[-1][1]
            tail = re.match(rb"\s*,?\s*", self.raw[end:])
            lead = len(self.raw[: spans[0][0]]) - len(self.raw[: spans[0][0]].rstrip())
            yield spans[0][0] - lead, end + (tail.end() if tail else 0), b""
            return
        for n in sorted(gone):
            if n < kept[-1]:
                yield spans[n][0], spans[n + 1][0], b""
            else:
                yield spans[n - 1][1], spans[n][1], b""

    def _item(self, item: ast.expr | ast.keyword) -> tuple[int, int]:
        start, end = self.span(item)
        # brackets of its own belong to it
        while (left := self.raw[:start].rstrip()).endswith(b"(") and self.raw[end:].lstrip().startswith(b")"):
            inner = self.raw[len(left) - 1 : end + len(self.raw[end:]) - len(self.raw[end:].lstrip()) + 1]
            if not _balanced(inner) or re.search(rb"[\w)\]]$", self.raw[: len(left) - 1]):
                break
            start, end = len(left) - 1, len(left) - 1 + len(inner)
        return start, end


def _balanced(text: bytes) -> bool:
    return text.count(b"(") == text.count(b")")


def _looked_up(node: ast.expr, names: dict[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return names.get(name, getattr(__import__("builtins"), name, None))
        case ast.Attribute(value=value, attr=name):
            return getattr(_looked_up(value, names), name, None)
    return None


def dotted(node: ast.expr) -> str:
    """`a.b.c` as text; nothing for what is no such name."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{before}.{name}" if (before := dotted(value)) else ""
    return ""
