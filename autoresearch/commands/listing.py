"""What the ledger holds, and a study told to stop."""

from typing import Annotated

import typer

from autoresearch.commands.ledger import ledger_path
from autoresearch.commands.options import JsonOption, StoreOption
from autoresearch.commands.output import say, to_text
from bench.streams import print_out


def list_(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """The studies of the ledger, and who holds which belt."""
    from autoresearch.grading.listing import belts_table
    from autoresearch.listing import studies_json, studies_table
    from studies.reading import Reader

    reader = Reader(ledger_path(store))
    found = reader.studies()
    print_out(to_text(studies_json(reader, found)) if as_json else studies_table(reader, found))
    if not as_json and (belts := reader.belts()):
        print_out("\n" + belts_table(belts))


def show(
    name: Annotated[str, typer.Argument(help="a study")], store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """A study: its definition, every trial with its outcome, its board."""
    from autoresearch.listing import board, study_json, trials_table
    from studies.reading import Reader

    reader = Reader(ledger_path(store))
    if as_json:
        print_out(to_text(study_json(reader, name)))
    else:
        print_out(trials_table(reader, name))
        print_out(board(reader, name))


def stop(name: Annotated[str, typer.Argument(help="a study")], store: StoreOption = None) -> None:
    """Ask a running study to end; trials under way are cut short, and `resume` runs them again."""
    from autoresearch.stopping import stop_study

    say(stop_study(ledger_path(store), name))


def claims(
    name: Annotated[
        str | None, typer.Option("--study", metavar="NAME", help="a study of yours with --policy claims")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The published findings against our measurements: what is decided, and what is left to run."""
    from autoresearch.claims.listing import claims_table, read_claims, report_json

    found = read_claims(ledger_path(store), name)
    print_out(to_text(report_json(found)) if as_json else claims_table(found))
