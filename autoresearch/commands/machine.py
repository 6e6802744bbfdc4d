"""What is here: techniques, and what this machine can do or repeat."""

from typing import Annotated

import typer

from autoresearch.commands.ledger import ledger_path
from autoresearch.commands.options import JsonOption, StoreOption
from autoresearch.commands.output import columns, say, to_text
from bench.streams import print_out


def catalog(as_json: JsonOption = False) -> None:
    """Every technique by slot, with its status, knobs, needs and clashes; an idea can be ranked and not run."""
    from autoresearch.listing import catalog_table
    from bench.cards import cards

    print_out(to_text(cards()) if as_json else catalog_table(cards()))


def doctor(
    speed: Annotated[
        bool, typer.Option("--speed", help="also time the baseline's step against the machine's peak")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """What this machine can do, and whether everything needed is in order."""
    from autoresearch.doctor import examine

    findings = examine(ledger_path(store), speed)
    text = [(("ok" if f.fine else "FAIL"), f.subject, f.said) for f in findings]
    print_out(to_text([vars(f) for f in findings]) if as_json else columns(text))
    if not all(f.fine for f in findings):
        raise typer.Exit(1)


def replay(
    run: Annotated[int, typer.Argument(help="a run's number")],
    data: Annotated[str | None, typer.Option("--data", metavar="PATH", help="where its corpus lies now")] = None,
    store: StoreOption = None,
) -> None:
    """Run a run again and hold it against the ledger: the same bits on the same kind of machine."""
    from autoresearch.replaying import replay_run

    same, said = replay_run(ledger_path(store), run, data, say)
    print_out(said)
    if not same:
        raise typer.Exit(1)
