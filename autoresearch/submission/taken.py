"""What a script is made of: every definition that is reached from one function, and of each class what is asked for."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping

from autoresearch.submission.scopes import Free, free_names, members, nodes
from autoresearch.submission.sources import BundleError, External, Module, Part, Sources

KNOB = ("bench.knobs", "knob")
# What a technique declares of its cost, for a search to look at before a run.
DECLARED = frozenset({"flops", "parameters", "unseen_flops"})


class Taken:
    """What is reached so far; classes grow as more names are mentioned."""

    def __init__(self, sources: Sources, instead: Mapping[tuple[str, str], tuple[str, str]]) -> None:
        self.sources = sources
        self.instead = instead
        self.parts: dict[Part, None] = {}
        self.libraries: dict[External, None] = {}
        self.mentioned: set[str] = set()

    def definition(self, module: str, name: str) -> Part:
        found = self.sources.resolve(self.sources.module(module), name)
        if not isinstance(found, Part):
            raise BundleError(f"{module} defines no {name}")
        return found

    def meant(self, module: Module, name: str) -> Part | External | None:
        """What a name stands for in the script."""
        other = self.instead.get(self.sources.home(module, name))
        return self.sources.resolve(module, name) if other is None else self.definition(*other)

    def take(self, first: Part) -> None:
        """Everything that a definition needs, until nothing new is mentioned."""
        self.parts[first] = None
        scanned: set[ast.AST] = set()
        while waiting := [
            (part, piece) for part in list(self.parts) for piece in self.pieces(part) if piece not in scanned
        ]:
            for part, piece in waiting:
                scanned.add(piece)
                self._scan(part, piece)

    def _scan(self, part: Part, piece: ast.AST) -> None:
        for free in self.free(part, piece):
            match None if free.annotates else self.meant(part.module, free.node.id):
                case Part() as found:
                    self.parts[found] = None
                case External() as library:
                    self.libraries[library] = None
        for node in nodes(piece):
            match node:
                case ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                    self.mentioned.add(name)
                case ast.MatchClass(kwd_attrs=names):
                    self.mentioned |= set(names)

    def free(self, part: Part, piece: ast.AST) -> Iterator[Free]:
        """What a piece needs from outside; a field of a class is no name of its module."""
        field = isinstance(part.node, ast.ClassDef) and isinstance(piece, ast.Assign | ast.AnnAssign)
        own = members(part.node) if field else ()
        return (free for free in free_names(piece) if free.node.id not in own)

    def pieces(self, part: Part) -> list[ast.AST]:
        """The nodes of a definition that stay and run."""
        if not isinstance(part.node, ast.ClassDef):
            return [part.node]
        kept = [node for node in part.node.body if self.stays(part, node) and not self.is_knob(part, node)]
        return [*part.node.decorator_list, *part.node.bases, *(k.value for k in part.node.keywords), *kept]

    def stays(self, part: Part, node: ast.stmt) -> bool:
        """Whether a statement of a class body is part of the script."""
        match node:
            case ast.FunctionDef(name=name):
                return self.needed(part, name) and not _declares(part.node, name)
            case ast.Assign(targets=[ast.Name(id=name)]):
                return self.needed(part, name)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                if "ClassVar" in ast.dump(annotation):
                    return self.needed(part, name)
                assert isinstance(part.node, ast.ClassDef)
                tuple_of_names = any(getattr(base, "id", "") == "NamedTuple" for base in part.node.bases)
                return bool(part.node.decorator_list) or tuple_of_names or node.value is not None
        return True

    def needed(self, part: Part, name: str) -> bool:
        """A member that somebody may ask for: the script by its name, Python, or a library's class above it."""
        if name in self.mentioned or (name.startswith("__") and name.endswith("__")):
            return True
        bases = [base for base in self.sources.library_bases(part) if getattr(base, "__name__", "") != "Protocol"]
        return any(hasattr(base, name) or base.__module__ == "enum" for base in bases)

    def is_knob(self, part: Part, node: ast.stmt) -> bool:
        match node:
            case ast.AnnAssign(value=ast.Call(func=ast.Name(id=name))):
                found = self.sources.resolve(part.module, name)
                return isinstance(found, Part) and (found.module.name, name) == KNOB
        return False

    def modules(self) -> list[Module]:
        """Those with a part in the script, each after the ones it imports."""
        members = defaultdict(list)
        for part in self.parts:
            members[part.module].append(part)
        ordered: dict[Module, None] = {}
        seen: set[Module] = set()

        def visit(module: Module) -> None:
            if module in seen:
                return
            seen.add(module)
            for part in members[module]:
                for piece in self.pieces(part):
                    for free in self.free(part, piece):
                        if isinstance(found := self.meant(module, free.node.id), Part) and found in self.parts:
                            visit(found.module)
            ordered[module] = None

        visit(next(iter(self.parts)).module)
        return list(ordered)


def _declares(node: ast.stmt, name: str) -> bool:
    """Whether a member is only what a technique declares of its cost: none of its own work asks for it."""
    if not isinstance(node, ast.ClassDef) or name not in DECLARED or "slot" not in members(node):
        return False
    work = [inner for inner in node.body if getattr(inner, "name", "") not in DECLARED]
    return not any(isinstance(n, ast.Attribute) and n.attr == name for inner in work for n in nodes(inner))
