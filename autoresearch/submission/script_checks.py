"""What a script's text tells before anything of it runs: imports, packing, network, where validation shards go."""

import ast
import re
import sys
from collections.abc import Iterator

from autoresearch.submission.folder import Broken
from autoresearch.submission.sources import OURS

NETWORK = frozenset(
    (
        "aiohttp",
        "ftplib",
        "http",
        "httpx",
        "huggingface_hub",
        "paramiko",
        "requests",
        "smtplib",
        "socket",
        "urllib",
        "wandb",
    )
)
# Programs that fetch, where a script starts one.
FETCHERS = re.compile(r"^(?:curl|wget|pip3?|git|hf|huggingface-cli|scp|ssh)(?:\s|$)")
_VALIDATION = re.compile(r"(?:^|_)val(?:id|idation)?(?:_|$)", re.IGNORECASE)
_VALIDATION_TEXT = re.compile(r"fineweb_val|_val_\*|valid\.bin")
_TRAINING = re.compile(r"(?:^|_)train(?:ing)?(?:_|$)", re.IGNORECASE)


def parsed(raw: bytes) -> ast.Module:
    """The syntax tree of a script, never run; Broken when it is none. A script that unpacks itself stays packed."""
    try:
        return ast.parse(raw.decode())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as wrong:
        raise Broken(f"it does not compile: {type(wrong).__name__}: {wrong}") from wrong


def imported(tree: ast.Module) -> set[str]:
    """Packages that are imported anywhere, by their first name."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(module), level=0):
                found.add(module.partition(".")[0])
            case (
                ast.Call(func=ast.Name(id="__import__"), args=[ast.Constant(value=str(name)), *_])
                | ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_])
            ):
                found.add(name.partition(".")[0])
    return found


def check_imports(tree: ast.Module) -> str:
    """Libraries are free; ours, in a submission, are not, for nobody else has them."""
    found = imported(tree)
    if ours := sorted(found & set(OURS)):
        raise Broken(f"it imports {', '.join(ours)}, which are no part of the folder")
    libraries = sorted(found - set(sys.stdlib_module_names))
    return f"imports {', '.join(libraries) or 'nothing but Python'}"


def check_network(tree: ast.Module) -> str:
    found = sorted(imported(tree) & NETWORK)
    started = [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and node.args
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("run", "call", "check_call", "check_output", "Popen", "system", "popen")
    ]
    programs = [text for call in started for text in _first_words(call)]
    found += sorted({text for text in programs if FETCHERS.match(text)})
    if found:
        raise Broken(f"it reaches for the network: {', '.join(found)}")
    return "no import and no program that reaches the network"


def _first_words(call: ast.expr) -> Iterator[str]:
    first = call.elts[0] if isinstance(call, ast.List | ast.Tuple) and call.elts else call
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield first.value


def check_validation_data(tree: ast.Module) -> str:
    """Raises Broken where validation shards become what is trained on; a text that reads otherwise proves little."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[target], value=value) if _named(target, _TRAINING) and _holds_validation(value):
                raise Broken(f"line {node.lineno}: validation data goes into {ast.unparse(target)}")
            case ast.Call(func=func, args=args) if _named(
                func, re.compile("Train|DistributedTokenLoader|train_loader")
            ):
                if any(_holds_validation(arg) for arg in args):
                    raise Broken(f"line {node.lineno}: validation data goes into {ast.unparse(func)}")
    return "no validation shard goes to what is named after training"


def adapts(tree: ast.Module) -> bool:
    """Whether it trains while it evaluates, by the names it gives."""
    names = {getattr(node, "name", "") for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return any(re.search("ttt|lora|slot|adapt", name, re.IGNORECASE) for name in names)


def _named(node: ast.AST, pattern: re.Pattern[str]) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return bool(pattern.search(name)) and not _VALIDATION.search(name)


def _holds_validation(node: ast.AST) -> bool:
    """The shards or tokens themselves: a name, a pattern of files; a number computed from them is none."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(_VALIDATION_TEXT.search(node.value))
    if isinstance(node, ast.Attribute | ast.Name):
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        return bool(re.fullmatch(r"val(?:id|idation)?_(?:files|tokens|data|shards|pattern)", name))
    if isinstance(node, ast.Call):
        callee = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return callee in ("join", "glob", "sorted", "load_data_shard", "cat", "concatenate", "to", "list") and any(
            map(_holds_validation, node.args)
        )
    if isinstance(node, ast.BinOp):
        return _holds_validation(node.left) or _holds_validation(node.right)
    if isinstance(node, ast.List | ast.Tuple):
        return any(map(_holds_validation, node.elts))
    return isinstance(node, ast.Subscript) and _holds_validation(node.value)
