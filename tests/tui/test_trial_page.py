"""A trial's page: what is told of a success, a failure and a refusal, and the keys on it."""

from pathlib import Path
from typing import Any

from on_screen import words

from arena_tui.screens.detail import DetailScreen
from arena_tui.widgets.lines import Lines


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


async def test_h_and_l_go_from_heading_to_heading_and_g_to_the_ends(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        app.open_trial("optimizer-1", 1)
        await pilot.pause()
        page, lines = app.screen.query_one("#words"), app.screen.query_one("#trial", Lines)

        def top() -> str:
            return str(lines.render_line(round(page.scroll_y)).text).strip()

        seen = []
        for _ in range(4):
            await pilot.press("l")
            await pilot.pause()
            seen.append(top())
        assert seen == ["recipe, as its difference from the baseline", "why it was proposed", "sizes", "what it used"]
        await pilot.press("h", "h")
        await pilot.pause()
        assert top() == "why it was proposed"
        await pilot.press("G")
        await pilot.pause()
        assert page.scroll_y == page.max_scroll_y > 0
        await pilot.press("g")
        await pilot.pause()
        assert (page.scroll_y, top()) == (0, "COMPLETE")
