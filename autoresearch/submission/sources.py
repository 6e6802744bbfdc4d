"""Our modules as the bundler reads them: definitions and imports by name, never imported, only parsed."""

import ast
import importlib
import importlib.util
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from autoresearch.submission.plainer import Text, plainer

OURS = ("bench", "studies", "autoresearch", "arena_tui")


class BundleError(Exception):
    """Code that can't become part of one file: our own to put right, so not an ArenaError."""


@dataclass(frozen=True)
class External:
    """A name that a library gives, and the import that brings it."""

    statement: str
    local: str


@dataclass(frozen=True)
class Imported:
    """A name that another of our modules gives."""

    module: str
    name: str


@dataclass(frozen=True, eq=False)
class Part:
    """A statement at the top of a module: a function, a class, an assignment. `start` counts comments above it."""

    module: "Module"
    names: tuple[str, ...]
    node: ast.stmt
    start: int  # first line, from 1


class Module(Text):
    """One source file made plainer; `ours` are the packages and modules whose names are looked up, not imported."""

    def __init__(self, name: str, text: str, ours: Collection[str] = OURS) -> None:
        super().__init__(plainer(text))
        self.name = name
        self.rows = self.raw.decode().split("\n")
        self.parts: dict[str, Part] = {}
        self.imports: dict[str, External | Imported] = {}
        for node in self.tree.body:
            match node:
                case ast.Import() | ast.ImportFrom():
                    self.imports |= _imports(node, ours)
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    self._add((name,), node)
                case ast.Assign(targets=targets):
                    self._add(tuple(n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)), node)
                case ast.AnnAssign(target=ast.Name(id=name)):
                    self._add((name,), node)
                case ast.Expr(value=ast.Constant()) | ast.If():
                    pass  # a docstring, or what is done only when the file itself is run
                case _:
                    raise BundleError(f"{self.name}, line {node.lineno}: {type(node).__name__} at the top of a module")

    def _add(self, names: tuple[str, ...], node: ast.stmt) -> None:
        part = Part(self, names, node, self.first_line(node))
        self.parts |= dict.fromkeys(names, part)

    def first_line(self, node: ast.stmt) -> int:
        """The line where a statement begins, with its decorators and the comments right above."""
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        line = min([node.lineno, *(d.lineno for d in decorators)])
        while line > 1 and self.rows[line - 2].lstrip().startswith("#"):
            line -= 1
        return line

    @property
    def about(self) -> str:
        """What the module is, in a sentence."""
        said = " ".join((ast.get_docstring(self.tree) or "").partition("\n\n")[0].split())
        # not to the full stop of a citation
        return re.split(r"(?<!et al\.)(?<=\.) ", said)[0]

    @property
    def shapes(self) -> dict[str, str]:
        """What its letters for shapes mean."""
        _, _, legend = (ast.get_docstring(self.tree) or "").partition("Shapes:")
        said = " ".join(legend.partition("\n\n")[0].split()).rstrip(".").split(", ")
        return dict(each.partition(" ")[::2] for each in said if each)


class Sources:
    """All modules a bundle may take from; `texts` are modules that are no files, by name."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.modules = {name: Module(name, text, {*OURS, *texts}) for name, text in texts.items()}

    def module(self, name: str) -> Module:
        if name not in self.modules:
            self.modules[name] = _from_file(name)
        return self.modules[name]

    def resolve(self, module: Module, name: str) -> Part | External | None:
        """What a module means by a name; None for a builtin."""
        if name in module.parts:
            return module.parts[name]
        match module.imports.get(name):
            case External() as library:
                return library
            case Imported(module=other, name=inner):
                found = self.resolve(self.module(other), inner)
                if found is None:
                    raise BundleError(f"{module.name} imports {inner} from {other}, which is no definition there")
                return found
        return None

    def home(self, module: Module, name: str) -> tuple[str, str]:
        """Module and name where a definition stands; a module may know it under another name."""
        imported = module.imports.get(name) if name not in module.parts else None
        if isinstance(imported, Imported):
            return self.home(self.module(imported.module), imported.name)
        return module.name, name

    def text(self, module: Module, node: ast.expr) -> str:
        """A string, written out or under the name of one."""
        if isinstance(node, ast.Name):
            match self.resolve(module, node.id):
                case Part(module=home, node=ast.Assign(value=value)):
                    return self.text(home, value)
        return str(ast.literal_eval(node))

    def library_bases(self, part: Part) -> list[Any]:
        """Classes of libraries among the ancestors of one of ours."""
        assert isinstance(part.node, ast.ClassDef)
        found = []
        for base in part.node.bases:
            attributes: list[str] = []
            while isinstance(base, ast.Attribute):
                attributes.insert(0, base.attr)
                base = base.value
            if isinstance(base, ast.Subscript):
                base = base.value
            meant = self.resolve(part.module, base.id) if isinstance(base, ast.Name) else None
            match meant:
                case Part(node=ast.ClassDef()):
                    found += self.library_bases(meant)
                case External():
                    found.append(_attribute(_load(meant), attributes))
                case _:
                    builtin = __builtins__ if isinstance(__builtins__, dict) else vars(__builtins__)
                    found += [builtin[base.id]] if isinstance(base, ast.Name) and base.id in builtin else []
        return found


@lru_cache(maxsize=1_000)
def _from_file(name: str) -> Module:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise BundleError(f"there is no module {name}")
    return Module(name, Path(found.origin).read_text(encoding="utf-8"))


def _imports(node: ast.Import | ast.ImportFrom, ours: Collection[str]) -> dict[str, External | Imported]:
    found: dict[str, External | Imported] = {}
    for alias in node.names:
        local = alias.asname or alias.name
        renamed = f" as {alias.asname}" if alias.asname else ""
        if isinstance(node, ast.Import):
            found[local.partition(".")[0]] = External(f"import {alias.name}{renamed}", local)
        elif (node.module or "").partition(".")[0] in ours:
            found[local] = Imported(node.module or "", alias.name)
        else:
            found[local] = External(f"from {node.module} import {alias.name}{renamed}", local)
    return found


def _load(library: External) -> Any:
    words = library.statement.split()
    if words[0] == "import":
        return importlib.import_module(words[1] if "as" in words else words[1].partition(".")[0])
    return getattr(importlib.import_module(words[1]), words[3])


def _attribute(value: Any, names: list[str]) -> Any:
    for name in names:
        value = getattr(value, name)
    return value
