"""The commentary on screen: asked for off the screen's thread, shown by section, told anew as trials end."""

import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from on_screen import words

from arena_tui.app import ArenaApp
from arena_tui.commands import Answer
from arena_tui.screens.detail import DetailScreen
from arena_tui.screens.research import ResearchScreen
from arena_tui.widgets.table import VirtualTable
from autoresearch.reporting.report import DELTA, Column, Report, Row, Section, Sentence, table, to_json

Settled = Callable[[Any], Awaitable[None]]
COLUMNS = (Column("technique"), Column("effect, nats/byte", DELTA), Column("from", DELTA), Column("to", DELTA))
EFFECTS = table(COLUMNS, [Row(("muon", -0.1, -0.2, 0.1), (2,)), Row(("lion", 0.1, 0.0, 0.2), ())])
REPORT = Report(
    study="optimizer-1",
    as_of=0.0,
    sections=(
        Section("At a glance", (Sentence("Best: #5 [bold]by far[/].", (5, 1)),)),
        Section("Effect per technique", (EFFECTS,)),
    ),
)


class Command:
    """Stands for `autoresearch report`; answers when it is let."""

    def __init__(self) -> None:
        self.answer = Answer(0, to_json(REPORT))
        self.asked: list[list[str]] = []
        self.may = threading.Event()
        self.may.set()

    def __call__(self, words: list[str], begun: object) -> Answer:
        self.asked.append(words)
        assert self.may.wait(10)
        return self.answer


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    stand_in = Command()
    monkeypatch.setattr("arena_tui.screens.told.ask", stand_in)
    return stand_in


async def told(pilot: Any) -> None:
    for _ in range(300):
        await pilot.pause(0.02)
        screen = pilot.app.screen
        if isinstance(screen, ResearchScreen) and screen._asked is None and (screen._known or screen._wrong):
            await pilot.pause()
            return
    raise AssertionError("no commentary")


async def test_it_is_asked_once_shown_by_section_and_leads_to_trials(
    store: Path, alive: None, command: Command, settled: Settled, now: Callable[[], float]
) -> None:
    app = ArenaApp(clock=now)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert command.asked == []
        await pilot.press("6")
        await told(pilot)
        table_ = app.screen.query_one(VirtualTable)
        assert command.asked == [["report", "optimizer-1", "--json", "--store", str(store)]]
        assert str(table_._rows[0].cells[0]) == "Best: #5 [bold]by far[/]."
        assert table_._columns[0].label == "1 of 2  At a glance"
        assert words(app, "#where") == "after 8 ended trials"
        assert "rests on #5, #1" in words(app, "#about-text")
        await pilot.press("l", "j")
        await pilot.pause()
        assert table_._columns[0].label == "2 of 2  Effect per technique"
        assert words(app, "#about-text").startswith("technique muon   effect, nats/byte -0.1000   from -0.2000")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        assert app.screen.path() == ("optimizer-1", "trial 2")
        await pilot.press("escape", "j", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ResearchScreen)  # a row without trials leads nowhere
        assert len(command.asked) == 1


async def test_another_study_does_not_wait_for_the_answer_on_the_last_one(
    store: Path, alive: None, settled: Settled, now: Callable[[], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, asked = threading.Event(), []

    class Process:
        terminate = staticmethod(ended.set)

    def endless_at_first(words: list[str], begun: Callable[[object], object]) -> Answer:
        asked.append(words[1])
        begun(Process())
        if len(asked) == 1:
            assert ended.wait(10)
            return Answer(-15, "", "it ended with exit code -15 and said nothing")
        return Answer(0, to_json(REPORT))

    monkeypatch.setattr("arena_tui.screens.told.ask", endless_at_first)
    app = ArenaApp(clock=now)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("6")
        await pilot.pause()
        first, other = app.study, next(name for name in app.mirror.studies if name != "optimizer-1")
        assert first is not None
        app.choose_study(other)
        await told(pilot)
        assert asked == [first.name, other]
        assert app.screen.wrong() is None
        app.choose_study(first.name)
        await told(pilot)
        assert app.screen.wrong() is None, "what was cut short is asked again"


async def test_while_it_is_made_the_screen_answers_and_says_so(
    store: Path, alive: None, command: Command, settled: Settled, now: Callable[[], float]
) -> None:
    command.may.clear()
    app = ArenaApp(clock=now)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("6")
        await pilot.pause()
        assert "the commentary is being made" in app.screen.query_one(VirtualTable).empty_text
        assert "`autoresearch report optimizer-1` has been at work for" in words(app, "#where")
        await pilot.press("l", "j", "enter", "3")
        await pilot.pause()
        assert app.current_mode == "trials"
        command.may.set()
        await pilot.press("6")
        await told(pilot)
        assert len(command.asked) == 1


async def test_it_is_told_anew_when_trials_have_ended_but_not_at_once(
    store: Path, alive: None, command: Command, settled: Settled, now: Callable[[], float]
) -> None:
    app = ArenaApp(clock=now)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("6")
        await told(pilot)
        screen = app.screen
        assert isinstance(screen, ResearchScreen)
        screen.stamp = lambda: 10  # type: ignore[method-assign]
        screen.tick()
        assert words(app, "#where").startswith("after 8 ended trials; 2 more since; told anew in ")
        assert len(command.asked) == 1
        await pilot.press("ctrl+r")
        await told(pilot)
        assert len(command.asked) == 2
        assert words(app, "#where") == "after 10 ended trials"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(2, "", "the store [x] can't be used", "try"), "the store [x] can't be used (try)"),
        (Answer(0, '{"format": 99}'), "the report has format 99, and this program reads 1"),
    ],
)
async def test_what_goes_wrong_is_said_and_asked_again_by_a_key(
    answer: Answer, said: str, store: Path, alive: None, command: Command, settled: Settled, now: Callable[[], float]
) -> None:
    good, command.answer = command.answer, answer
    app = ArenaApp(clock=now)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("6")
        await told(pilot)
        app.screen.tick()
        assert words(app, "#where").startswith(said)
        assert len(command.asked) == 1  # not again by itself
        command.answer = good
        await pilot.press("ctrl+r")
        await told(pilot)
        assert words(app, "#where") == "after 8 ended trials"


async def test_without_a_store_it_says_what_to_type(no_store: Path, command: Command, settled: Settled) -> None:
    app = ArenaApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("6")
        await pilot.pause()
        assert "autoresearch --division optimizer" in app.screen.query_one(VirtualTable).empty_text
        assert command.asked == []


@pytest.mark.slow
async def test_the_command_itself_answers_what_the_screen_reads(
    store: Path, alive: None, settled: Settled, now: Callable[[], float]
) -> None:
    app = ArenaApp(clock=now)
    async with app.run_test(size=(160, 48)) as pilot:
        await settled(pilot)
        await pilot.press("6")
        for _ in range(900):
            await pilot.pause(0.1)
            if app.screen.query_one(VirtualTable)._rows:
                break
        assert "Effect per technique" in words(app, "#sections")
