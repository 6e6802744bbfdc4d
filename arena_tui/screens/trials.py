"""Trials: every outcome of the study, failures with their reason."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll

from arena_tui.facts import trial_facts
from arena_tui.keys import GLOBAL, LISTS, OPEN, bindings, picked
from arena_tui.memory import Remembered
from arena_tui.ranking import OUTCOMES, SORTS, WITHOUT_SCORE, listed
from arena_tui.rows import TRIAL_COLUMNS, WHY_COLUMN, trial_row
from arena_tui.screens.trial_list import TrialListScreen
from arena_tui.summary import trial_brief, trial_preview
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.table import Row, Rows, VirtualTable
from studies.views import TrialView

ORDERS = tuple(SORTS)


class TrialsScreen(TrialListScreen):
    """The whole list of one study; wide terminals show the row under the cursor beside it."""

    DEFAULT_CSS = """
    TrialsScreen #body { height: 1fr; }
    TrialsScreen #order { text-wrap: nowrap; text-overflow: ellipsis; height: 1; color: $text-muted; }
    TrialsScreen VirtualTable { height: 1fr; width: 1fr; }
    TrialsScreen #preview { display: none; width: 46; border-left: vkey $panel; }
    TrialsScreen #brief { height: 3; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    TrialsScreen.-wide #preview { display: block; }
    TrialsScreen.-wide #brief { display: none; }
    """
    TAB = "trials"
    KEYS = (OPEN, *picked(LISTS, "filter", "sort", "outcomes", "mark", "compare"), *picked(GLOBAL, "help", "quit"))
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(picked(LISTS, "filter", "sort", "outcomes", "mark", "unmark", "pin", "compare", "failure"))
    ]

    def __init__(self) -> None:
        super().__init__()
        self._order = 0
        self._outcomes = 0
        self._keys: list[str] = []

    def compose_list(self) -> ComposeResult:
        yield Lines(id="order")
        with Horizontal(id="body"):
            yield VirtualTable(TRIAL_COLUMNS)
            with VerticalScroll(id="preview", can_focus=False):
                yield Lines(id="preview-text")
        yield Lines(id="brief")

    def redraw(self) -> None:
        super().redraw()
        outcomes, order = OUTCOMES[self._outcomes], ORDERS[self._order]
        every = self.arena.trials()
        wanted = listed(every, outcomes, order)
        rows = self.narrowed(wanted, trial_facts, f"no {outcomes} yet" if every else self.empty())
        told = self.app.size.width >= 150 and any(trial.state in WITHOUT_SCORE for trial in rows)
        self.table.set_columns((*TRIAL_COLUMNS, WHY_COLUMN) if told else TRIAL_COLUMNS)
        self._keys = [str(trial.number) for trial in rows]
        self.table.set_rows(Rows(self._keys, lambda i: self._row(rows[i])))
        self.query_one("#order", Lines).show(self._order_line(len(rows), len(every), outcomes, order))
        trial = self.selected()
        delta = self.arena.mirror.baselines.delta(trial) if trial else None
        self.query_one("#brief", Lines).show(trial_brief(trial, delta))
        self.query_one("#preview-text", Lines).show(trial_preview(trial, delta))

    def _order_line(self, shown: int, all_: int, outcomes: str, order: str) -> Text:
        filtered = f"  filter: {self.filter_text}" if self.filter_text else ""
        return Text(f"{shown} of {all_} trials  outcomes: {outcomes} (o)  order: {order} (s){filtered}", no_wrap=True)

    def _row(self, trial: TrialView) -> Row:
        return trial_row(trial, self.badge(trial), self.arena.mirror.baselines.delta(trial))

    def state(self) -> Remembered:
        return {**super().state(), "order": ORDERS[self._order], "outcomes": OUTCOMES[self._outcomes]}

    def recall(self, state: Remembered) -> None:
        super().recall(state)
        self._order = ORDERS.index(str(state["order"])) if state.get("order") in ORDERS else self._order
        if state.get("outcomes") in OUTCOMES:
            self._outcomes = OUTCOMES.index(str(state["outcomes"]))

    def sort_by(self, order: str) -> None:
        """One of `ORDERS`."""
        self._order = ORDERS.index(order)
        self.redraw()

    def action_sort(self) -> None:
        self._order = (self._order + 1) % len(ORDERS)
        self.redraw()

    def action_outcomes(self) -> None:
        self._outcomes = (self._outcomes + 1) % len(OUTCOMES)
        self.redraw()

    def action_failure(self, step: int) -> None:
        """To the nearest failure in the list, above or below the cursor."""
        keys = self._keys
        failed = {str(trial.number) for trial in self.arena.trials() if trial.state in WITHOUT_SCORE}
        here = keys.index(self.table.cursor_key) if self.table.cursor_key in keys else -1
        ahead = keys[here + 1 :] if step > 0 else keys[:here][::-1]
        if (key := next((key for key in ahead if key in failed), None)) is not None:
            self.table.move_to(key)
