"""A module as a script needs it: no types of arguments and results, and of docstrings a sentence on each class.

A script reads no packed model but its own, so the checks that only guard against others go too.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator

# Raised for a packed model, a shard or a vocabulary that is damaged or hostile, for a run that is over a cap, and for
# nothing else: a script packs its own model, reads the contest's files, and says in its log what it took.
GUARDS = frozenset({"ArtifactError", "BreachError", "DataError", "TooSlowError"})
Edit = tuple[int, int, bytes]
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Text:
    """A source with its tree; the tree counts columns in bytes."""

    def __init__(self, text: str) -> None:
        self.raw = text.encode()
        self.tree = ast.parse(text)
        self.line_starts = [0]
        for line in self.raw.split(b"\n"):
            self.line_starts.append(self.line_starts[-1] + len(line) + 1)

    def span(self, node: ast.stmt | ast.expr | ast.arg | ast.keyword) -> tuple[int, int]:
        """Where it stands, in bytes."""
        assert node.end_lineno is not None, "parsed, not made"
        assert node.end_col_offset is not None, "parsed, not made"
        end = self.line_starts[node.end_lineno - 1] + node.end_col_offset
        return self.line_starts[node.lineno - 1] + node.col_offset, end

    def lines(self, node: ast.stmt) -> tuple[int, int]:
        """The whole lines of a statement."""
        return self.line_starts[node.lineno - 1], self.line_starts[node.end_lineno or 0]

    def edited(self, start: int, end: int, edits: Iterable[Edit]) -> str:
        """A stretch with the edits made; an edit inside another one is void."""
        out, at = b"", start
        for first, last, new in sorted(set(edits), key=lambda edit: (edit[0], -edit[1])):
            if first < at:
                continue
            out += self.raw[at:first] + new
            at = last
        return (out + self.raw[at:end]).decode()

    def changed(self, edits: Iterable[Edit]) -> str:
        return self.edited(0, len(self.raw), edits)


def plainer(text: str) -> str:
    """The same program for whoever reads its own artifacts only."""
    guarded = Text(text)
    if any(name in text for name in GUARDS):
        guarded = Text(guarded.changed(_guards(guarded)))
    return guarded.changed([*_types(guarded), *_docstrings(guarded), *_remarks(guarded)])


def _remarks(text: Text) -> Iterator[Edit]:
    """Comments at the end of a line; those above one say why, and stay."""
    for token in tokenize.tokenize(io.BytesIO(text.raw).readline):
        row, column = token.start
        before = token.line[:column]
        if token.type == tokenize.COMMENT and before.strip():
            end = text.line_starts[row - 1] + len(before.encode())
            yield text.line_starts[row - 1] + len(before.rstrip().encode()), end + len(token.string.encode()), b""


def _guards(text: Text) -> Iterator[Edit]:
    """`if ...: raise`, what is worked out for that alone, and `try` around what would be raised again as that."""
    for function in ast.walk(text.tree):
        if not isinstance(function, _Function):
            continue
        inside = set(ast.walk(function))
        checks = [n for n in inside if isinstance(n, ast.If) and _is_check(n, inside - set(ast.walk(n)))]
        yield from ((*text.lines(check), b"") for check in checks)
        assigned = [node for node in ast.walk(function) if isinstance(node, ast.Assign) and len(node.targets) == 1]
        gone: set[ast.AST] = {node for check in checks for node in ast.walk(check)}
        # the last first: what is worked out for a check may be worked out of something else for it
        for made in sorted(assigned, key=lambda node: -node.lineno):
            match made.targets[0]:
                case ast.Name(id=name) if _loads(gone, name) and not _loads(set(ast.walk(function)) - gone, name):
                    gone |= set(ast.walk(made))
                    yield (*text.lines(made), b"")
        for node in ast.walk(function):
            if isinstance(node, ast.Try) and all(_only_raises(handler.body) for handler in node.handlers):
                inner = text.raw[text.lines(node.body[0])[0] : text.lines(node.body[-1])[1]]
                if not node.orelse and not node.finalbody:
                    yield (*text.lines(node), re.sub(rb"^    ", b"", inner, flags=re.MULTILINE))


def _is_check(node: ast.If, others: set[ast.AST]) -> bool:
    bound = {inner.target.id for inner in ast.walk(node.test) if isinstance(inner, ast.NamedExpr)}
    return _only_raises(node.body) and not node.orelse and not any(_loads(others, name) for name in bound)


def _only_raises(body: list[ast.stmt]) -> bool:
    match body:
        case [*before, ast.Raise(exc=ast.Call(func=ast.Name(id=name)))]:
            return name in GUARDS and all(isinstance(node, ast.Assign) for node in before)
    return False


def _loads(nodes: Iterable[ast.AST], name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in nodes)


def _types(text: Text) -> Iterator[Edit]:
    """Annotations go; only a field of a class is made by one."""
    fields = {
        field for node in ast.walk(text.tree) if isinstance(node, ast.ClassDef) for field in node.body
        if isinstance(field, ast.AnnAssign) and (field.value is None or "ClassVar" not in ast.dump(field.annotation))
    }  # fmt: skip
    for node in ast.walk(text.tree):
        match node:
            case ast.arg(annotation=ast.expr() as annotation):
                start, end = text.span(node)[0] + len(node.arg.encode()), text.span(annotation)[1]
                spaced = text.raw[end : end + 3] == b" = "
                yield start, end + 3 * spaced, b"=" * spaced
            case ast.FunctionDef(returns=ast.expr() as returns):
                start, end = text.span(returns)
                arrow = text.raw.rindex(b"->", 0, start)
                yield len(text.raw[:arrow].rstrip()), end, b""
            case ast.AnnAssign(annotation=annotation, value=value) if node not in fields:
                if value is None:
                    yield (*text.lines(node), b"")
                else:
                    yield text.span(node.target)[1], text.span(annotation)[1], b""


def _docstrings(text: Text) -> Iterator[Edit]:
    """The title of a module says what follows, names say the rest; a docstring that is all there is becomes `pass`."""
    for node in ast.walk(text.tree):
        if not isinstance(node, _Function | ast.ClassDef) or ast.get_docstring(node) is None:
            continue
        start, end = text.span(node.body[0])
        if len(node.body) == 1:
            yield start, end, b"pass"
        else:
            first, last = text.lines(node.body[0])
            yield first, last + (text.raw[last : last + 1] == b"\n"), b""
