"""Curves by keys and mouse, Compare, the typed line, what is remembered, what is written: over the judged ledger."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from on_screen import words
from sample_store import FATES, key_of, outcome, propose, spec_of

from arena_tui.memory import Memory
from arena_tui.screens.command import CommandScreen
from arena_tui.screens.compare import CompareScreen
from arena_tui.screens.detail import DetailScreen
from arena_tui.screens.order import OrderScreen
from arena_tui.widgets.curve_plot import CurvePlot
from arena_tui.widgets.table import VirtualTable
from studies.reading import Reader
from studies.store import Store


def table(app: Any) -> dict[str, tuple[str, ...]]:
    rows: list[list[str]] = app.screen.query_one(VirtualTable).as_text()[1:]
    return {row[0]: tuple(row[1:]) for row in rows}


async def typed(pilot: Any, line: str) -> None:
    await pilot.press("colon", *("space" if char == " " else char for char in line), "enter")
    await pilot.pause()


async def test_the_axis_goes_from_steps_to_bytes_to_seconds(judged: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        plot = app.screen.query_one(CurvePlot)
        ends = []
        for name in ("step", "bytes", "seconds"):
            ends.append((plot.x_name, float(plot._series[0].x[-1])))
            assert plot.x_name == name
            await pilot.press("x")
            await pilot.pause()
        longest = max(float(s.x[-1]) for s in plot._series)
        assert longest == 500
        assert [end for _, end in ends] == [230, 230 * 32 * 96, 230 * 0.4]


async def test_seeds_are_a_band_until_each_is_asked_for(judged: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        plot = app.screen.query_one(CurvePlot)
        keys = [s.key for s in plot._series]
        assert "#5 muon n=3" in keys
        band = next(s for s in plot._series if s.key == "#5 muon n=3").band
        assert band is not None
        assert (band[0] <= band[1]).all()
        await pilot.press("e")
        await pilot.pause()
        assert all(s.band is None for s in plot._series)


async def test_pan_zoom_and_the_logarithmic_axis_by_keys(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        plot = app.screen.query_one(CurvePlot)
        await pilot.press("plus", "less_than_sign")
        assert plot.window == (187.5, 437.5)
        await pilot.press("Y")
        assert (plot.log_x, plot.window) == (True, None)
        await pilot.press("plus")
        assert plot.window == pytest.approx((5000**0.5, 500))


async def test_the_wheel_zooms_around_the_pointer_and_dragging_pans(store: Path, alive: None, opened: Any) -> None:
    from textual import events

    async with opened() as (app, pilot):
        plot = app.screen.query_one(CurvePlot)
        await pilot._post_mouse_events([events.MouseScrollUp], plot, (40, 4))
        await pilot.pause()
        assert plot.window is not None
        low, high = plot.window
        assert high - low == pytest.approx(250)
        await pilot.mouse_down(plot, (40, 4))
        await pilot.hover(plot, (50, 4))
        await pilot.mouse_up(plot, (50, 4))
        await pilot.pause()
        assert plot.window is not None
        assert plot.window[0] < low


async def test_the_legend_switches_curves_by_keys_and_by_clicks(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        plot = app.screen.query_one(CurvePlot)
        first = plot._series[0].key
        await pilot.press("comma", "full_stop")
        await pilot.pause()
        assert plot.hidden == {first}
        assert first not in {s.key for s in plot.shown_series}
        assert "1 hidden" in plot.render_line(0).text
        assert f"({plot._series[0].letter} {first})" in plot.render_line(plot.size.height - 1).text
        await pilot.press("escape")
        assert plot.legend_at is None
        await pilot.click(plot, (2, plot.size.height - 1))
        assert plot.hidden == frozenset()


async def test_a_pinned_trial_stays_and_is_drawn_on_top(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await typed(pilot, "pin baseline")
        plot = app.screen.query_one(CurvePlot)
        assert plot._series[-1].key == "#0 adamw pinned"
        await typed(pilot, "pin none")
        assert not any("pinned" in s.key for s in plot._series)


async def test_marks_are_compared_against_the_first_or_the_pinned(judged: Path, alive: None, opened: Any) -> None:
    async with opened((160, 48)) as (app, pilot):
        await typed(pilot, "mark 5 0")
        await pilot.press("v")
        await pilot.pause()
        assert isinstance(app.screen, CompareScreen)
        rows = table(app)
        assert rows["delta"] == ("reference", "+0.1477")
        assert float(rows["95 % from"][1]) < 0.1477 < float(rows["95 % to"][1])
        assert rows["optimizer"] == ("muon", "adamw")
        assert "mixer" not in rows
        assert "Welch, n = 3 and 3" in words(app, "#said")
        await typed(pilot, "pin 0")
        assert table(app)["delta"] == ("reference", "-0.1477")
        await pilot.press("u")
        await pilot.pause()
        assert table(app) == {}


async def test_standings_mark_for_compare_too(judged: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await pilot.press("2", "space", "space", "v")
        await pilot.pause()
        assert app.current_mode == "compare"
        assert len(app.screen.compared()) == 2


async def test_a_trial_says_what_was_expected_what_is_so_and_who_is_kin(judged: Path, alive: None, opened: Any) -> None:
    async with opened((160, 48)) as (app, pilot):
        await typed(pilot, "5")
        said = words(app, "#trial")
        assert isinstance(app.screen, DetailScreen)
        assert "expected 1.3100: -0.0142, better than expected" in said
        assert "1.2957 sd 0.0046 over 3" in said
        assert "2 made from it: #11 1.3002  #12 1.2910" in said
        assert "29.64 bits of 861,440" in said
        assert {s.key for s in app.screen.query_one(CurvePlot)._series} == {"#5 muon n=3", "#0 adamw n=3"}
        await pilot.press("escape")
        await typed(pilot, "11")
        said = words(app, "#trial")
        assert "supported  Does trial 5 beat the baseline?" in said
        assert "effect -0.1477  [-0.1600, -0.1350]  p 0.0001  n 3" in said
        assert "lower by 0.1477 nats/byte [both]" in said
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert app.screen.path()[1] == "trial 7"
        assert "1 of 1 with optimizer sophia" not in words(app, "#trial")
        assert "1 of 2 with optimizer sophia ended out of time: #7" in words(app, "#trial")


async def test_a_line_that_cant_be_obeyed_stays_with_the_reason(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await typed(pilot, "trial 99")
        assert isinstance(app.screen, CommandScreen)
        assert words(app, "#command-said") == "no trial 99: the study has 0 to 8"
        await pilot.press("escape")
        await typed(pilot, "zoom 400 100")
        assert "from a lower to a higher value" in words(app, "#command-said")
        await pilot.press("escape")
        await typed(pilot, "wibble")
        assert "no wibble here: live, standings" in words(app, "#command-said")


async def test_typed_words_do_what_keys_do(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        await typed(pilot, "zoom 100 400")
        assert app.screen.query_one(CurvePlot).window == (100, 400)
        await typed(pilot, "sort val_loss")
        await pilot.pause()
        assert app.current_mode == "trials"
        assert app.screen.query_one(VirtualTable)._rows[0].key == "5"
        await typed(pilot, "filter sophia")
        assert len(app.screen.query_one(VirtualTable)._rows) == 2
        await typed(pilot, "study toy-1")
        assert app.study.name == "toy-1"
        await typed(pilot, "launch")
        assert isinstance(app.screen, OrderScreen)
        await pilot.press("escape")
        app.readonly = True
        await typed(pilot, "launch")
        assert "--readonly" in words(app, "#command-said")


async def test_what_was_seen_is_found_again_and_the_ledger_untouched(
    store: Path, alive: None, opened: Any, tmp_path: Path
) -> None:
    file, before = tmp_path / "state" / "view.json", store.read_bytes()
    async with opened(memory=Memory.read(file)) as (app, pilot):
        await pilot.press("3", "s", "o", "T")
        await typed(pilot, "filter muon")
        await pilot.pause()
    assert store.read_bytes() == before
    assert json.loads(file.read_text())["mode"] == "trials"
    async with opened(memory=Memory.read(file)) as (app, _):
        assert app.current_mode == "trials"
        assert app.theme == "textual-light"
        assert "outcomes: valid (o)  order: newest (s)  filter: muon" in words(app, "#order")


@pytest.mark.parametrize("text", ["", "[]", '{"mode": 3, "screens": {"trials": {"order": []}}}', '{"mode": "nowhere"}'])
async def test_a_memory_that_makes_no_sense_is_forgotten(
    text: str, store: Path, alive: None, opened: Any, tmp_path: Path
) -> None:
    (tmp_path / "view.json").write_text(text)
    async with opened(memory=Memory.read(tmp_path / "view.json")) as (app, _):
        assert app.current_mode == "live"


async def test_curves_tables_and_pictures_are_written_and_never_over_one_another(
    store: Path, alive: None, opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    async with opened() as (_, pilot):
        await pilot.press("w", "w", "3", "w", "W")
        await pilot.pause()
    names = sorted(path.name for path in Path().iterdir())
    assert [name.split("-")[1] for name in names] == ["live", "live", "trials", "trials"]
    curves = list(csv.reader(Path(names[0]).read_text().splitlines()))
    assert curves[0] == ["run", "step", "train_loss", "lowest", "highest"]
    assert curves[1][:2] == ["#8 muon", "10"]
    rows = list(csv.reader(next(Path().glob("*trials*.csv")).read_text().splitlines()))
    assert [row[1] for row in rows[1:]] == [str(n) for n in range(9)]
    assert next(Path().glob("*.svg")).read_text().startswith("<svg")


async def test_a_folder_that_cant_be_written_is_told(
    store: Path, alive: None, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("arena_tui.exports.write_new", refuse)
    async with opened() as (app, pilot):
        await pilot.press("w")
        await pilot.pause()
        assert any("not written: [Errno 13]" in note.message for note in app._notifications)


async def test_without_colours_letters_stand_along_the_curves(
    store: Path, alive: None, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened() as (app, _):
        plot = app.screen.query_one(CurvePlot)
        letter = plot._series[1].letter
        drawn = "".join(plot.render_line(y).text for y in range(1, plot.size.height - 1))
        assert drawn.count(letter) >= 3


@pytest.mark.parametrize("theme", ["textual-light", "arena-safe", "arena-contrast"])
async def test_every_theme_gives_each_run_a_colour_of_its_own(
    theme: str, store: Path, alive: None, opened: Any
) -> None:
    async with opened() as (app, pilot):
        await typed(pilot, f"theme {theme}")
        assert app.theme == theme
        colours = [s.colour for s in app.screen.query_one(CurvePlot)._series]
        assert len(set(colours)) == len(colours) > 3


async def test_who_holds_a_belt_is_named_and_is_a_line_behind_the_curves(
    judged: Path, alive: None, opened: Any
) -> None:
    reader = Reader(judged)
    trial = reader.trials("optimizer-1")[5]
    reader.close()
    assert trial.run is not None
    writer = Store(judged)
    writer.crown("optimizer-1", trial.run.identity, "optimizer", trial.fingerprint, None, None)
    published = replace(key_of(spec_of("optimizer-1")), seed=1337)
    proposal = replace(propose(writer, spec_of("optimizer-1"), 13, FATES[5]), seed=1337)
    writer.propose("optimizer-1", proposal)
    run_id, _ = writer.start("optimizer-1", 13, published, {})
    result = outcome(spec_of("optimizer-1"), proposal.config, FATES[5])
    writer.finish(run_id, replace(result, seed=1337))
    writer.close()
    async with opened((160, 48)) as (app, pilot):
        labels = [label for label, _ in app.screen.query_one(CurvePlot)._references]
        assert "belt muon" in labels
        await pilot.press("2")
        await pilot.pause()
        rows = app.screen.query_one(VirtualTable).as_text()[1:]
        assert [row[1] for row in rows][:2] == ["champion muon", "lion"]
