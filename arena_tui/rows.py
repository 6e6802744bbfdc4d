"""Trials as table rows, and the styles that states share everywhere."""

from rich.text import Text

from arena_tui import formatting
from arena_tui.formatting import names_first
from arena_tui.ranking import ended_because
from arena_tui.widgets.table import Column, Row
from bench.divisions import recipe
from bench.records import Point, State
from studies.views import TrialView

# Colour is a bonus: every state is also a word.
STATE_STYLES = {
    State.RUNNING: "green",
    State.QUEUED: "dim",
    State.COMPLETE: "",
    State.PRUNED: "yellow",
    State.REFUSED: "yellow",
    State.FAILED: "red",
    State.INTERRUPTED: "magenta",
}

LIVE_COLUMNS = (
    Column("badge", "", 2),
    Column("number", "#", 4, right=True),
    Column("recipe", "recipe", 0),
    Column("val_loss", "val_loss", 8, right=True),
    Column("train_loss", "train", 7, right=True),
    Column("step", "step", 9, right=True),
    Column("state", "state", 8),
)
# Beside a plot on a terminal of middling width the recipe needs the room of the steps.
COMPACT_LIVE_COLUMNS = tuple(column for column in LIVE_COLUMNS if column.key != "step")
TRIAL_COLUMNS = (
    Column("badge", "", 2),
    Column("number", "#", 4, right=True),
    Column("recipe", "recipe", 0),
    Column("state", "state", 13),
    Column("val_loss", "val_loss", 8, right=True),
    Column("delta", "vs base", 8, right=True),
    Column("cost", "seconds", 7, right=True),
)
# Only where some trial has no score, and the preview beside the list has left room for it.
WHY_COLUMN = Column("why", "why it ended so", 30)


_RECIPES: dict[str, str] = {}


def short_recipe(trial: TrialView) -> str:
    """The recipe in one line; the same config is asked for at every redraw, so its line is kept."""
    if trial.fingerprint not in _RECIPES:
        _RECIPES[trial.fingerprint] = recipe(trial.config)
    return _RECIPES[trial.fingerprint]


_CELLS: dict[str, Text] = {}


def recipe_cell(trial: TrialView) -> Text:
    """The recipe for a column that may cut it: what was chosen first, then at which knobs."""
    if trial.fingerprint not in _CELLS:
        names, gap, knobs = names_first(recipe(trial.config)).partition("  ")
        _CELLS[trial.fingerprint] = Text.assemble(names, (gap + knobs, "dim"), end="")
    return _CELLS[trial.fingerprint]


def styled(text: str, style: str) -> Text:
    """A cell in one style. As a span: a style of the whole text is what Rich leaves to whoever prints it."""
    return Text.assemble((text, style), end="")


def badge_cell(letter: str, colour: str, marked: bool) -> Text:
    return Text.assemble(("*" if marked else " ", "bold"), (letter, f"bold {colour}"), end="")


def state_cell(trial: TrialView) -> Text:
    """The state, for a failure its class, for a short run how short: what a person looks for."""
    if trial.state is State.COMPLETE and trial.is_short:
        return styled(f"{trial.config.budget.steps} steps", "dim")
    word = ended_because(trial) if trial.state in (State.FAILED, State.PRUNED) else trial.state.value
    return styled(word.replace("_", " "), STATE_STYLES[trial.state])


def why(trial: TrialView) -> str:
    """The sentence that a trial ended with."""
    return formatting.one_line((trial.run.message if trial.run else "") or trial.message)


def live_row(trial: TrialView, badge: Text, last: Point | None, stale: bool, compact: bool) -> Row:
    run, steps = trial.run, trial.config.budget.steps
    done = max(run.step if run else 0, last.step if last and trial.state is State.RUNNING else 0)
    state = styled("STALE", "red bold") if stale and trial.state is State.RUNNING else state_cell(trial)
    cells = (
        badge,
        str(trial.number),
        recipe_cell(trial),
        formatting.loss(trial.val_loss),
        # of a run that has ended it is known once its curve is shown
        formatting.loss(last.train_loss) if last else "",
        *(() if compact else (f"{done}/{steps}",)),
        state,
    )
    return Row(str(trial.number), cells, "dim" if trial.state is State.QUEUED else "")


def trial_row(trial: TrialView, badge: Text, delta: float | None) -> Row:
    cells = (
        badge,
        str(trial.number),
        recipe_cell(trial),
        state_cell(trial),
        formatting.loss(trial.val_loss),
        formatting.delta(delta),
        formatting.seconds(trial.run.train_seconds if trial.run else None),
        why(trial) if trial.val_loss is None else "",
    )
    return Row(str(trial.number), cells)
