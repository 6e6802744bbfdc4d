"""From a form to a process that outlives the screen: the words, the stages, the dialog, and who may ask at all."""

import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandList
from textual.widgets import Input

from arena_tui import forms
from arena_tui.app import ArenaApp
from arena_tui.asking import form_of, store_words
from arena_tui.commands import Answer, answered, arguments, ask, command_line
from arena_tui.orders import Order, Stage, newest, send
from arena_tui.screens.help import help_text
from arena_tui.screens.order import OrderScreen
from arena_tui.widgets.lines import Lines
from arena_tui.widgets.status import Status
from autoresearch.requests import POLICIES
from bench.tracks import FEATHERWEIGHT, TRACKS, Track, asked_as, served_on, track_named
from studies.reading import Reader
from studies.views import StudyView

Settled = Callable[[Any], Awaitable[None]]
Until = Callable[[Callable[[], bool]], None]


def filled(form: forms.Form, **values: str) -> dict[str, str]:
    assert set(values) <= {field.label for field in form.fields}
    return {field.label: values.get(field.label, field.default) for field in form.fields}


# forms


def test_no_hint_of_a_form_is_cut_on_eighty_columns() -> None:
    made = (
        forms.launch("open"),
        forms.resume("s", 40),
        forms.stop("s"),
        forms.grade(),
        forms.export("s", 7, [7], golf=True),
    )
    hints = [field.told for form in made for field in form.fields]
    assert max(map(len, hints)) <= 36, max(hints, key=len)


def test_a_launch_is_the_command_that_a_person_would_type():
    form = forms.launch("open")
    values = filled(form, trials="20", study="a b", set="optimizer=lion,muon ffn.mult=3", timeout="2h")
    assert command_line(form.words(values, ["--store", "/s/x.db"])) == (
        "autoresearch --division open --trials 20 --steps 500 --policy researcher --track featherweight --budget cpu "
        "--study 'a b' --data auto --seed 1001 "
        "--timeout 2h --set optimizer=lion,muon --set ffn.mult=3 --store /s/x.db"
    )


def test_the_other_verbs_name_their_study_first(tmp_path: Path):
    assert forms.stop("s").words({}, []) == ["stop", "s"]
    resume = forms.resume("s", 40)
    assert resume.words(filled(resume), []) == ["resume", "s", "--trials", "40"]
    export = forms.export("s/ x", 7, [7])
    assert export.words(filled(export), []) == ["export", "s/ x", "--trial", "7", "--to", "s-x-7"]
    golf = forms.export("g", None, [7], golf=True)
    assert golf.words(filled(golf, packed="yes"), []) == ["export", "g", "--to", "g", "--packed"]
    assert golf.words(filled(golf), []) == ["export", "g", "--to", "g"]
    assert golf.objections(filled(golf, to="new", packed="no")) == ["packed is one of yes"]
    home = filled(export, to="~/out")
    assert export.words(home, [])[-1] == str(Path.home() / "out")


@pytest.mark.parametrize("track", TRACKS, ids=lambda track: track.name)
def test_a_launch_from_a_study_is_on_its_track(track: Track):
    form = forms.launch("open", *asked_as(track))
    values = filled(form)
    assert served_on(track_named(values["track"]), values["budget"]) is track
    assert form.objections(values) == []
    assert ("--steps" in form.words(values, [])) == (track is FEATHERWEIGHT)


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        ("division", "fencing", "division is one of precision, optimizer"),
        ("trials", "0", "trials is a whole number from 1 on: 0"),
        ("trials", "ten", "trials is a whole number from 1 on: ten"),
        ("trials", "", "trials is empty, and it must be given"),
        ("policy", "luck", "policy is one of researcher"),
        ("timeout", "soon", "timeout is a length of time: 90s, 30m or 2h: soon"),
        ("timeout", "0m", "timeout is a length of time"),
        ("from", "/nowhere.toml", "from names no file: /nowhere.toml"),
    ],
)
def test_what_can_be_seen_at_once_is_said_at_once(label: str, value: str, said: str):
    form = forms.launch("optimizer")
    (found,) = form.objections(filled(form) | {label: value})
    assert found.startswith(said)


def test_a_path_that_no_system_takes_is_objected_to_and_not_raised():
    start, export = forms.launch("open"), forms.export("s", 7, [7])
    for path in ("n" * 5000, "~nobody-of-that-name/x"):
        assert start.objections(filled(start) | {"from": path}) == [f"from names no file: {path}"]
        assert export.objections(filled(export, to=path)) == []
        assert export.words(filled(export, to=path), [])[-1] == path


def test_an_export_wants_an_ended_trial_and_a_new_folder(tmp_path: Path):
    form = forms.export("s", None, [0, 2])
    assert form.objections(filled(form, to=str(tmp_path / "new"))) == []
    assert form.objections(filled(form, trial="1", to=str(tmp_path))) == [
        "trial is no trial that has ended: 1",
        f"to names something that is there already: {tmp_path}",
    ]


def test_the_policies_are_those_of_the_command():
    assert forms.POLICIES == POLICIES


# commands and orders


def test_a_command_is_run_by_this_interpreter_and_shown_as_typed():
    assert arguments(["list"]) == [sys.executable, "-m", "autoresearch.cli", "list"]
    assert command_line(["stop", "a b"]) == "autoresearch stop 'a b'"


def test_an_answer_is_its_error_and_hint_or_its_last_line():
    assert answered(2, "", "study x\nerror: no\nhint: do\n") == Answer(2, "", "no", "do", "study x")
    assert answered(1, "", "Traceback\nValueError: y").problem == "ValueError: y"
    assert answered(-9, "", "").problem == "it ended with exit code -9 and said nothing"
    assert answered(0, "out", "note").problem == ""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """What stands for `autoresearch`: a line of Python, with the words as its arguments."""
    monkeypatch.setattr("arena_tui.orders.platformdirs.user_log_dir", lambda _: str(tmp_path / "log"))

    def use(code: str) -> None:
        def run(words: Sequence[str]) -> list[str]:
            return [sys.executable, "-S", "-c", code, *words]

        monkeypatch.setattr("arena_tui.orders.arguments", run)
        monkeypatch.setattr("arena_tui.commands.arguments", run)

    return use


def study_of(store: Path, name: str = "optimizer-1") -> StudyView:
    reader = Reader(store)
    found = reader.study(name)
    reader.close()
    return found


def looked(order: Order, study: StudyView, alive: bool, until: Until) -> None:
    """Look until the process has ended and that was seen."""

    def ended() -> bool:
        order.look([study], frozenset({study.name} if alive else ()), 20.0)
        return order.ended

    until(ended)


def test_asking_gives_the_answer_and_the_process_to_end(script: Callable[[str], None]):
    script("import sys; print(sys.argv[1:]); print('hint: h', file=sys.stderr); sys.exit(2)")
    begun: list[Any] = []
    answer = ask(["a", "b c"], begun.append)
    assert (answer.code, answer.out, answer.hint) == (2, "['a', 'b c']\n", "h")
    assert begun[0].returncode == 2


def test_a_launch_counts_as_begun_when_the_ledger_names_its_process(
    script: Callable[[str], None], store: Path, until: Until
):
    script("import sys; sys.stdin.read(); import time; print('study s', flush=True); time.sleep(0.2)")
    order = send("launch", "", ["--division", "open"], 10.0)
    other = study_of(store)
    assert not order.look([other], frozenset({other.name}), 11.0)
    mine = replace(other, owner_pid=order.process.pid)
    # named, but not living: a row that nobody keeps is no acknowledgement
    assert not order.look([mine], frozenset(), 12.0)
    assert order.look([mine], frozenset({mine.name}), 13.0)
    assert (order.stage, order.study) == (Stage.ACKNOWLEDGED, "optimizer-1")
    looked(order, mine, True, until)
    assert order.stage is Stage.DONE
    assert order.since == {Stage.REQUESTED: 10.0, Stage.ACKNOWLEDGED: 13.0, Stage.DONE: 20.0}
    assert order.told == "launch optimizer-1: done, study s"


def test_a_stop_is_heard_when_the_ledger_holds_the_request_and_done_when_the_command_says_so(
    script: Callable[[str], None], store: Path, until: Until
):
    script("import time; time.sleep(0.2); print('study optimizer-1 has stopped')")
    order = send("stop", "optimizer-1", ["stop", "optimizer-1"], 10.0)
    before = replace(study_of(store), stop_requested_at=3.0)
    assert not order.look([before], frozenset(), 11.0)
    assert order.look([replace(before, stop_requested_at=10.2)], frozenset(), 12.0)
    assert order.stage is Stage.ACKNOWLEDGED
    looked(order, before, True, until)
    assert order.told == "stop optimizer-1: done, study optimizer-1 has stopped"


def test_a_command_that_fails_says_why(script: Callable[[str], None], store: Path, until: Until):
    script("import sys; sys.exit('error: study x is not running\\nhint: resume it [/b]')")
    order = send("stop", "x", ["stop", "x"], 10.0)
    looked(order, study_of(store), False, until)
    assert order.failed
    assert order.told == "stop x: failed, study x is not running (resume it [/b])"
    assert order.tail(1) == ["hint: resume it [/b]"]


def test_a_command_has_a_session_of_its_own_and_no_terminal(script: Callable[[str], None], until: Until):
    script("import os; print(os.getsid(0) == os.getpid(), os.isatty(0))")
    order = send("export", "s", ["export", "s"], 10.0)
    until(lambda: order.process.poll() is not None)
    assert order.tail(1) == ["True False"]


def test_only_what_is_open_or_fresh_is_told_on_every_screen(script: Callable[[str], None]):
    script("pass")
    order = send("export", "s", ["export", "s"], 10.0)
    order.process.wait()
    assert newest([order], 500.0) is order
    order.look([], frozenset(), 500.0)
    assert newest([order], 559.0) is order
    assert newest([order], 561.0) is None


# the dialogs


def said(app: ArenaApp, selector: str = "#said") -> str:
    return app.screen.query_one(selector, Lines).shown.plain


async def wait_for(pilot: Any, holds: Callable[[], bool]) -> None:
    for _ in range(500):
        await pilot.pause(0.02)
        if holds():
            return
    raise AssertionError(said(pilot.app) if isinstance(pilot.app.screen, OrderScreen) else "never")


async def test_launch_checks_then_starts_then_follows_the_ledger(
    store: Path, settled: Settled, script: Callable[[str], None], now: Callable[[], float], alive: None
) -> None:
    script("import sys, time\nif '--check' in sys.argv: print('would begin [x]')\nelse: print('begun'); time.sleep(30)")
    app = ArenaApp(str(store), clock=now)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("L")
        await pilot.pause()
        assert isinstance(app.screen, OrderScreen)
        dialog = app.screen
        await pilot.press("right", "down", "backspace", "backspace", "7")
        await pilot.pause()
        assert "--division attention --trials 7 --steps 500 --policy researcher" in said(app, "#command").replace(
            "\n", " "
        )
        assert app.orders == []
        await pilot.press("backspace", "x", "enter")
        await pilot.pause()
        assert said(app) == "trials is a whole number from 1 on: x"
        await pilot.press("backspace", "7", "enter")
        await wait_for(pilot, lambda: dialog.state == "ready")
        assert said(app) == "would begin [x]\nenter again does it, esc leaves it"
        await pilot.press("8", "backspace")
        await pilot.pause()
        assert dialog.state == "edited"  # what was checked is not what stands there
        await pilot.press("enter")
        await wait_for(pilot, lambda: dialog.state == "ready")
        await pilot.press("enter")
        await pilot.pause()
        (order,) = app.orders
        try:
            assert order.words[-2:] == ("--store", str(store))
            assert "requested    " in said(app)
            assert "acknowledged - (when the ledger names this process" in said(app)
            await pilot.press("escape")
            await pilot.pause()
            assert app.screen.query_one(Status).facts.notice == "launch: requested"
            assert order.process.poll() is None
        finally:
            os.kill(order.process.pid, 9)
        await wait_for(pilot, lambda: order.failed)
    assert order.said == "begun" or "exit code -9" in order.said


async def test_a_launch_that_the_command_refuses_is_told_and_not_started(
    store: Path, settled: Settled, script: Callable[[str], None], now: Callable[[], float], alive: None
) -> None:
    script("import sys; sys.exit('error: no slot named [wings]\\nhint: drop it')")
    app = ArenaApp(clock=now)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("L", "enter")
        await wait_for(pilot, lambda: "wings" in said(app))
        assert said(app) == "no slot named [wings]\nhint: drop it".replace("hint: ", "")
        assert app.orders == []


async def test_verbs_speak_of_what_is_under_the_cursor_or_say_why_not(
    store: Path, settled: Settled, now: Callable[[], float], alive: None
) -> None:
    app = ArenaApp(clock=now)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert form_of(app, "resume", "optimizer-1", None) == "study optimizer-1 is being run by process 4121"
        assert form_of(app, "stop", "toy-1", None) == "study toy-1 is not running"
        assert form_of(app, "stop", None, None) == "there is no study to stop"
        assert store_words(app, "launch") == []
        await pilot.press("4", "j", "R")
        await pilot.pause()
        assert isinstance(app.screen, OrderScreen)
        assert "autoresearch resume toy-1 --trials 4" in said(app, "#command")
        await pilot.press("escape", "3", "j", "j", "E")
        await pilot.pause()
        assert "autoresearch export optimizer-1 --trial 2 --to optimizer-1-2" in said(app, "#command")
        await pilot.press("escape", "X", "enter")
        await pilot.pause()
        assert said(app) == "enter again does it, esc leaves it"
        await pilot.press("escape")
        await pilot.pause()
        assert app.orders == []


async def test_the_palette_opens_a_dialog_too(
    store: Path, settled: Settled, now: Callable[[], float], alive: None
) -> None:
    app = ArenaApp(clock=now)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p", *"stopthestudy")
        await wait_for(pilot, lambda: app.screen.query("CommandList").first().option_count > 0)
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, OrderScreen))
        assert "autoresearch stop optimizer-1" in said(app, "#command")


async def test_readonly_refuses_every_verb_and_says_so(
    store: Path, settled: Settled, now: Callable[[], float], alive: None
) -> None:
    app = ArenaApp(clock=now, readonly=True)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("L", "R", "X", "E")
        await pilot.pause()
        assert not isinstance(app.screen, OrderScreen)
        assert [note.message.partition(":")[0] for note in app._notifications] == [
            "nothing can be changed from here (--readonly)"
        ] * 4
    assert "what changes something, off: this is --readonly" in help_text(readonly=True).plain


async def test_a_form_fits_the_least_screen_and_scrolls(
    store: Path, settled: Settled, now: Callable[[], float], alive: None
) -> None:
    app = ArenaApp(clock=now)
    async with app.run_test(size=(60, 16)) as pilot:
        await settled(pilot)
        await pilot.press("L", *["down"] * 12)
        await pilot.pause()
        assert isinstance(app.focused, Input)
        assert app.focused.id == "entry-from"
        assert app.screen.region.contains_region(app.focused.region)


def test_time_is_told_since_each_stage(script: Callable[[str], None]):
    from arena_tui.screens.order import stages

    script("print('line')")
    order = send("export", "s", ["export", "s"], time.time() - 5)
    order.process.wait()
    order.look([], frozenset(), time.time())
    assert "5s ago" in stages(order, time.time()).plain or "6s ago" in stages(order, time.time()).plain
    assert order.tail(5) == ["line"]


async def test_a_page_of_the_palette_that_no_screen_has_room_for_is_not_turned(
    store: Path, settled: Settled, now: Callable[[], float], alive: None
) -> None:
    app = ArenaApp(clock=now)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        commands = app.screen.query_one(CommandList)
        await wait_for(pilot, lambda: commands.option_count > 0)
        await pilot.resize_terminal(20, 3)
        await pilot.press("pageup", "pagedown")
        await pilot.resize_terminal(80, 24)
        await pilot.press("pagedown", "escape")
        await pilot.pause()
        assert app.is_running
