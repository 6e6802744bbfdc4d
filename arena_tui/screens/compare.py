"""Compare: the marked configs over one another as curves, and below them only what differs."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType

from arena_tui.keys import COLUMNS, GLOBAL, LISTS, PLOT, bindings, picked
from arena_tui.plotting import references
from arena_tui.screens.plotted import PlottedScreen, plot_bindings
from arena_tui.side_by_side import MOST, basis, differing, measured
from arena_tui.widgets.curve_plot import CurvePlot
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.table import Column, Row, VirtualTable
from bench.records import State
from studies.views import TrialView

NONE = "mark two to eight trials with space in Live, Trials or Standings"
NAME_WIDTH, CELL_WIDTH, MOST_CELLS = 20, 17, 30


class CompareScreen(PlottedScreen):
    """The pinned trial is the one that the others are measured against, else the first that was marked."""

    DEFAULT_CSS = """
    CompareScreen CurvePlot { height: 45%; }
    CompareScreen #said { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    CompareScreen VirtualTable { height: 1fr; }
    CompareScreen.-list CurvePlot { display: none; }
    CompareScreen.-curves CurvePlot { height: 1fr; }
    CompareScreen.-curves VirtualTable { display: none; }
    """
    TAB = "compare"
    KEYS = (
        COLUMNS,
        *picked(LISTS, "unmark"),
        *picked(PLOT, "layout", "metric", "axis"),
        *picked(GLOBAL, "help", "quit"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(PLOT, picked(LISTS, "unmark", "sideways")),
        *plot_bindings(),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._first = 0

    def compose_body(self) -> ComposeResult:
        yield CurvePlot("train_loss", smoothing=0.8)
        yield Lines(id="said")
        yield VirtualTable((Column("name", "differs only", 0),))

    def path(self) -> tuple[str, ...]:
        return ("compare", *(f"#{trial.number}" for trial in self.compared()))

    def compared(self) -> list[TrialView]:
        """The reference first, then the marked."""
        pinned, marked = (
            self.arena.pinned(),
            self.arena.marks.every(self.arena.mirror, self.arena.study.name if self.arena.study else ""),
        )
        if pinned is not None and marked:
            marked = [pinned, *(t for t in marked if (t.study, t.number) != (pinned.study, pinned.number))]
        return marked[:MOST]

    def redraw(self) -> None:
        super().redraw()
        trials = self.compared()
        plot, table = self.query_one(CurvePlot), self.query_one(VirtualTable)
        plot.empty_text, table.empty_text = "no curve without a trial", NONE
        self.draw_trials(trials, trials[0].config.budget if trials else None)
        plot.set_reference(references(self.arena.mirror, self.arena.study))
        if len(trials) < 2:
            table.set_columns((Column("name", "", 0),))
            table.set_rows([])
            self.query_one("#said", Lines).show(Text("one marked: mark another" if trials else "none marked", "dim"))
            return
        self._draw_table(trials, table)

    def _draw_table(self, trials: list[TrialView], table: VirtualTable) -> None:
        mirror, reference = self.arena.mirror, trials[0]
        facts = [*measured(trials, reference, mirror), *differing(trials)]
        room = self.app.size.width - NAME_WIDTH - 2
        n_fit = max(1, room // (CELL_WIDTH + 1))
        self._first = max(0, min(self._first, len(trials) - n_fit))
        shown = range(self._first, min(len(trials), self._first + n_fit))
        columns = [Column("name", "", NAME_WIDTH)]
        # as wide as what stands in them, where there is room
        each = min(MOST_CELLS, max(CELL_WIDTH, room // max(1, len(shown)) - 1))
        for at in shown:
            badge = self.arena.badges.of(f"{trials[at].study}/{trials[at].number}")
            letter = f"{badge.letter} " if badge else ""
            study = mirror.studies.get(trials[at].study)
            label = study.spec.division.label(trials[at].config) if study else ""
            columns.append(Column(str(at), f"{letter}#{trials[at].number} {label}", each, right=True))
        table.set_columns(columns)
        rows = [Row(fact.name, (fact.name, *(fact.cells[at] for at in shown))) for fact in facts]
        table.set_rows(rows)
        more = f"  columns {shown.start + 1}-{shown.stop} of {len(trials)} (h l)" if len(shown) < len(trials) else ""
        said = f"against #{reference.number}: {basis(trials, reference, mirror) or 'no score on both sides yet'}{more}"
        said += "  ~ still running" if any(trial.state is State.RUNNING for trial in trials) else ""
        self.query_one("#said", Lines).show(Text(f"{said}; never a verdict", "dim"))

    # keys

    def action_sideways(self, step: int) -> None:
        self._first += step
        self.redraw()

    def action_unmark(self) -> None:
        self.arena.marks.clear()
        self.redraw()

    def action_layout(self) -> None:
        layouts = ("", "-list", "-curves")
        now = next((layout for layout in layouts[1:] if self.has_class(layout)), "")
        self.remove_class("-list", "-curves")
        if new := layouts[(layouts.index(now) + 1) % len(layouts)]:
            self.add_class(new)
        (self.query_one(CurvePlot) if new == "-curves" else self.query_one(VirtualTable)).focus()
