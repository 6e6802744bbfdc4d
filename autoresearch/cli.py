"""`autoresearch`: every command in the order of --help, and how an error ends one."""

import os
import sys

import typer

from autoresearch.commands.corpora import data
from autoresearch.commands.grading import grade
from autoresearch.commands.listing import claims, list_, show, stop
from autoresearch.commands.machine import catalog, doctor, replay
from autoresearch.commands.output import say
from autoresearch.commands.shipping import export, report, verify
from autoresearch.commands.study import resume, study
from bench.errors import ArenaError
from bench.streams import drop_stdout, settle

# torch, Optuna and the ledger are imported inside the commands that use them: --help must answer at once

app = typer.Typer(
    name="autoresearch",
    help="Find, prove and ship a training recipe for a small language model.",
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback(invoke_without_command=True)(study)
app.command()(resume)
app.command("list")(list_)
for command in (show, stop, replay, grade, claims, catalog, data, doctor, report, export, verify):
    app.command()(command)


def _objection(wrong: typer.TyperException) -> str:
    """One line, with the name of the option or argument it is about."""
    told: str = wrong.format_message() if isinstance(wrong, typer.BadParameter) else str(wrong)
    return " ".join(told.split()).rstrip(".")


def main() -> None:
    """Exit codes: 0 done, 1 a run or check failed, 2 the request can't be honoured, 130 interrupted."""
    # Read when numpy loads. Beliefs are sums over small matrices: one thread gives the same bits on any machine, and
    # beside two runs on two cores took 0.4 s at 1,000 trials, as many threads as cores 2.0 s.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    settle()
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except ArenaError as wrong:
        say(f"error: {wrong.problem}")
        say(f"hint: {wrong.hint}")
        sys.exit(2)
    except typer.TyperException as wrong:
        # what the parser objects to: an unknown command or option, a value of the wrong type
        say(f"error: {_objection(wrong)}")
        say("hint: `autoresearch --help` lists the commands and options")
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except BrokenPipeError:
        # the reader of our output has gone, as `| head` does: nothing is wrong
        drop_stdout()
        sys.exit(0)


if __name__ == "__main__":
    main()
