"""`arena`: parse, then open the screen, or print where there is no terminal for one."""

import sys
from typing import Annotated

import typer

from bench.errors import ArenaError

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Store = Annotated[str | None, typer.Option("--store", metavar="URL", help="The ledger: a path, or sqlite:///PATH.")]


@app.callback(invoke_without_command=True)
def watch(
    context: typer.Context,
    study: Annotated[str | None, typer.Option("--study", metavar="NAME", help="The study to show first.")] = None,
    store: Store = None,
) -> None:
    """Watch studies: live curves, standings, every trial and why. Without a terminal, print the board.

    It only reads. `autoresearch` starts, resumes and stops studies.
    """
    if context.invoked_subcommand is not None:
        context.obj = store
        return
    if not sys.stdout.isatty():
        from arena_tui.board import print_board

        print_board(store, study)
        return
    if not (sys.stderr.isatty() and sys.stdin.isatty()):
        # Textual draws on stderr and reads keys from stdin: the screen would go into the file
        raise ArenaError(
            "the screen needs stdin and stderr on the terminal, and one of them is redirected",
            "drop the redirection, or print the board with `arena standings`",
        )
    from arena_tui.app import ArenaApp

    screen = ArenaApp(store, study)
    screen.run()
    if screen.return_code:
        raise typer.Exit(screen.return_code)


@app.command()
def standings(
    context: typer.Context,
    track: Annotated[str | None, typer.Option(metavar="T", help="featherweight or golf.")] = None,
    division: Annotated[str | None, typer.Option(metavar="D", help="One division instead of all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A list of objects.")] = False,
    store: Store = None,
) -> None:
    """Print the standings of every board, or of one track or division."""
    from arena_tui.board import print_standings

    print_standings(store or context.obj, track, division, as_json)


def main() -> None:
    """The entry point; a request that can't be honoured ends with two lines and exit code 2."""
    try:
        app()
    except ArenaError as wrong:
        typer.echo(f"error: {wrong.problem}", err=True)
        typer.echo(f"hint: {wrong.hint}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
