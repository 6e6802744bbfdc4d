"""Keys to state, screen by screen, over the sample ledger."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from arena_tui.app import ArenaApp
from arena_tui.keys import CHANGES, DETAIL, GLOBAL, LEADERBOARD, LISTS, ORDER, PLOT
from arena_tui.screens.detail import DetailScreen
from arena_tui.screens.help import HelpScreen, help_text
from arena_tui.screens.standings import StandingsScreen
from arena_tui.widgets.curve_plot import CurvePlot
from arena_tui.widgets.key_line import key_line
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.status import TABS, Status, StatusFacts, second_line
from arena_tui.widgets.table import VirtualTable

Settled = Callable[[Any], Awaitable[None]]


def words(app: ArenaApp, selector: str) -> str:
    return app.screen.query_one(selector, Lines).shown.plain


def listed(app: ArenaApp) -> list[str]:
    table = app.screen.query_one(VirtualTable)
    return [row.key for row in table._rows]


async def type_(pilot: Any, text: str) -> None:
    for char in text:
        await pilot.press({" ": "space"}.get(char, char))


async def test_the_number_keys_open_the_modes(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        for key, _, mode in (*TABS[1:], TABS[0]):
            await pilot.press(key)
            await pilot.pause()
            assert app.current_mode == mode
            assert mode == app.screen.TAB


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


async def test_enter_opens_the_trial_and_escape_goes_back(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("3", "j", "j", "j", "enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        page = words(app, "#trial")
        for part in (
            "DIVERGED at step 90 of 500",
            "train_loss is nan at step 90",
            "[bold]a draw[/bold] with brackets in it [/]",
            "sophia(beta1=0.9 lr=0.03)",
            "sophia wants clipping here (arXiv:2305.14342)",
            "[warn] grad_norm 4.1e6 [/red]",
            "autoresearch replay 7",
        ):
            assert part in page
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen.TAB == "trials"
        await pilot.press("escape", "escape")
        assert app.is_running


async def test_detail_of_a_refused_trial_has_no_replay(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        app.open_trial("optimizer-1", 4)
        await pilot.pause()
        page = words(app, "#trial")
        assert "REFUSED" in page
        assert "lion takes 3e-05 to 0.003" in page
        assert "replay" not in page


async def test_a_named_store_is_named_in_the_replay_too(store: Path, alive: None, opened: Any) -> None:
    async with opened(store=str(store)) as (app, pilot):
        app.open_trial("optimizer-1", 5)
        await pilot.pause()
        assert f"autoresearch replay 8 --store {store}" in words(app, "#trial").replace("\n", "")


async def test_the_filter_narrows_while_typing_and_counts(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("3", "slash")
        await type_(pilot, "muon lr>=3e-2")
        await pilot.pause()
        assert listed(app) == ["5", "8"]
        assert words(app, "#filter-said") == "2 of 9"
        await pilot.press("enter")
        assert app.focused is app.screen.query_one(VirtualTable)
        await pilot.press("escape")
        await pilot.pause()
        assert len(listed(app)) == 9


async def test_a_bad_filter_keeps_the_old_result_and_says_why(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("3", "slash")
        await type_(pilot, "muon")
        await pilot.pause()
        before = listed(app)
        await type_(pilot, " !")
        await pilot.pause()
        assert listed(app) == before == ["1", "5", "8"]
        assert words(app, "#filter-said") == "! needs a word after it"


async def test_a_slash_inside_the_filter_is_a_letter(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("3", "slash", "a", "slash", "b")
        assert app.screen.query_one(Input).value == "a/b"


async def test_failures_are_red_in_the_list(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("3")
        await pilot.pause()
        strip = app.screen.query_one(VirtualTable).render_line(4)
        styles = {segment.text.strip(): segment.style for segment in strip}
        assert styles["diverged"].color.name == "red"


async def test_a_filter_without_a_match_says_how_to_clear_it(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("3", "slash")
        await type_(pilot, "zzz")
        await pilot.pause()
        assert app.screen.query_one(VirtualTable).empty_text == "0 match: esc clears"
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen.query_one(Input).value == ""
        assert len(listed(app)) == 9


async def test_order_and_outcomes_of_trials(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("3", "s")
        await pilot.pause()
        assert listed(app)[0] == "8"
        await pilot.press("o", "o")
        await pilot.pause()
        assert listed(app) == ["7", "4", "3"]
        assert "outcomes: failures" in words(app, "#order")


async def test_brackets_go_from_failure_to_failure(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("3", "right_square_bracket", "right_square_bracket")
        table = app.screen.query_one(VirtualTable)
        assert table.cursor_key == "4"
        await pilot.press("left_square_bracket")
        assert table.cursor_key == "3"


async def test_standings_go_through_divisions_and_boards(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        unscored = ["optimizer-1/3", "optimizer-1/4", "optimizer-1/7"]
        assert listed(app) == ["muon", "lion", "adamw", "reference 500", *unscored]
        await pilot.press("o")
        await pilot.pause()
        assert listed(app) == ["muon", "lion", "adamw"]
        assert "tinystories 9f3c1a2b  500 steps" in words(app, "#divisions")
        assert "3 of 9 trials without a score:  diverged 1  out of time 1  refused 1" in words(app, "#notes")
        assert "1.4352 @500  1.3745 @800  published, unknown split: reference only" in words(app, "#notes")
        assert "below 3 seeds a score is unconfirmed" in words(app, "#notes")
        await pilot.press("b")
        await pilot.pause()
        assert listed(app) == ["muon", "adamw"]
        assert "toystories 70750001" in words(app, "#divisions")
        await pilot.press("l", "l", "l")
        await pilot.pause()
        assert isinstance(app.screen, StandingsScreen)
        assert app.screen.shown_division() == "community"
        assert "What can a mixer of your own do?" in words(app, "#notes")


async def test_enter_in_standings_opens_the_fighters_trial(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("2", "j", "enter")
        await pilot.pause()
        assert app.screen.path() == ("optimizer-1", "trial 2")


async def test_studies_choose_what_every_screen_shows(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("4")
        await pilot.pause()
        assert listed(app) == ["optimizer-1", "toy-1"]
        await pilot.press("j")
        await pilot.pause()
        assert "autoresearch resume toy-1" in words(app, "#study")
        await pilot.press("enter")
        await pilot.pause()
        assert app.current_mode == "trials"
        assert listed(app) == ["0", "1", "2"]
        for mode in "1234":
            await pilot.press(mode)
            await pilot.pause()
            assert "toystories" in app.screen.query_one(Status).facts.corpus


async def test_the_header_counts_and_says_live(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, _):
        facts = app.screen.query_one(Status).facts
        assert facts.counts == "running 1  ok 5  failed 2  refused 1"
        assert facts.status == "LIVE"
        assert facts.path == ("optimizer-1",)


async def test_a_dead_coordinator_shows_stale(store: Path, monkeypatch: pytest.MonkeyPatch, opened: Any) -> None:
    monkeypatch.setattr("studies.ownership.living_owner", lambda study: None)
    async with opened() as (app, _):
        assert app.screen.query_one(Status).facts.status.startswith("STALE")
        assert str(app.screen.query_one(VirtualTable)._rows[0].cells[-1]) == "STALE"


async def test_freeze_stops_the_feed_and_starts_it_again(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("z")
        assert app.screen.query_one(Status).facts.status == "FROZEN (z)"
        assert app.feed._paused
        await pilot.press("z")
        assert not app.feed._paused


async def test_without_a_store_it_says_what_to_type(no_store: Path, opened: Any) -> None:
    async with opened() as (app, pilot):
        for mode in "1234":
            await pilot.press(mode)
            await pilot.pause()
            empty = app.screen.query_one(VirtualTable).empty_text
            assert "autoresearch --division optimizer --trials 5 --steps 100" in empty


async def test_a_store_that_is_no_database_is_said_in_the_header(store: Path, opened: Any) -> None:
    store.write_text("no database, and long enough to be read")
    async with opened() as (app, _):
        facts = app.screen.query_one(Status).facts
        assert facts.status == "ERROR"
        assert "it is not a database" in facts.notice
        assert "name another file with --store" in facts.notice


async def test_an_unknown_study_is_said_and_the_known_are_listed(store: Path, alive: None, opened: Any) -> None:
    async with opened(study="nope") as (app, _):
        notice = app.screen.query_one(Status).facts.notice
        assert "there is no study named nope yet (the studies are optimizer-1, toy-1)" in notice


async def test_shipped_studies_are_labelled(
    sample: tuple[Path, float], store: Path, no_store: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    connection = sqlite3.connect(store)
    connection.execute("UPDATE study SET shipped = 1, owner_pid = NULL")
    connection.commit()
    connection.close()
    monkeypatch.setattr("arena_tui.sources.shipped_path", lambda: store)
    async with opened() as (app, _):
        notice = app.screen.query_one(Status).facts.notice
        assert notice == "measured by the project on cpu; the text itself is not shipped"


async def test_help_lists_every_key_and_any_way_out_goes_back(store: Path, alive: None, opened: Any) -> None:
    text = help_text().plain
    for key in (*GLOBAL, *LISTS, *PLOT, *DETAIL, *LEADERBOARD, *CHANGES, *ORDER):
        assert key.help in text
    async with opened() as (app, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("q")
        await pilot.pause()
        assert app.screen.TAB == "live"


async def test_no_dialog_opens_over_another(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("question_mark", "ctrl+p", "colon", "3", "T")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        assert (app.current_mode, app.theme) == ("live", "textual-dark")
        await pilot.press("escape", "3")
        await pilot.pause()
        assert app.current_mode == "trials"


async def test_every_bound_key_of_every_screen_is_in_the_help(store: Path, alive: None, opened: Any) -> None:
    from arena_tui.screens.help import SECTIONS

    told = {name for _, keys in SECTIONS for key in keys for name in key.key.split(",")}
    async with opened() as (app, pilot):
        for mode, _, _ in TABS:
            await pilot.press(mode)
            await pilot.pause()
            own = [
                binding.key
                for cls in type(app.screen).__mro__
                if cls.__module__.startswith("arena_tui")
                for binding in cls.__dict__.get("BINDINGS", ())
            ]
            assert {name for keys in own for name in keys.split(",")} <= told


async def test_the_palette_finds_pages_studies_and_trials(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("ctrl+p")
        await type_(pilot, "study toy")
        for _ in range(100):
            await pilot.pause(0.02)
            if app.screen.query("CommandList Option, CommandList").first().option_count:
                break
        await pilot.press("enter")
        await pilot.pause()
        assert app.study is not None
        assert app.study.name == "toy-1"


@pytest.mark.parametrize("size", [(59, 24), (80, 15)])
async def test_below_the_least_size_one_line_and_no_keys(
    size: tuple[int, int], store: Path, alive: None, opened: Any
) -> None:
    async with opened() as (app, pilot):
        await pilot.resize_terminal(*size)
        await pilot.pause()
        await pilot.press("3", "slash", "z")
        await pilot.pause()
        assert app.current_mode == "live"
        assert not app.frozen
        assert not app.screen.query_one(VirtualTable).region
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        await pilot.press("j")
        assert app.screen.query_one(VirtualTable).cursor_key == "5"


async def test_q_quits(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_an_unfocused_terminal_is_read_once_a_second(store: Path, alive: None, opened: Any) -> None:
    from textual import events

    async with opened() as (app, pilot):
        app.post_message(events.AppBlur())
        await pilot.pause()
        assert app.feed._slow
        app.post_message(events.AppFocus())
        await pilot.pause()
        assert not app.feed._slow


def test_the_key_line_never_cuts_a_key() -> None:
    line = key_line([*GLOBAL, *LISTS], 20).plain
    assert len(line) <= 20
    assert not line.rstrip().endswith("qui")


@pytest.mark.parametrize("width", [60, 80, 110, 160])
def test_the_corpus_is_named_however_many_pages_there_are(width: int) -> None:
    for _, name, mode in TABS:
        line = second_line(StatusFacts(tab=mode, corpus="toystories 70750001"), width).plain
        assert len(line) <= width
        assert "toystories" in line
        assert name in line
