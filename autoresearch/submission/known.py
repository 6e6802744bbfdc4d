"""What is known of a value before a script runs: constants, records made of them, and what small functions give."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from autoresearch.submission.whole import LIBRARY_NAMES, LIBRARY_VALUES, Script, dotted

Env = Mapping[str, Any]
_DEEPEST = 12
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_GATHER: dict[str, Callable[[Any], Any]] = {
    "tuple": tuple,
    "list": list,
    "len": len,
    "bool": bool,
    "any": any,
    "all": all,
    "nn.ModuleList": list,
    "float": float,
    "sum": sum,
}


class UnknownError(Exception):
    """A value that only a run has."""


@dataclass(frozen=True, eq=False)
class Instance:
    """A record that the script makes where it is loaded."""

    cls: ast.ClassDef
    given: Mapping[str, Any]


@dataclass(frozen=True)
class Named:
    """A function or class of the script."""

    name: str


_UNTOLD = object()  # the value of a parameter that only a run has


class Known:
    """Values of expressions; asks every class of the script for what all its objects have in common."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._common: dict[str, Any] | None = None
        self._globals: dict[str, Any] = {}
        self._depth = 0

    def value(self, node: ast.expr, env: Env | None = None) -> Any:
        """What an expression gives in every run; UnknownError where that is not told by the text."""
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise UnknownError
            return self._value(node, env or {})
        finally:
            self._depth -= 1

    def is_known(self, node: ast.expr) -> bool:
        try:
            self.value(node)
        except UnknownError:
            return False
        return True

    def _value(self, node: ast.expr, env: Env) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                if name not in env and not self.script.is_global(node):
                    return self.local(node)
                return self._name(name, env)
            case ast.Tuple(elts=elts):
                return tuple(self.value(e, env) for e in elts)
            case ast.List(elts=elts):
                return [self.value(e, env) for e in elts]
            case ast.Attribute(value=of, attr=name):
                return self._attribute(of, name, env)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.value(operand, env)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._number(operand, env)
            case ast.BoolOp(op=op, values=values):
                for each in values:
                    found = self.value(each, env)
                    if bool(found) is isinstance(op, ast.Or):
                        return found
                return found
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]) if self._never_equal(left, right, env):
                return False
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._compared(op, self.value(left, env), self.value(right, env))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.value(body if self.value(test, env) else orelse, env)
            case ast.NamedExpr(value=value):
                return self.value(value, env)
            case ast.BinOp(op=ast.Mult() | ast.Div(), left=left) if self._is_zero(left, env):
                return 0
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                left, right = self.value(left, env), self.value(right, env)
                if isinstance(left, list) and isinstance(right, list):
                    return left + right
                raise UnknownError
            case ast.Subscript(value=of, slice=at):
                return self._item(self.value(of, env), self.value(at, env))
            case ast.ListComp(generators=[_]) | ast.GeneratorExp(generators=[_]):
                return self._each(node, env)
            case ast.Call():
                return self._call(node, env)
        raise UnknownError

    def _name(self, name: str, env: Env) -> Any:
        if name in env:
            if env[name] is _UNTOLD:
                raise UnknownError
            return env[name]
        if name in self.script.constants and name in self.bound_once:
            if name not in self._globals:
                self._globals[name] = self.value(self.script.constants[name])
            # what a list holds may change
            if isinstance(self._globals[name], list):
                raise UnknownError
            return self._globals[name]
        if name in self.script.functions:
            return Named(name)
        raise UnknownError

    def local(self, node: ast.Name) -> Any:
        """What a variable holds that is bound once, to something known that nothing changes later."""
        function = self.script.scope_of(node)
        if not isinstance(function, ast.FunctionDef):
            raise UnknownError
        uses, bound = self.script.names_inside(function)
        same = uses[node.id]
        stored = [n for n in same if not isinstance(n.ctx, ast.Load)]
        if len(stored) != 1 or node.id in bound:
            raise UnknownError
        made = self.script.parents[stored[0]]
        if not isinstance(made, ast.Assign) or made.targets != stored:
            raise UnknownError
        found = self.value(made.value)
        if isinstance(found, list) and not all(self._only_read(n) for n in same if n is not stored[0]):
            raise UnknownError
        return found

    def _only_read(self, node: ast.expr) -> bool:
        """Whether a list is looked through here and can't be changed."""
        match self.script.parents[node]:
            case ast.For(iter=iterated) | ast.comprehension(iter=iterated):
                return iterated is node
            case ast.Starred() | ast.If() | ast.IfExp():
                return True
            case ast.Call(func=ast.Name(id="sum" | "len" | "tuple" | "any" | "all" | "reversed"), args=[first, *_]):
                return first is node
        return False

    @cached_property
    def bound_once(self) -> set[str]:
        """Names at the top of the script that nothing binds again."""
        again = {name for node in self.script.nodes if isinstance(node, ast.Global) for name in node.names}
        return {name for name in self.script.constants if name not in again}

    def _is_zero(self, node: ast.expr, env: Env) -> bool:
        try:
            return type(found := self.value(node, env)) is int and found == 0
        except UnknownError:
            return False

    def _number(self, node: ast.expr, env: Env) -> Any:
        if isinstance(found := self.value(node, env), int | float):
            return found
        raise UnknownError

    def _never_equal(self, attribute: ast.expr, to: ast.expr, env: Env) -> bool:
        """Whether no class of the script has the value that an attribute is compared with."""
        if not isinstance(attribute, ast.Attribute) or attribute.attr in LIBRARY_VALUES:
            return False
        owners = self.script.owners.get(attribute.attr, set())
        if not owners:
            return False
        try:
            values = [self._of_all(owner, attribute.attr) for owner in owners]
            return self.value(to, env) not in values
        except UnknownError:
            return False

    def _compared(self, op: ast.cmpop, left: Any, right: Any) -> bool:
        same = isinstance(op, ast.Is | ast.IsNot)
        if not same and (isinstance(left, Instance | Named) or isinstance(right, Instance)):
            raise UnknownError
        try:
            return _COMPARED[type(op)](left, right)
        except TypeError as wrong:
            raise UnknownError from wrong

    def _item(self, of: Any, at: Any) -> Any:
        try:
            return of[at]
        except (TypeError, LookupError) as wrong:
            raise UnknownError from wrong

    def _each(self, node: ast.ListComp | ast.GeneratorExp, env: Env) -> list[Any]:
        (generator,) = node.generators
        found = []
        inner = {**env, **{n.id: _UNTOLD for n in ast.walk(generator.target) if isinstance(n, ast.Name)}}
        if any(self._is(test, False, inner) for test in generator.ifs):
            return []
        items = self.value(generator.iter, env)
        if not isinstance(items, list | tuple) or not isinstance(generator.target, ast.Name):
            raise UnknownError
        for item in items:
            inner = {**env, generator.target.id: item}
            if all(self.value(test, inner) for test in generator.ifs):
                found.append(self.value(node.elt, inner))
        return found

    def _is(self, node: ast.expr, wanted: bool, env: Env) -> bool:
        try:
            return bool(self.value(node, env)) is wanted
        except UnknownError:
            return False

    # attributes

    def _attribute(self, of: ast.expr, name: str, env: Env) -> Any:
        if name in self.common:
            return self.common[name]
        if isinstance(of, ast.Name) and of.id == "self" and "self" not in env:
            return self._own(of, name)
        found = self.value(of, env)
        if not isinstance(found, Instance):
            raise UnknownError
        return self._member(found, name)

    def _own(self, node: ast.Name, name: str) -> Any:
        """What `self` has under a name in the class where it is asked: of the one object there is, or of all."""
        cls = self.script.class_of(node)
        if cls is None or cls.name in self.script.subclassed:
            raise UnknownError
        if cls.name in self.only:
            return self._member(self.only[cls.name], name)
        stored = [n for n in self.script.stores[name] if self.script.class_of(n) is cls]
        if len(stored) != 1 or len(stored) != len(self.script.stores[name]) or ast.unparse(stored[0].value) != "self":
            raise UnknownError
        return self._of_all("", name, stored)

    @cached_property
    def only(self) -> dict[str, Instance]:
        """Records of which there is one, made at the top of the script."""
        found = {}
        for value in self.script.constants.values():
            match value:
                case ast.Call(func=ast.Name(id=name)) if (
                    name in self.script.classes and len(self.script.calls_of[name]) == 1
                ):
                    try:
                        found[name] = self.value(value)
                    except UnknownError:
                        continue
        return {name: value for name, value in found.items() if isinstance(value, Instance)}

    def _member(self, found: Instance, name: str) -> Any:
        if name in found.given:
            return found.given[name]
        for inner in found.cls.body:
            match inner:
                case ast.Assign(targets=[ast.Name(id=own)], value=value) if own == name:
                    return self.value(value)
                case ast.FunctionDef(name=own, decorator_list=[ast.Name(id="property")]) if own == name:
                    return self._given_back(inner, {"self": found})
        raise UnknownError

    @property
    def common(self) -> dict[str, Any]:
        """Attributes that have the same plain value in every object of the script."""
        if self._common is not None:
            return self._common
        # what is found so far serves to find the others
        found = self._common = {}
        for name, owners in self.script.owners.items():
            if name in LIBRARY_VALUES or name.startswith("__"):
                continue
            try:
                values = [self._of_all(owner, name) for owner in owners]
            except UnknownError:
                continue
            if all(type(v) is type(values[0]) and v == values[0] for v in values):
                found[name] = values[0]
        return found

    def _of_all(self, owner: str, name: str, stored: list[ast.Attribute] | None = None) -> Any:
        """What every object of a class has under a name; of a store to an attribute, what is stored."""
        if not owner:
            stored = self.script.stores[name] if stored is None else stored
            parents = [self.script.parents[node] for node in stored]
            values = [self._plain(p.value) for p in parents if isinstance(p, ast.Assign) and len(p.targets) == 1]
            reads = [n for n in self.script.attributes[name] if n not in stored]
            changes = values == [[]] and not all(self._only_read(node) for node in reads)
            if len(values) != 1 or len(stored) != 1 or changes:
                raise UnknownError
            return values[0]
        cls = self.script.classes[owner]
        field = self.script.fields(cls).get(name)
        if field is not None and self.script.is_record(cls):
            return self._of_records(cls, name, field)
        for inner in cls.body:
            match inner:
                case ast.Assign(targets=[ast.Name(id=own)], value=value) if own == name:
                    return self._plain(value)
        raise UnknownError

    def _of_records(self, cls: ast.ClassDef, name: str, field: ast.AnnAssign) -> Any:
        place = list(self.script.fields(cls)).index(name)
        values = []
        for call in self.script.calls_of["replace"]:
            if any(k.arg in (name, None) for k in call.keywords):
                raise UnknownError
        calls = self.script.calls_of[cls.name]
        if len(self.script.names[cls.name]) > len(calls):
            raise UnknownError
        for call in calls:
            given = [k.value for k in call.keywords if k.arg == name]
            given += call.args[place : place + 1] if not given else []
            if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
                raise UnknownError
            value = given[0] if given else field.value
            if value is None:
                raise UnknownError
            values.append(self._plain(value))
        if not values or any(v != values[0] for v in values):
            raise UnknownError
        return values[0]

    def _plain(self, node: ast.expr) -> Any:
        found = self.value(node)
        if found is None or isinstance(found, bool | int | float | str | Named):
            return found
        if isinstance(found, tuple | list) and not found:
            return found
        raise UnknownError

    # calls

    def _call(self, node: ast.Call, env: Env) -> Any:
        if node.keywords and not (isinstance(node.func, ast.Name) and node.func.id in self.script.classes):
            raise UnknownError
        match node:
            case ast.Call(func=ast.Name(id="isinstance"), args=[of, ast.Name(id=name)]) if name in self.script.classes:
                return self._is_of_class(of, name)
            case ast.Call(func=ast.Name(id="getattr"), args=[of, ast.Constant(value=str(name)), default]):
                return self._asked(self.value(of, env), name, default, env)
            case ast.Call(func=ast.Name(id="sum"), args=[ast.GeneratorExp(elt=elt, generators=[_])]) if self._is_zero(
                elt, env
            ):
                return 0
            case ast.Call(func=func, args=[only]) if (gather := _GATHER.get(dotted(func))) is not None:
                try:
                    return gather(self.value(only, env))
                except TypeError as wrong:
                    raise UnknownError from wrong
            case ast.Call(func=func, args=[]) if dotted(func) in ("tuple", "list", "nn.ModuleList"):
                return []
            case ast.Call(func=ast.Name(id=name)) if name in self.script.classes:
                return self._record(self.script.classes[name], node, env)
            case ast.Call(func=ast.Name(id=name), args=args) if name in self.script.functions:
                function = self.script.functions[name]
                return self._given_back(function, self._bound(function, self._values(args, env)))
            case ast.Call(func=ast.Attribute(value=of, attr=name), args=args):
                return self._method(of, name, args, env)
        raise UnknownError

    def _values(self, args: list[ast.expr], env: Env) -> list[Any]:
        found = []
        for arg in args:
            try:
                found.append(self.value(arg, env))
            except UnknownError:
                found.append(_UNTOLD)
        return found

    def is_object(self, node: ast.expr) -> bool:
        """Whether an expression gives an object of ours that counts as true."""
        try:
            cls = self.script.classes[self.class_of(node, ())]
        except UnknownError:
            return False
        return not any(getattr(inner, "name", "") in ("__len__", "__bool__") for inner in cls.body)

    def reads(self, cls: ast.ClassDef, name: str) -> bool:
        """Whether somebody may ask an object of a class for a name."""
        if name not in self.script.mentioned:
            return False
        if name in self.script.words:
            return True
        # what is passed on is asked for by whoever asks for it there
        loads = [node for node in self.script.attributes[name] if isinstance(node.ctx, ast.Load)]
        matched = (node for node in self.script.nodes if isinstance(node, ast.MatchClass))
        return any(self._may_be(node.value, cls) for node in loads) or any(name in node.kwd_attrs for node in matched)

    def _may_be(self, node: ast.expr, cls: ast.ClassDef) -> bool:
        try:
            found = self.script.classes[self.class_of(node, ())]
        except UnknownError:
            return True
        related = cls.name in self.script.subclassed or any(
            isinstance(base, ast.Name) and base.id in self.script.classes for base in [*found.bases, *cls.bases]
        )
        return found is cls or related

    def _is_of_class(self, node: ast.expr, name: str) -> bool:
        made = self.class_of(node, ())
        above = self.script.classes[made]
        if made == name:
            return True
        if any(isinstance(base, ast.Name) and base.id in self.script.classes for base in above.bases):
            raise UnknownError
        return False

    def class_of(self, node: ast.expr, seen: tuple[ast.AST, ...]) -> str:
        """The one class of the script that an expression can be an object of, by what makes it."""
        if node in seen or len(seen) > _DEEPEST:
            raise UnknownError
        seen = (*seen, node)
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in self.script.classes:
                return name
            case ast.Call(func=ast.Name(id=name)) if name in self.script.functions:
                return self._class_given_back(self.script.functions[name], seen)
            case ast.Call(func=ast.Attribute(value=of, attr=name)):
                found = self.value(of)
                if isinstance(found, Instance):
                    for inner in found.cls.body:
                        if isinstance(inner, ast.FunctionDef) and inner.name == name:
                            return self._class_given_back(inner, seen)
            case ast.Name(id=name) if name in self.script.constants and self.script.is_global(node):
                return self.class_of(self.script.constants[name], seen)
            case ast.Name(id="self") if (cls := self.script.class_of(node)) is not None:
                if cls.name not in self.script.subclassed:
                    return cls.name
            case ast.Name() if isinstance(function := self.script.scope_of(node), ast.FunctionDef):
                return self._class_of_local(node, function, seen)
        raise UnknownError

    def _class_given_back(self, function: ast.FunctionDef, seen: tuple[ast.AST, ...]) -> str:
        given = [n.value for n in self.script.inside(function) if isinstance(n, ast.Return)]
        made = {self.class_of(value, seen) for value in given if value is not None}
        if len(made) != 1 or None in given:
            raise UnknownError
        return made.pop()

    def _class_of_local(self, node: ast.Name, function: ast.FunctionDef, seen: tuple[ast.AST, ...]) -> str:
        uses, _ = self.script.names_inside(function)
        stored = [n for n in uses[node.id] if not isinstance(n.ctx, ast.Load)]
        names = [arg.arg for arg in function.args.args]
        if node.id in names and not stored:
            place = names.index(node.id)
            if function.name in self.script.functions and self.script.functions[function.name] is function:
                calls, n_uses = self.script.calls_of[function.name], len(self.script.names[function.name])
                given = [call.args[place] for call in calls if len(call.args) > place]
            else:
                calls = [c for a in self.script.attributes[function.name]
                         if isinstance(c := self.script.parents[a], ast.Call) and c.func is a]  # fmt: skip
                n_uses = len(calls)
                given = [call.args[place - 1] for call in calls if len(call.args) >= place]
            if not calls or len(given) < len(calls) or n_uses > len(calls):
                raise UnknownError
            made = {self.class_of(value, seen) for value in given}
        elif len(stored) == 1 and isinstance(up := self.script.parents[stored[0]], ast.Assign) and up.targets == stored:
            made = {self.class_of(up.value, seen)}
        else:
            raise UnknownError
        if len(made) != 1:
            raise UnknownError
        return made.pop()

    def _asked(self, of: Any, name: str, default: ast.expr, env: Env) -> Any:
        if isinstance(of, Instance):
            try:
                return self._member(of, name)
            except UnknownError:
                if not any(getattr(inner, "name", "") == name for inner in of.cls.body):
                    return self.value(default, env)
        raise UnknownError

    def _record(self, cls: ast.ClassDef, call: ast.Call, env: Env) -> Instance:
        if not self.script.is_record(cls):
            raise UnknownError
        fields = self.script.fields(cls)
        given = dict(zip(fields, (self.value(a, env) for a in call.args), strict=False))
        for keyword in call.keywords:
            if keyword.arg is None:
                raise UnknownError
            given[keyword.arg] = self.value(keyword.value, env)
        for name, field in fields.items():
            if name not in given and field.value is not None:
                given[name] = self.value(field.value)
        return Instance(cls, given)

    def _method(self, of: ast.expr, name: str, args: list[ast.expr], env: Env) -> Any:
        if name in self.idle:
            return None
        found = self.value(of, env)
        if not isinstance(found, Instance):
            raise UnknownError
        for inner in found.cls.body:
            if isinstance(inner, ast.FunctionDef) and inner.name == name:
                return self._given_back(inner, self._bound(inner, [found, *self._values(args, env)]))
        raise UnknownError

    @cached_property
    def idle(self) -> set[str]:
        """Methods that do nothing in any class of the script."""
        bodies: dict[str, list[bool]] = {}
        for cls in self.script.classes.values():
            for inner in cls.body:
                if isinstance(inner, ast.FunctionDef):
                    bodies.setdefault(inner.name, []).append(_does_nothing(inner) and not inner.decorator_list)
        stored = self.script.stores.keys()
        for name, function in self.script.functions.items():
            if _does_nothing(function) and not function.decorator_list:
                bodies.setdefault(name, []).append(True)
        return {name for name, idle in bodies.items() if all(idle) and name not in LIBRARY_NAMES and name not in stored}

    def _bound(self, function: ast.FunctionDef, values: list[Any]) -> dict[str, Any]:
        args = function.args
        if args.vararg or args.kwarg or args.kwonlyargs or args.posonlyargs:
            raise UnknownError
        names = [arg.arg for arg in args.args]
        given = dict(zip(names, values, strict=False))
        for name, default in zip(names[len(names) - len(args.defaults) :], args.defaults, strict=True):
            if name not in given:
                given[name] = self.value(default)
        if len(given) != len(names):
            raise UnknownError
        return given

    def _given_back(self, function: ast.FunctionDef, env: Env) -> Any:
        """What a function gives that is a value and names for what it takes; it may have no more than that."""
        said = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        inner = dict(env)
        for statement in said:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    try:
                        inner[name] = self.value(value, inner)
                    except UnknownError:
                        inner[name] = _UNTOLD
                case ast.Return(value=ast.expr() as value):
                    return self.value(value, inner)
                case _:
                    break
        raise UnknownError


def _does_nothing(function: ast.FunctionDef) -> bool:
    return all(
        isinstance(s, ast.Pass) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        for s in function.body
    )
