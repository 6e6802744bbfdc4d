"""What leaves a study: its report, a submission, and the check of one."""

from pathlib import Path
from typing import Annotated

import typer

from autoresearch.commands.ledger import ledger_path
from autoresearch.commands.options import DataOption, JsonOption, StoreOption
from autoresearch.commands.output import columns, say, to_text
from bench.streams import print_out


def report(
    name: Annotated[str, typer.Argument(help="a study")],
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="a new folder, or an earlier report's; default: NAME-report"),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The commentary on a study, from the ledger alone: report.md and one self-contained report.html."""
    from autoresearch.reporting.report import to_json
    from autoresearch.reporting.write import report_of, write_report

    found = report_of(ledger_path(store), name)
    if to is not None or not as_json:
        folder = write_report(found, to)
        say(f"report.md and report.html are in {folder}") if as_json else print_out(str(folder))
    if as_json:
        print_out(to_json(found))


def export(
    name: Annotated[str, typer.Argument(help="a study")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="a folder that does not exist yet")],
    trial: Annotated[int | None, typer.Option(help="default: the best")] = None,
    data: Annotated[str | None, typer.Option("--data", metavar="PATH", help="where its corpus lies now")] = None,
    packed: Annotated[
        bool, typer.Option("--packed", help="golf: pack the script, which leaves weights more of the cap")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Write a trial as a submission: fighter, artifact, card, curve. A failed one is a negative result."""
    from autoresearch.submission.write import write_submission

    print_out(str(write_submission(ledger_path(store), name, trial, to, data, say, pack=packed)))


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a submission folder")],
    data: DataOption = "auto",
    run_code: Annotated[
        bool, typer.Option("--run-code", help="run the mixer that the fighter brings, as you: read it first")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check a submission: unpack, score again where the corpus is there; pass, fail or can't tell per item."""
    from autoresearch.submission.verify import verify_submission

    checks = verify_submission(folder, data, run_code, say)
    text = [(check.verdict, check.item, check.evidence) for check in checks]
    print_out(to_text([vars(check) for check in checks]) if as_json else columns(text))
    if any(check.verdict == "fail" for check in checks):
        raise typer.Exit(1)
