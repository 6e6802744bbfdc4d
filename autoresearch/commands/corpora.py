"""The corpora: fetched, looked at, built."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from autoresearch.commands.options import JsonOption
from autoresearch.commands.output import columns, say, to_text
from bench.errors import ConfigError
from bench.streams import print_out


def data(
    action: Annotated[
        str | None, typer.Argument(help="get: fetch a corpus; look: see one; build: golf shards of a text")
    ] = None,
    name: Annotated[
        str | None,
        typer.Argument(
            help="tinystories, fineweb, fineweb-sp4096, -sp8192, -caseops8192; look takes whatever --data does"
        ),
    ] = None,
    shards: Annotated[int, typer.Option(min=1, help="get fineweb: train shards of 100 M tokens, 200 MB each")] = 1,
    text: Annotated[
        str | None, typer.Option(metavar="FILE", help="build: a text file, or whatever --data takes")
    ] = None,
    tokenizer: Annotated[Path | None, typer.Option(metavar="MODEL", help="build: a SentencePiece .model file")] = None,
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="build: a folder that does not exist yet")] = None,
    as_json: JsonOption = False,
) -> None:
    """The corpora. Only `data get` reaches the network; `data look PATH` tells of one, `data build` makes shards."""
    from bench.data.choose import available, look
    from bench.data.fineweb import export_named

    match action, name:
        case None | "look", _:
            rows = available() if action is None else look(name or "auto")
            print_out(
                to_text([dict(zip(("name", "state"), row, strict=True)) for row in rows]) if as_json else columns(rows)
            )
        case "get", "tinystories":
            from bench.data.tinystories import fetch_tinystories

            corpus = fetch_tinystories(report=say)
            sizes = f"{len(corpus.train):,} bytes to train on, {len(corpus.valid):,} to validate"
            print_out(f"{corpus.name} {corpus.digest[:8]}: {sizes}")
        case "get", str() as wanted if export := export_named(wanted):
            from bench.data.fineweb_fetch import fetch_fineweb

            print_out(_shards(fetch_fineweb(export, shards, say)))
        case "build", None:
            print_out(_shards(_built(text, tokenizer, to)))
        case _:
            raise ConfigError(
                f"`data {action} {name or ''}`".replace(" `", "`") + " is not known",
                "write `data get tinystories`, `data get fineweb`, `data look PATH` or `data build`",
            )


def _built(text: str | None, tokenizer: Path | None, to: Path | None) -> Any:
    """The golf corpus that `data build` asks for."""
    from bench.data.choose import documents
    from bench.data.tokens import build

    if text is None or tokenizer is None or to is None:
        raise ConfigError(
            "`data build` needs a text, a tokenizer and a folder",
            "write `data build --text FILE --tokenizer MODEL --to DIR`",
        )
    if not os.path.isfile(tokenizer):
        raise ConfigError(f"there is no file {tokenizer}", "give a SentencePiece .model file")
    named, train, valid = documents(text)
    return build(named, (train, valid), tokenizer.read_bytes(), to, say)


def _shards(corpus: Any) -> str:
    sizes = f"{len(corpus.train):,} tokens to train on, {len(corpus.valid):,} to validate"
    return f"{corpus.name} {corpus.digest[:8]}: {sizes}"
