"""What the two lists of trials share: the row under the cursor, marks, badges, opening a trial."""

from rich.text import Text

from arena_tui.facts import TRIAL_FIELDS
from arena_tui.rows import badge_cell
from arena_tui.screens.listing import NOTHING, ListScreen
from arena_tui.themes import run_colours
from arena_tui.widgets.table import VirtualTable
from studies.views import TrialView


class TrialListScreen(ListScreen):
    """Rows keyed by trial number, of the one study that is shown."""

    FIELDS = TRIAL_FIELDS

    def empty(self) -> str:
        mirror = self.arena.mirror
        if not mirror.loaded:
            return "reading the store"
        return NOTHING if not mirror.studies else "no trial yet"

    def number(self) -> int | None:
        """The trial under the cursor."""
        key = self.table.cursor_key
        return int(key) if key else None

    def selected(self) -> TrialView | None:
        study, number = self.arena.study, self.number()
        return self.arena.mirror.trial(study.name, number) if study and number is not None else None

    def subject(self) -> tuple[str | None, int | None]:
        return super().subject()[0], self.number()

    def badge(self, trial: TrialView) -> Text:
        """Its letter where its curve is shown, and a star when it is marked."""
        badge = self.arena.badges.of(f"{trial.study}/{trial.number}")
        marked = trial.number in self.arena.marked()
        if badge is None:
            return badge_cell(" ", "default", marked)
        return badge_cell(badge.letter, badge.on(run_colours(self.arena.current_theme)), marked)

    def on_virtual_table_highlighted(self) -> None:
        self.redraw()

    def on_virtual_table_chosen(self, chosen: VirtualTable.Chosen) -> None:
        if study := self.arena.study:
            self.arena.open_trial(study.name, int(chosen.key))

    def action_mark(self) -> None:
        number = self.number()
        if number is None:
            return
        self.arena.marks.toggle(self.arena.study.name if self.arena.study else "", number)
        self.table.action_move(1)
        self.redraw()

    def action_pin(self) -> None:
        if (number := self.number()) is not None:
            self.arena.pin(number)

    def action_compare(self) -> None:
        self.arena.action_mode("compare")

    def action_unmark(self) -> None:
        self.arena.marked().clear()
        self.redraw()

    def out(self) -> bool:
        if super().out():
            return True
        if self.arena.marked():
            self.action_unmark()
            return True
        return False
