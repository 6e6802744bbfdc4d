"""Trials: the filter, orders and outcomes, and going from failure to failure."""

from pathlib import Path
from typing import Any

from on_screen import listed, type_, words
from textual.widgets import Input

from arena_tui.widgets.table import VirtualTable


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


async def test_why_a_trial_ended_has_a_column_only_where_one_ended_without_a_score(
    store: Path, alive: None, opened: Any
) -> None:
    async with opened((160, 48)) as (app, pilot):
        await pilot.press("3")
        await pilot.pause()
        table = app.screen.query_one(VirtualTable)
        assert table.as_text()[0][-1] == "why it ended so"
        await pilot.press("o")
        await pilot.pause()
        assert "outcomes: valid" in words(app, "#order")
        assert table.as_text()[0][-1] == "seconds"


async def test_a_recipe_names_what_was_chosen_before_its_knobs(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("3")
        await pilot.pause()
        recipes = [row[2] for row in app.screen.query_one(VirtualTable).as_text()[1:]]
        assert recipes[:2] == ["baseline", "muon  beta1=0.9 lr=0.02"]


async def test_brackets_go_from_failure_to_failure(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("3", "right_square_bracket", "right_square_bracket")
        table = app.screen.query_one(VirtualTable)
        assert table.cursor_key == "4"
        await pilot.press("left_square_bracket")
        assert table.cursor_key == "3"
