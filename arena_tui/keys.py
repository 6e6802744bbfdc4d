"""Every key once: dispatch, footer and help are made from these tables. One key means one thing on every screen."""

from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Key:
    """`footer` is its name in the key line; keys without one are in the help only."""

    key: str
    action: str
    help: str
    footer: str = ""
    # taken before the focused widget's queue: what is typed in the same breath must find the focus where it put it
    first: bool = False
    shown: str = ""  # how the key is written, when Textual's name is not what is printed on it

    @property
    def written(self) -> str:
        return self.shown or self.key.replace("ctrl+", "^").replace(",", " ")


GLOBAL = (
    Key("1", "mode('live')", "Live: curves and runs of the study"),
    Key("2", "mode('standings')", "Standings: the board of each division"),
    Key("3", "mode('trials')", "Trials: every outcome of the study"),
    Key("4", "mode('studies')", "Studies: all of them, and which is shown"),
    Key("5", "mode('compare')", "Compare: the marked configs side by side"),
    Key("6", "mode('research')", "Research: the commentary on the study, live"),
    Key("7", "mode('claims')", "Claims: published findings and our verdicts"),
    Key("8", "mode('leaderboard')", "Leaderboard: Parameter Golf's, as facts with their source"),
    Key("escape", "out", "one level out: filter, marks, page; never quits", shown="esc"),
    Key("z", "freeze", "freeze the picture, or follow again"),
    Key("ctrl+r", "reread", "read the store again now"),
    Key("question_mark", "help", "this page", "help", shown="?"),
    Key("ctrl+p", "command_palette", "command palette: pages, studies, trials"),
    Key("colon", "command", "type a command: study, trial, filter, sort, pin, theme, write ..", shown=":"),
    Key("T", "theme", "next theme: dark, light, high contrast, safe for colour-blind eyes"),
    Key("w", "write('csv')", "write the curves or the table shown to a CSV file in this folder"),
    Key("W", "write('svg')", "write the screen to an SVG file in this folder"),
    Key("q,ctrl+c", "quit", "quit; studies go on without this screen", "quit", shown="q"),
)
LISTS = (
    Key("slash", "filter", "filter the list: words, !not, a|b, field:value, lr>=1e-3", "filter", True, "/"),
    Key("s", "sort", "next order of the list", "sort"),
    Key("space", "mark", "mark the run for the curves, or unmark it", "mark"),
    Key("u", "unmark", "unmark all", "unmark"),
    Key("p", "pin", "pin the trial: its curve stays, and others are compared with it; again to unpin"),
    Key("v", "compare", "compare the marked configs", "compare"),
    Key("o", "outcomes", "all outcomes, valid ones, failures", "outcomes"),
    Key("left_square_bracket", "failure(-1)", "previous failure", shown="["),
    Key("right_square_bracket", "failure(1)", "next failure", shown="]"),
    Key("h,left", "sideways(-1)", "previous division, section or column", shown="h"),
    Key("l,right", "sideways(1)", "next division, section or column", shown="l"),
    Key("b", "board", "the board of the next corpus, budget or device"),
)
PLOT = (
    Key("t", "layout", "curves and list, list only, curves only", "layout"),
    Key("m", "metric", "train_loss or probe_loss", "metric"),
    Key("x", "axis", "x axis: step, bytes or seconds", "axis"),
    Key("e", "seeds", "the seeds of a config as a band, or each by itself"),
)
DETAIL = (
    Key("j,down", "scroll(1)", "scroll down", shown="j"),
    Key("k,up", "scroll(-1)", "scroll up", shown="k"),
    Key("g,home", "edge(-1)", "to the top", shown="g"),
    Key("G,end", "edge(1)", "to the end", shown="G"),
    Key("ctrl+d,pagedown", "page(1)", "one page down", shown="^d"),
    Key("ctrl+u,pageup", "page(-1)", "one page up", shown="^u"),
    Key("c", "copy", "copy the command that runs it again", "copy command"),
)

LEADERBOARD = (
    Key("F", "fetch", "fetch Parameter Golf's leaderboard of today from api.github.com", "fetch"),
    Key("c", "copy", "copy the address of the entry", "copy"),
)

# The only keys that change anything outside the screen, each by a dialog; --readonly takes them away.
CHANGES = (
    Key("L", "order('launch')", "launch a study", "launch"),
    Key("R", "order('resume')", "resume the study, or make it longer", "resume"),
    Key("X", "order('stop')", "stop the study", "stop"),
    Key("B", "order('grade')", "grade a fighter: train it on the published seeds, and fight for the belt", "grade"),
    Key("E", "order('export')", "export the trial, or the study's best", "export"),
)
ORDER = (
    Key("enter", "go", "check the form; again: start it; then: watch the study", "check, then start"),
    Key("escape", "leave", "leave; what has been started goes on", "leave", shown="esc"),
    Key("down", "next(1)", "next field; tab does too", "field", True, shown="↓ ↑"),
    Key("up", "next(-1)", "previous field", first=True, shown="↑"),
    Key("ctrl+y", "copy_command", "copy the command line", "copy command"),
)

# Pairs of keys that take one place in the key line.
DIVISION = Key("h", "", "", "division", shown="h l")
AGAIN = Key("ctrl+r", "", "", "ask again")
SECTION = Key("h", "", "", "section", shown="h l")
COLUMNS = Key("h", "", "", "columns", shown="h l")
BOARD = Key("b", "", "", "board")
SCROLL = Key("j", "", "", "scroll", shown="j k")
BACK = Key("escape", "out", "", "back", shown="esc")
OPEN = Key("enter", "open", "open the row under the cursor", "open")


def bindings(*tables: Iterable[Key]) -> list[Binding]:
    """Textual's bindings for some keys; our own key line shows them, so its footer need not."""
    return [Binding(key.key, key.action, key.help, show=False, priority=key.first) for table in tables for key in table]


def picked(table: Iterable[Key], *names: str) -> list[Key]:
    """The keys of a table whose action is among these, by the action's name."""
    return [key for key in table if key.action.split("(")[0] in names]
