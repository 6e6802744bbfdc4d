"""One readable file from our modules: what a recipe uses and nothing else, with no import of our packages.

What is taken follows from the code alone. From one function on, every definition that runs; of a class, the members
whose names the rest mentions. Search metadata goes: a knob keeps its name and its reason. Comments and docstrings stay.
"""

import ast
import builtins
import keyword
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from autoresearch.submission.scopes import Free, bound_anywhere, free_names, members, nodes
from autoresearch.submission.sources import BundleError, External, Module, Part, Sources

KNOB = ("bench.knobs", "knob")
# What a technique declares of its cost, for a search to look at before a run.
DECLARED = frozenset({"flops", "parameters", "unseen_flops"})
Edit = tuple[int, int, bytes]


def bundle(texts: Mapping[str, str], main: tuple[str, str], instead: Mapping[tuple[str, str], tuple[str, str]]) -> str:
    """The script that begins with a function, `(module, name)`.

    `texts` are modules that are no files; `instead` says for a definition which other one stands in the script. Raises
    BundleError for code that can't be taken out of its module.
    """
    taken = _Taken(Sources(texts), instead)
    taken.take(taken.definition(*main))
    return _written(taken, main[1])


class _Taken:
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


def _written(taken: _Taken, main: str) -> str:
    modules = taken.modules()
    names = _names(taken, modules)
    sections = []
    for module in modules:
        parts = sorted((part for part in taken.parts if part.module is module), key=lambda part: part.node.lineno)
        about = "\n".join(f"# {line}".rstrip() for line in module.doc.split("\n"))
        texts = [_text(taken, part, names) for part in parts]
        sections.append(f"{about}\n\n{_joined(parts, texts)}")
    head = f"{_import_lines(taken.libraries)}\n\n\n"
    body = "\n\n\n".join(sections)
    script = f'from __future__ import annotations\n\n{head}{body}\n\n\nif __name__ == "__main__":\n    {main}()\n'
    if missing := sorted(_undefined(script)):
        raise BundleError(f"the script uses what it does not define: {', '.join(missing)}")
    return script


def _joined(parts: list[Part], texts: list[str]) -> str:
    """Two blank lines around functions and classes, none between assignments."""
    out = ""
    for number, (part, text) in enumerate(zip(parts, texts, strict=True)):
        blocks = (ast.FunctionDef, ast.ClassDef)
        apart = number and (isinstance(part.node, blocks) or isinstance(parts[number - 1].node, blocks))
        out += ("\n\n\n" if apart else "\n" if number else "") + text
    return out


def _names(taken: _Taken, modules: list[Module]) -> dict[tuple[Module, str], str]:
    """What each definition is called in the script: as in its module, unless another one has that name."""
    words = {word for module in modules for word in re.findall(r"\w+", module.raw.decode())}
    used = {*dir(builtins), *keyword.kwlist, *(library.local for library in taken.libraries), "annotations"}
    names: dict[tuple[Module, str], str] = {}
    for module in modules:
        for part in taken.parts:
            if part.module is not module:
                continue
            for name in part.names:
                chosen = name if name not in used else _other_name(module, name, used | words)
                names[module, name] = chosen
                used.add(chosen)
    return names


def _other_name(module: Module, name: str, used: set[str]) -> str:
    """A name that says which module it comes from, in the manner of the name."""
    stem = module.name.rpartition(".")[2]
    private, bare = ("_", name[1:]) if name.startswith("_") else ("", name)
    if bare.isupper():
        chosen = f"{private}{stem.upper()}_{bare}"
    elif bare[:1].isupper():
        chosen = f"{private}{''.join(word.capitalize() for word in stem.split('_'))}{bare}"
    else:
        chosen = f"{private}{stem}_{bare}"
    while chosen in used:
        chosen += "_"
    return chosen


def _text(taken: _Taken, part: Part, names: Mapping[tuple[Module, str], str]) -> str:
    """The source of a definition, cut to what stays and renamed where it must be."""
    module, node = part.module, part.node
    edits: list[Edit] = []
    if isinstance(node, ast.ClassDef):
        edits += _members(taken, part)
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and (new := names[module, node.name]) != node.name:
        at = module.raw.index(node.name.encode(), module.span(node)[0] + len("def "))
        edits.append((at, at + len(node.name.encode()), new.encode()))
    edits += _renamings(taken, part, names)
    edits += [*_annotations(taken, part), *_docstrings(part)]
    # to the end of its last line, for a comment there
    text = _edited(module, module.line_starts[part.start - 1], module.line_starts[node.end_lineno or 0] - 1, edits)
    text = re.sub(r"[ \t]+# (?:type: ignore|noqa|fmt: )[^\n]*", "", text)
    return re.sub(r"\n{3,}( *)", r"\n\n\1", text).rstrip()


def _members(taken: _Taken, part: Part) -> Iterator[Edit]:
    """What goes of a class body, and knobs without their ranges."""
    module, node = part.module, part.node
    assert isinstance(node, ast.ClassDef)
    left = 0
    for inner in node.body:
        start, end = module.line_starts[module.first_line(inner) - 1], module.line_starts[inner.end_lineno or 0]
        if not taken.stays(part, inner):
            yield start, end, b""
            continue
        left += 1
        if taken.is_knob(part, inner):
            assert isinstance(inner, ast.AnnAssign)
            assert isinstance(inner.value, ast.Call)
            why = taken.sources.text(module, inner.value.args[2])
            yield module.span(inner.annotation)[1], module.span(inner)[1], f"  # {why}".encode()
    if not left:
        yield module.span(node)[1], module.span(node)[1], b"\n    pass"


def _renamings(taken: _Taken, part: Part, names: Mapping[tuple[Module, str], str]) -> Iterator[Edit]:
    module = part.module
    local = bound_anywhere(part.node)
    strings = [module.span(node) for node in nodes(part.node) if isinstance(node, ast.JoinedStr)]
    for free in free_names(part.node):
        old, new = free.node.id, _new_name(taken, module, free, names)
        if new is None or new == old:
            continue
        if new in local:
            raise BundleError(
                f"{module.name}: {old} is {new} in the script, and a function there has a {new} of its own"
            )
        start, end = module.span(free.node)
        if module.raw[start:end] == old.encode():
            yield start, end, new.encode()
            continue
        # before Python 3.12 a name in a formatted string has no place of its own
        for first, last in strings:
            for found in re.finditer(rb"(?<![\w.])%s(?!\w)" % re.escape(old.encode()), module.raw[first:last]):
                yield first + found.start(), first + found.end(), new.encode()


def _new_name(taken: _Taken, module: Module, free: Free, names: Mapping[tuple[Module, str], str]) -> str | None:
    match taken.meant(module, free.node.id):
        case Part() as found:
            home = taken.sources.home(module, free.node.id)
            return names.get((found.module, taken.instead.get(home, home)[1]))
    return None


def _annotations(taken: _Taken, part: Part) -> Iterator[Edit]:
    """Annotations go where what they name is not in the script; a field of a dataclass then has any type."""
    module = part.module
    fields = {id(node) for node in getattr(part.node, "body", ()) if isinstance(part.node, ast.ClassDef)}
    for node in nodes(part.node):
        match node:
            case ast.arg(annotation=ast.expr() as annotation) if not _known(taken, module, annotation):
                start, end = module.span(node)
                yield start + len(node.arg.encode()), end, b""
            case ast.FunctionDef(returns=ast.expr() as returns) if not _known(taken, module, returns):
                start, end = module.span(returns)
                arrow = module.raw.rindex(b"->", 0, start)
                yield len(module.raw[:arrow].rstrip()), end, b""
            case ast.AnnAssign(annotation=annotation) if not _known(taken, module, annotation):
                start, end = module.span(annotation)
                if id(node) in fields and "ClassVar" not in ast.dump(annotation):
                    yield start, end, b"object"
                elif node.value is not None:
                    yield module.span(node.target)[1], end, b""


def _docstrings(part: Part) -> Iterator[Edit]:
    """The first paragraph is for a reader of the script, what follows for a caller of the library."""
    for node in nodes(part.node):
        if (
            not isinstance(node, ast.FunctionDef | ast.ClassDef)
            or (text := ast.get_docstring(node, clean=False)) is None
        ):
            continue
        first, _, rest = text.partition("\n\n")
        if rest:
            start, end = part.module.span(node.body[0])
            at = part.module.raw.index(first.encode(), start, end) + len(first.encode())
            yield at, end, b'"""'


def _known(taken: _Taken, module: Module, annotation: ast.expr) -> bool:
    """Whether everything an annotation names is in the script anyway."""
    for free in free_names(annotation):
        match taken.meant(module, free.node.id):
            case Part() as found if found not in taken.parts:
                return False
            case External() as library if library not in taken.libraries:
                return False
    return True


def _edited(module: Module, start: int, end: int, edits: Iterable[Edit]) -> str:
    """A stretch of a source with the edits made; an edit inside another one is void."""
    out, at = b"", start
    for first, last, new in sorted(set(edits), key=lambda edit: (edit[0], -edit[1])):
        if first < at:
            continue
        out += module.raw[at:first] + new
        at = last
    return (out + module.raw[at:end]).decode()


def _import_lines(libraries: Iterable[External]) -> str:
    """`import x` and `from x import a, b`, Python's own first."""
    whole = sorted({library.statement for library in libraries if library.statement.startswith("import ")})
    parts: dict[str, set[str]] = defaultdict(set)
    for library in libraries:
        if found := re.fullmatch(r"from (\S+) import (.+)", library.statement):
            parts[found[1]].add(found[2])
    lines = [*whole, *(f"from {module} import {', '.join(sorted(parts[module]))}" for module in sorted(parts))]
    own = [line for line in lines if line.split()[1].partition(".")[0] in sys.stdlib_module_names]
    others = [line for line in lines if line not in own]
    return "\n".join(own) + ("\n\n" if own and others else "") + "\n".join(others)


def _undefined(script: str) -> set[str]:
    """Names that run and that nothing in the script binds."""
    tree = ast.parse(script)
    bound = {name for node in tree.body for name in _defined(node)} | set(dir(builtins)) | {"__name__", "__file__"}
    return {free.node.id for node in tree.body for free in free_names(node) if not free.annotates} - bound


def _defined(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in names)
        case _:
            yield from (n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
