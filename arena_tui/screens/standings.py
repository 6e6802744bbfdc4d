"""Standings: one board at a time, of one division and one identity; scores of different identities never meet."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll

from arena_tui import formatting
from arena_tui.facts import STANDING_FIELDS
from arena_tui.history import CONFIRMED_SEEDS
from arena_tui.keys import BOARD, DIVISION, GLOBAL, LISTS, OPEN, bindings, picked
from arena_tui.ranking import (
    OUTCOMES,
    PUBLISHED,
    PUBLISHED_NOTE,
    WITHOUT_SCORE,
    failures_by_reason,
    trials_of_board,
)
from arena_tui.screens.listing import NOTHING, ListScreen
from arena_tui.standing_rows import COLUMNS, WIDE_COLUMNS, BoardRow, honour_of, published, ranked, unscored, with_mark
from arena_tui.summary import trial_preview
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.table import Rows, VirtualTable
from bench.divisions import DIVISIONS
from bench.records import Identity
from bench.standings import Standing
from bench.tracks import track_named
from studies.views import TrialView


class StandingsScreen(ListScreen):
    """h and l go through the divisions, b through the identities."""

    DEFAULT_CSS = """
    StandingsScreen #divisions { height: 2; text-wrap: nowrap; text-overflow: ellipsis; }
    StandingsScreen #body { height: 1fr; }
    StandingsScreen VirtualTable { height: 1fr; width: 1fr; }
    StandingsScreen #preview { display: none; width: 46; border-left: vkey $panel; }
    StandingsScreen.-wide.-tall #preview { display: block; }
    StandingsScreen #notes { height: auto; max-height: 40%; border-top: hkey $panel; }
    """
    TAB = "standings"
    FIELDS = STANDING_FIELDS
    KEYS = (OPEN, DIVISION, BOARD, *picked(LISTS, "filter", "mark", "outcomes"), *picked(GLOBAL, "help", "quit"))
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(picked(LISTS, "filter", "sideways", "board", "mark", "unmark", "compare", "outcomes"))
    ]

    def __init__(self) -> None:
        super().__init__()
        self.division: str | None = None  # until one is chosen, that of the study shown
        self._identity: Identity | None = None
        self._outcomes = 0
        self._rows: dict[str, BoardRow] = {}
        self._made: tuple[object, list[BoardRow]] = (None, [])
        self._ranked: list[Standing] = []

    def compose_list(self) -> ComposeResult:
        yield Lines(id="divisions")
        with Horizontal(id="body"):
            yield VirtualTable(COLUMNS)
            with VerticalScroll(id="preview", can_focus=False):
                yield Lines(id="preview-text")
        yield Lines(id="notes")

    def path(self) -> tuple[str, ...]:
        return (*super().path(), "standings")

    # which board

    def shown_division(self) -> str:
        study = self.arena.study
        return self.division or (study.spec.division_name if study else DIVISIONS[0].name)

    def identities(self) -> list[Identity]:
        """Boards of the corpus on show first: that of the study, newest result first within each."""
        study = self.arena.study
        digest = study.spec.corpus_digest if study else ""
        return sorted(self.arena.mirror.identities(), key=lambda identity: identity.corpus_digest != digest)

    def shown_identity(self) -> Identity | None:
        boards = self.identities()
        return self._identity if self._identity in boards else next(iter(boards), None)

    def action_sideways(self, step: int) -> None:
        names = [division.name for division in DIVISIONS]
        self.division = names[(names.index(self.shown_division()) + step) % len(names)]
        self.redraw()

    def action_outcomes(self) -> None:
        self._outcomes = (self._outcomes + 1) % len(OUTCOMES)
        self.redraw()

    def action_mark(self) -> None:
        if (trial := self.selected()) is not None:
            self.table.action_move(1)
            self.arena.marks.toggle(trial.study, trial.number)
            self.redraw()

    def action_unmark(self) -> None:
        self.arena.marks.clear()
        self.redraw()

    def action_compare(self) -> None:
        self.arena.action_mode("compare")

    def action_board(self) -> None:
        boards, shown = self.identities(), self.shown_identity()
        if shown is not None:
            self._identity = boards[(boards.index(shown) + 1) % len(boards)]
            self.redraw()

    # drawing

    def redraw(self) -> None:
        super().redraw()
        identity, division = self.shown_identity(), self.shown_division()
        board = [r for r in self.arena.mirror.standings if r.identity == identity and r.division == division]
        rows = self.narrowed(self._board(identity, division, board), lambda row: row.facts, self._empty(division))
        self._rows = {row.key: row for row in rows}
        columns = WIDE_COLUMNS if self.app.size.width >= 150 else COLUMNS
        self.table.set_columns(columns)
        self.table.set_rows(Rows(list(self._rows), lambda i: rows[i].row(columns)))
        self.query_one("#divisions", Lines).show(self._top(identity, division))
        self.query_one("#notes", Lines).show(self._notes(identity, division, board))
        trial = self.selected()
        delta = self.arena.mirror.baselines.delta(trial) if trial else None
        self.query_one("#preview-text", Lines).show(trial_preview(trial, delta))

    def _board(self, identity: Identity | None, division: str, board: list[Standing]) -> list[BoardRow]:
        """The board's rows, made again only when something has ended: failures may be thousands."""
        mirror, outcomes = self.arena.mirror, OUTCOMES[self._outcomes]
        ended = [(study.name, tuple(study.n_by_state.items())) for study in mirror.studies.values()]
        known = (identity, division, outcomes, ended, self.arena.mirror.belts)
        if self._made[0] != known or self._ranked is not mirror.standings:
            self._ranked = mirror.standings
            self._made = (known, self._rows_of(identity, division, board, outcomes))
        marks = self.arena.marks
        return [with_mark(row) if marks.holds(row.study, row.trial) else row for row in self._made[1]]

    def _rows_of(
        self, identity: Identity | None, division: str, board: list[Standing], outcomes: str
    ) -> list[BoardRow]:
        """The ranked, the references, the failures, as far as the chosen outcomes go."""
        if identity is None:
            return []
        mirror = self.arena.mirror
        noise = mirror.noise(identity)
        rows = [] if outcomes == "failures" else [ranked(row, noise, honour_of(row, mirror.belts)) for row in board]
        if board and outcomes == "all":
            rows += published(identity)
        if outcomes != "valid":
            trials = trials_of_board(mirror.studies.values(), mirror.trials_of, identity, division)
            rows += [unscored(trial, division) for trial in trials if trial.state in WITHOUT_SCORE]
        return rows

    def selected(self) -> TrialView | None:
        """The trial under the cursor."""
        row = self._rows.get(self.table.cursor_key or "")
        return self.arena.mirror.trial(row.study, row.trial) if row and row.trial is not None else None

    def _empty(self, division: str) -> str:
        if not self.arena.mirror.studies:
            return NOTHING
        return f"nobody has fought in {division} here:  autoresearch --division {division} --trials 20"

    def _top(self, identity: Identity | None, division: str) -> Text:
        held = {row.division for row in self.arena.mirror.standings if row.identity == identity}
        line = Text(no_wrap=True)
        for declared in DIVISIONS:
            style = "reverse bold" if declared.name == division else "" if declared.name in held else "dim"
            line.append(f" {declared.name} ", style)
        line.append("\n")
        if identity is not None:
            boards = self.identities()
            # first, since the rest is cut where it must be
            line.append(f"board {boards.index(identity) + 1} of {len(boards)} (b)  " if len(boards) > 1 else "", "dim")
            line.append(formatting.identity(identity, self.arena.mirror.corpus_name(identity.corpus_digest)))
        line.overflow = "ellipsis"
        return line

    def _notes(self, identity: Identity | None, division: str, board: list[Standing]) -> Text:
        declared = next(d for d in DIVISIONS if d.name == division)
        text = Text.assemble((f"{declared.question}\n", "italic"))
        if identity is None:
            return text
        if any(row.unconfirmed for row in board):
            text.append(f"below {CONFIRMED_SEEDS} seeds a score is unconfirmed: seen and not shown, no belt\n", "dim")
        track = track_named(identity.track)
        if identity.steps not in track.belt_steps:
            text.append(f"exhibition: belts are fought at {' or '.join(map(str, track.belt_steps))} steps\n", "dim")
        mirror = self.arena.mirror
        trials = trials_of_board(mirror.studies.values(), mirror.trials_of, identity, division)
        failures = failures_by_reason(trials)
        if failures:
            counted = "  ".join(f"{reason.replace('_', ' ')} {n}" for reason, n in failures)
            text.append(f"{sum(n for _, n in failures)} of {len(trials)} trials without a score:  {counted}\n", "red")
        lines = "  ".join(f"{loss:.4f} @{steps}" for steps, loss in PUBLISHED.items())
        text.append(f"{lines}  {PUBLISHED_NOTE}, never ranked with ours", "dim")
        noise = self.arena.mirror.noise(identity)
        if noise is not None:
            text.append(
                f"\nsigma: vs base in sd of one run, {noise.sigma:.4f} over {noise.df} degrees of freedom", "dim"
            )
        if row := next((r for r in board if r.label == self.table.cursor_key), None):
            text.append(f"\n{row.label}: study {row.study}, trial {row.trial}, best of {row.n_runs} runs")
        return text

    def on_virtual_table_highlighted(self) -> None:
        self.redraw()

    def on_virtual_table_chosen(self, _: VirtualTable.Chosen) -> None:
        if (trial := self.selected()) is not None:
            self.arena.open_trial(trial.study, trial.number)
