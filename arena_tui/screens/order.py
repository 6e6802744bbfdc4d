"""The dialog for everything that changes something: fields, the exact command, and what became of it.

Nothing starts by accident: the first enter only checks, any change takes the answer back, the second enter starts it.
"""

import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from arena_tui import formatting
from arena_tui.commands import Answer, ask, command_line
from arena_tui.forms import Field, Form
from arena_tui.keys import ORDER, bindings
from arena_tui.orders import RUNS, Order, Stage, send
from arena_tui.widgets.choice import Choice
from arena_tui.widgets.key_line import KeyLine
from arena_tui.widgets.lines import Lines
from bench.errors import ConfigError

if TYPE_CHECKING:
    from arena_tui.app import ArenaApp

STYLES = {Stage.REQUESTED: "bold", Stage.ACKNOWLEDGED: "bold", Stage.DONE: "bold green", Stage.FAILED: "bold red"}
LOG_LINES = 6


class OrderScreen(ModalScreen[None]):
    """A form, then the three stages of its command; esc leaves at any time, and what has been started goes on."""

    DEFAULT_CSS = """
    OrderScreen { align: center middle; }
    OrderScreen > VerticalScroll {
        width: 78; max-width: 100%; height: auto; max-height: 100%; background: $surface; border: round $primary;
        padding: 0; scrollbar-size-vertical: 1;
    }
    OrderScreen .field { height: 1; }
    OrderScreen .label { width: 12; }
    OrderScreen Input { border: none; height: 1; padding: 0; width: 1fr; background: $boost; }
    OrderScreen Input:focus { border: none; background: $primary 30%; }
    OrderScreen.-sent .field { display: none; }
    OrderScreen .told { width: 50%; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    OrderScreen #said { height: auto; }
    OrderScreen KeyLine { dock: none; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(ORDER)]
    AUTO_FOCUS = ""

    class Checked(Message):
        def __init__(self, words: tuple[str, ...], answer: Answer) -> None:
            super().__init__()
            self.words, self.answer = words, answer

    def __init__(self, form: Form, study: str, store: Sequence[str]) -> None:
        super().__init__()
        self.form = form
        self.order: Order | None = None
        self.state: Literal["edited", "checking", "ready", "sent"] = "edited"
        self._study = study
        self._store = store
        self._told = Text("")
        self._process: subprocess.Popen[str] | None = None

    @property
    def arena(self) -> "ArenaApp":
        return cast("ArenaApp", self.app)

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Lines(id="command")
            for field in self.form.fields:
                with Horizontal(classes="field"):
                    yield Lines(classes="label", id=f"label-{field.label}")
                    yield from self._entry(field)
                    yield Lines(classes="told", id=f"told-{field.label}")
            yield Lines(id="said")
            yield KeyLine([key for key in ORDER if key.footer])

    @staticmethod
    def _entry(field: Field) -> ComposeResult:
        if field.choices:
            yield Choice(field.choices, field.default, id=f"entry-{field.label}")
            return
        entry = Input(field.default, id=f"entry-{field.label}", select_on_focus=False)
        entry.cursor_blink = False
        yield entry

    def on_mount(self) -> None:
        for field in self.form.fields:
            self.query_one(f"#label-{field.label}", Lines).show(Text(field.label, "bold"))
            self.query_one(f"#told-{field.label}", Lines).show(Text(field.told, "dim"))
        if self.form.fields:
            self.query_one(f"#entry-{self.form.fields[0].label}").focus()
        self.query_one(VerticalScroll).border_title = Text(self.form.title).markup
        self._draw()

    # the form

    def values(self) -> dict[str, str]:
        found = {}
        for field in self.form.fields:
            entry = self.query_one(f"#entry-{field.label}")
            assert isinstance(entry, Choice | Input), entry
            found[field.label] = entry.value.strip()
        return found

    def words(self) -> tuple[str, ...]:
        return tuple(self.form.words(self.values(), self._store))

    def on_input_changed(self) -> None:
        self._edited()

    def on_choice_changed(self) -> None:
        self._edited()

    def _edited(self) -> None:
        if self.state != "sent":
            self.state = "edited"
            wrong = self.form.objections(self.values())
            self._told = Text("\n").join(Text(said, "yellow") for said in wrong)
            self._draw()

    def on_input_submitted(self) -> None:
        self.action_go()

    def action_go(self) -> None:
        """Check, then start, then watch."""
        if self.state == "ready":
            self._send()
        elif self.state == "edited":
            self._check()
        elif self.order is not None and self.order.study and self.order.stage is not Stage.FAILED:
            self._watch(self.order.study)

    def _check(self) -> None:
        if self.form.objections(self.values()):
            self._edited()
            return
        if not self.form.checked:
            self._ready("")
            return
        self.state = "checking"
        self._told = Text("asking the command itself what it would do", "bold")
        self._draw()
        words = self.words()
        self.run_worker(partial(self._ask, words), thread=True, exclusive=True, group="check")

    def _ask(self, words: tuple[str, ...]) -> None:
        answer = ask([*words, "--check"], self._begun)
        self.post_message(self.Checked(words, answer))

    def _begun(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def on_unmount(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def on_order_screen_checked(self, checked: Checked) -> None:
        self._process = None
        if self.state != "checking" or checked.words != self.words():
            return  # it was changed meanwhile
        if checked.answer.code:
            self.state = "edited"
            said = formatting.one_line(checked.answer.problem)
            hint = formatting.one_line(checked.answer.hint)
            self._told = Text.assemble((said, "bold red"), "\n" if hint else "", hint)
            self._draw()
        else:
            self._ready(formatting.one_line(checked.answer.out))

    def _ready(self, said: str) -> None:
        self.state = "ready"
        self._told = Text.assemble((f"{said}\n" if said else ""), ("enter again does it, esc leaves it", "bold green"))
        self._draw()

    # the command

    def _send(self) -> None:
        try:
            self.order = send(self.form.verb, self._study, self.words(), self.arena.now())
        except ConfigError as wrong:
            self.state = "edited"
            self._told = Text(f"{wrong.problem}\n{wrong.hint}", "bold red")
        else:
            self.state = "sent"
            self.arena.orders.append(self.order)
            # the command line says what was in them, and their room is wanted for what it answers
            self.set_focus(None)
            self.add_class("-sent")
        self._draw()

    def _watch(self, study: str) -> None:
        self.dismiss()
        self.arena.choose_study(study)
        self.arena.action_mode("live")

    def tick(self) -> None:
        """The clock or the ledger has moved."""
        if self.state == "sent":
            self._draw()

    def _draw(self) -> None:
        shown = Text.assemble((f"{self.form.told}\n", "dim"), (command_line(self.words()), "bold"))
        self.query_one("#command", Lines).show(shown)
        said = self._told if self.order is None else stages(self.order, self.arena.now())
        self.query_one("#said", Lines).show(said)
        if self.order is not None:
            self.query_one(VerticalScroll).scroll_end(animate=False)

    # keys

    def action_leave(self) -> None:
        self.dismiss()

    def action_next(self, step: int) -> None:
        move: Callable[[], object] = self.focus_next if step > 0 else self.focus_previous
        move()

    def action_copy_command(self) -> None:
        line = command_line(self.words())
        self.app.copy_to_clipboard(line)
        self.notify(f"copied: {line}", markup=False, timeout=3)


def stages(order: Order, now: float) -> Text:
    """What is known of an order: when each stage was reached, and the end of what it printed."""
    text = Text()
    for stage in (Stage.REQUESTED, Stage.ACKNOWLEDGED, Stage.FAILED if order.stage is Stage.FAILED else Stage.DONE):
        at = order.since.get(stage)
        if at is None:
            waited = "" if order.ended else f" ({_awaited(order, stage)})"
            text.append(f"{stage.value:<13}-{waited}\n", "dim")
        else:
            text.append(f"{stage.value:<13}", STYLES[stage])
            text.append(f"{formatting.clock_time(at)}, {formatting.age(max(0.0, now - at))} ago\n")
    if order.said:
        text.append(formatting.one_line(order.said) + "\n", "bold red" if order.stage is Stage.FAILED else "bold")
    if not order.ended or order.stage is Stage.FAILED:
        for line in order.tail(LOG_LINES):
            text.append(formatting.one_line(line) + "\n", "dim")
    text.append(f"process {order.process.pid}, log {order.log}", "dim")
    if order.study and order.stage is not Stage.FAILED and order.verb in RUNS:
        text.append(f"\nenter watches {order.study}; esc leaves, and it goes on", "bold green")
    return text


def _awaited(order: Order, stage: Stage) -> str:
    if stage is Stage.DONE:
        return "when its process has ended well"
    if order.verb in RUNS:
        return "when the ledger names this process as the study's"
    return "when the ledger holds the request" if order.verb == "stop" else "when it has said something"
