"""Live: running trials first, marks choose the curves, and the plot obeys beside the list."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from on_screen import listed, words

from arena_tui.feed import Delta
from arena_tui.widgets.curve_plot import CurvePlot
from arena_tui.widgets.table import VirtualTable
from bench.records import State


async def test_live_shows_running_first_then_the_best(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, _):
        assert listed(app) == ["8", "5", "1", "2", "0", "6"]
        assert [series.key for series in app.screen.query_one(CurvePlot)._series][:2] == ["#8 muon", "#5 muon"]
        assert "left (median of last 7 trials)" in words(app, "#study")


async def test_marks_choose_the_curves_and_escape_takes_them_back(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        plot = app.screen.query_one(CurvePlot)
        await pilot.press("G", "space")
        await pilot.pause()
        assert app.marked() == [6]
        assert {series.key for series in plot._series} == {"#8 muon", "#6 adamw"}
        await pilot.press("escape")
        await pilot.pause()
        assert app.marked() == []
        assert len(plot._series) == 6


async def test_plot_keys_work_while_the_list_has_the_focus(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        plot = app.screen.query_one(CurvePlot)
        await pilot.press("y", "m", "f")
        assert (plot.log_y, plot.title, plot.tail) == (True, "probe_loss", False)
        await pilot.press("t")
        assert app.screen.has_class("-list")


async def test_the_inspector_takes_the_arrows_and_gives_them_back(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        plot = app.screen.query_one(CurvePlot)
        await pilot.press("i")
        assert plot.inspect_x == 500
        await pilot.press("left")
        assert plot.inspect_x < 500
        await pilot.press("escape", "j")
        await pilot.pause()
        assert plot.inspect_x is None
        assert app.screen.query_one(VirtualTable).cursor_key == "5"


async def test_the_page_goes_on_under_a_dialog_and_says_where_the_trials_are(
    store: Path, alive: None, opened: Any
) -> None:
    async with opened() as (app, pilot):
        page = app.screen
        await pilot.press("question_mark")
        assert app.screen is not page
        mirror = app.mirror
        cut = tuple(replace(t, state=State.INTERRUPTED, run=None) for t in mirror.trials_of("optimizer-1"))
        mirror.apply(Delta(at=0.0, studies=tuple(mirror.studies.values()), alive=mirror.alive, trials=cut))
        app.redraw()
        await pilot.pause()
        table = page.query_one(VirtualTable)
        assert len(table._rows) == 0
        assert table.empty_text == "nothing runs and nothing has a score: 3 lists every trial"
