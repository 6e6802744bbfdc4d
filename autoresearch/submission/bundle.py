"""One readable file from our modules: what a recipe uses and nothing else, with no import of our packages.

What is taken follows from the code alone. From one function on, every definition that runs; of a class, the members
whose names the rest mentions. Search metadata goes: a knob keeps its name and its reason. Comments stay.
"""

import ast
import builtins
import keyword
import re
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from autoresearch.submission.plainer import Edit
from autoresearch.submission.scopes import Free, bound_anywhere, free_names, nodes
from autoresearch.submission.sources import BundleError, External, Module, Part, Sources
from autoresearch.submission.taken import Taken


def bundle(texts: Mapping[str, str], main: tuple[str, str], instead: Mapping[tuple[str, str], tuple[str, str]]) -> str:
    """The script that begins with a function, `(module, name)`.

    `texts` are modules that are no files; `instead` says for a definition which other one stands in the script. Raises
    BundleError for code that can't be taken out of its module.
    """
    taken = Taken(Sources(texts), instead)
    taken.take(taken.definition(*main))
    return _written(taken, main[1])


def _written(taken: Taken, main: str) -> str:
    modules = taken.modules()
    names = _names(taken, modules)
    sections = []
    for module in modules:
        parts = sorted((part for part in taken.parts if part.module is module), key=lambda part: part.node.lineno)
        about = f"# {module.about}"
        texts = [_text(taken, part, names) for part in parts]
        sections.append(f"{about}\n\n{_joined(parts, texts)}")
    head = f"{_shapes(modules)}{_import_lines(taken.libraries)}\n\n\n"
    body = "\n\n\n".join(sections)
    script = f'from __future__ import annotations\n\n{head}{body}\n\n\nif __name__ == "__main__":\n    {main}()\n'
    if missing := sorted(_undefined(script)):
        raise BundleError(f"the script uses what it does not define: {', '.join(missing)}")
    return script


def _shapes(modules: list[Module]) -> str:
    """One legend for all."""
    meant: dict[str, str] = {}
    for module in modules:
        for letter, meaning in module.shapes.items():
            meant.setdefault(letter, meaning)
    said = ", ".join(f"{letter} {meaning}" for letter, meaning in sorted(meant.items()))
    return textwrap.fill(f"Shapes: {said}.", 118, initial_indent="# ", subsequent_indent="# ") + "\n\n" if meant else ""


def _joined(parts: list[Part], texts: list[str]) -> str:
    """Two blank lines around functions and classes, none between assignments."""
    out = ""
    for number, (part, text) in enumerate(zip(parts, texts, strict=True)):
        blocks = (ast.FunctionDef, ast.ClassDef)
        apart = number and (isinstance(part.node, blocks) or isinstance(parts[number - 1].node, blocks))
        out += ("\n\n\n" if apart else "\n" if number else "") + text
    return out


def _names(taken: Taken, modules: list[Module]) -> dict[tuple[Module, str], str]:
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


def _text(taken: Taken, part: Part, names: Mapping[tuple[Module, str], str]) -> str:
    """The source of a definition, cut to what stays and renamed where it must be."""
    module, node = part.module, part.node
    edits: list[Edit] = []
    if isinstance(node, ast.ClassDef):
        edits += _members(taken, part)
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and (new := names[module, node.name]) != node.name:
        at = module.raw.index(node.name.encode(), module.span(node)[0] + len("def "))
        edits.append((at, at + len(node.name.encode()), new.encode()))
    edits += [*_renamings(taken, part, names), *_field_types(taken, part)]
    # to the end of its last line, for a comment there
    text = module.edited(module.line_starts[part.start - 1], module.line_starts[node.end_lineno or 0] - 1, edits)
    text = re.sub(r"[ \t]+# (?:type: ignore|noqa|fmt: )[^\n]*", "", text)
    return re.sub(r"\n{3,}( *)", r"\n\n\1", text).rstrip()


def _members(taken: Taken, part: Part) -> Iterator[Edit]:
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


def _renamings(taken: Taken, part: Part, names: Mapping[tuple[Module, str], str]) -> Iterator[Edit]:
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


def _new_name(taken: Taken, module: Module, free: Free, names: Mapping[tuple[Module, str], str]) -> str | None:
    match taken.meant(module, free.node.id):
        case Part() as found:
            home = taken.sources.home(module, free.node.id)
            return names.get((found.module, taken.instead.get(home, home)[1]))
    return None


def _field_types(taken: Taken, part: Part) -> Iterator[Edit]:
    """A field of a class has any type where its own is not in the script."""
    for node in getattr(part.node, "body", ()) if isinstance(part.node, ast.ClassDef) else ():
        if isinstance(node, ast.AnnAssign) and not _known(taken, part.module, node.annotation):
            yield (*part.module.span(node.annotation), b"object")


def _known(taken: Taken, module: Module, annotation: ast.expr) -> bool:
    """Whether everything an annotation names is in the script anyway."""
    for free in free_names(annotation):
        match taken.meant(module, free.node.id):
            case Part() as found if found not in taken.parts:
                return False
            case External() as library if library not in taken.libraries:
                return False
    return True


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
