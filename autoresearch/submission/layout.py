"""How a script is laid out once pieces of it are gone: lines joined where they fit, blank lines as they should be."""

import ast
import re
from collections.abc import Iterator

from autoresearch.submission.plainer import Edit
from autoresearch.submission.whole import Script

WIDTH = 120


def laid_out(text: str) -> str:
    """The same script, its lines as full as they may be."""
    for rule in (_plain_records, _given_back):
        text = (script := Script(text)).changed(rule(script))
    while (joined := (script := Script(text)).changed(_joined(script))) != text:
        text = joined
    text = re.sub(r"\n{4,}", "\n\n\n", text)
    # a title stands right above what it is of, and goes where nothing is left of that
    text = re.sub(r"^(# .*)\n\n+(?=# |if __name__)", "", text, flags=re.MULTILINE)
    return re.sub(r"^(# .*)\n\n+", r"\1\n", text, flags=re.MULTILINE)


def _joined(script: Script) -> Iterator[Edit]:
    """Statements, and the heads of blocks, that fit on one line."""
    for node in script.nodes:
        if not isinstance(node, ast.stmt):
            continue
        start = script.span(node)[0]
        body = getattr(node, "body", None)
        if isinstance(body, list) and body:
            end = script.raw.rindex(b":", start, _body_start(script, body[0])) + 1
        elif not isinstance(node, ast.Match | ast.Try):
            end = script.span(node)[1]
        else:
            continue
        yield from _one_line(script, start, end)


def _plain_records(script: Script) -> Iterator[Edit]:
    """A record without fields is a class; one that no field with a default stands early in needs no keywords."""
    for cls in script.classes.values():
        for decorator in cls.decorator_list:
            if not isinstance(decorator, ast.Call) or ast.unparse(decorator.func) != "dataclass":
                continue
            start, end = script.span(decorator)
            fields = list(script.fields(cls).values())
            if not fields and not cls.bases:
                yield start - 1, end + 1, b""
            elif [f.value is None for f in fields] == sorted((f.value is None for f in fields), reverse=True):
                left = [k for k in decorator.keywords if k.arg != "kw_only"]
                inner = ", ".join(ast.unparse(k) for k in left)
                yield start, end, f"dataclass({inner})".encode() if inner else b"dataclass"


def _given_back(script: Script) -> Iterator[Edit]:
    """What is named only to be given back."""
    for node in script.nodes:
        match getattr(node, "body", None):
            case [
                *_,
                ast.Assign(targets=[ast.Name(id=name)], value=value) as made,
                ast.Return(value=ast.Name(id=given)) as back,
            ]:
                if name == given and script.span(made)[1] + 1 == script.raw.rindex(b"\n", 0, script.span(back)[0]) + 1:
                    start, end = script.span(made)[0], script.span(back)[1]
                    yield start, end, b"return " + script.source(value)


def _body_start(script: Script, node: ast.stmt) -> int:
    return script.whole_lines(node)[0]


def _one_line(script: Script, start: int, end: int) -> Iterator[Edit]:
    text = script.raw[start:end]
    if b"\n" not in text or b"#" in text or b'"""' in text:
        return
    line = re.sub(rb"\s*\n\s*", b" ", text)
    line = re.sub(rb"([(\[{]) ", rb"\1", line)
    line = re.sub(rb",? ([)\]}])", rb"\1", line)
    column = start - script.raw.rindex(b"\n", 0, start) - 1
    tail = script.raw[end : script.raw.index(b"\n", end)]
    if column + len(line.decode()) + len(tail) <= WIDTH:
        yield start, end, line
