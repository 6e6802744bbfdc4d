"""`arena`: parse, then open the screen, or print where there is no terminal for one.

Parsed by argparse: importing Typer takes 0.09 s of the half second until the first paint.
"""

import argparse
import sys
from typing import NoReturn

from bench.errors import ArenaError
from bench.streams import drop_stdout, settle


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as everything else here does."""

    def error(self, message: str) -> NoReturn:
        raise ArenaError(message, f"`{self.prog} --help` lists what it takes")


def arguments(given: list[str]) -> argparse.Namespace:
    """What was asked for; raises ArenaError."""
    parser = _Parser(
        prog="arena",
        description="Watch studies: live curves, standings, every trial and why. Without a terminal, print the board. "
        "It only reads; what it starts, resumes or stops for you runs as `autoresearch`, and outlives it.",
    )
    parser.add_argument("--study", metavar="NAME", help="the study to show first")
    parser.add_argument("--store", metavar="URL", help="the ledger: a path, or sqlite:///PATH")
    parser.add_argument("--readonly", action="store_true", help="take away the keys that start or stop anything")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", parser_class=_Parser)
    board = commands.add_parser("standings", help="print the standings of every board, or of one track or division")
    board.add_argument("--track", metavar="T", help="featherweight or golf")
    board.add_argument("--division", metavar="D", help="one division instead of all")
    board.add_argument("--json", dest="as_json", action="store_true", help="a list of objects")
    # left alone where absent, so that it may stand before the command or after it
    board.add_argument("--store", metavar="URL", default=argparse.SUPPRESS, help="the ledger, as above")
    return parser.parse_args(given)


def watch(store: str | None, study: str | None, readonly: bool) -> int:
    """The screen, or the board where stdout is no terminal; the exit code."""
    if not sys.stdout.isatty():
        from arena_tui.board import print_board

        print_board(store, study)
        return 0
    if not (sys.stderr.isatty() and sys.stdin.isatty()):
        # Textual draws on stderr and reads keys from stdin: the screen would go into the file
        raise ArenaError(
            "the screen needs stdin and stderr on the terminal, and one of them is redirected",
            "drop the redirection, or print the board with `arena standings`",
        )
    from arena_tui.app import ArenaApp
    from arena_tui.memory import Memory, default_file

    screen = ArenaApp(store, study, memory=Memory.read(default_file()), readonly=readonly)
    screen.run()
    return screen.return_code or 0


def run(given: list[str]) -> int:
    asked = arguments(given)
    if asked.command is None:
        return watch(asked.store, asked.study, asked.readonly)
    from arena_tui.board import print_standings

    print_standings(asked.store, asked.track, asked.division, asked.as_json)
    return 0


def main() -> None:
    """The entry point; a request that can't be honoured ends with two lines and exit code 2."""
    settle()
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except ArenaError as wrong:
        print(f"error: {wrong.problem}\nhint: {wrong.hint}", file=sys.stderr)
        code = 2
    except BrokenPipeError:
        # whoever read the board has seen enough; nothing may be flushed into the closed pipe at exit
        drop_stdout()
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
