"""A fighter graded."""

from pathlib import Path
from typing import Annotated

import typer

from autoresearch.commands.ledger import open_ledger
from autoresearch.commands.options import DataOption, JobsOption, JsonOption, StoreOption, TimeoutOption
from autoresearch.commands.output import say, to_text
from bench.streams import print_out


def grade(
    fighter: Annotated[Path, typer.Argument(metavar="FIGHTER.toml", help="a fighter's file, or a shipped one's name")],
    seeds: Annotated[int, typer.Option(help="published seeds, the track's first")] = 3,
    steps: Annotated[int | None, typer.Option(help="instead of the fighter's own; 500 and 800 carry belts")] = None,
    audit: Annotated[
        Path | None, typer.Option("--audit", metavar="FILE", help="text that no search has seen, scored once")
    ] = None,
    name: Annotated[str | None, typer.Option("--study", metavar="NAME", help="default: made of what it is")] = None,
    data: DataOption = "auto",
    jobs: JobsOption = None,
    timeout: TimeoutOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a fighter from scratch on the published seeds, score it, and move its division's belt by the verdict."""
    from rich.console import Console

    from autoresearch.grading.grade import grade as graded_in
    from autoresearch.grading.grade import grading_spec, to_json
    from autoresearch.grading.listing import grade_text
    from autoresearch.requests import duration
    from autoresearch.session import default_jobs
    from bench.data.choose import load_corpus

    seconds = None if timeout is None else duration(timeout)
    corpus = load_corpus(data)
    spec = grading_spec(fighter, steps, seeds, corpus, data, name)
    ledger = open_ledger(store, jobs)
    say(f"study {spec.name} on {corpus.name} {corpus.digest[:8]}; watch it with `arena --study {spec.word}`")
    try:
        found = graded_in(spec, ledger, corpus, jobs or default_jobs(), Console(stderr=True), seconds, audit, say)
        if found is not None:
            belts = ledger.read.belts()
            print_out(to_text(to_json(found, belts)) if as_json else grade_text(found, belts))
    except KeyboardInterrupt:
        say("interrupted; the same command goes on")
        raise
    finally:
        ledger.close()
    if found is not None and found.failed:
        raise typer.Exit(1)
