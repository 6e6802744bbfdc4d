"""A screen over the JSON of a command of `autoresearch`: asked off the screen's thread, and anew as trials end."""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual.message import Message

from arena_tui import formatting
from arena_tui.commands import Answer, UnknownFormatError, ask, command_line
from arena_tui.screens.base import ArenaScreen
from arena_tui.widgets.lines import Lines

# Such a command costs seconds of a core each time (it imports torch): while trials end one after the other it is
# asked again only after this many times as long as it took, and never sooner than this.
PATIENCE = 10.0
LEAST_WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class Known:
    """What was told, how many trials had ended then, and what it cost. `at` is monotonic; `stamp` -1: ask again."""

    told: Any
    stamp: int
    seconds: float
    at: float

    @property
    def due(self) -> float:
        return self.at + max(LEAST_WAIT_SECONDS, PATIENCE * self.seconds)


class ToldScreen(ArenaScreen):
    """Its children say what to ask, and draw what is known; `#where` tells how fresh that is."""

    DEFAULT_CSS = """
    ToldScreen #where { height: auto; max-height: 3; }
    """
    COMMAND: ClassVar[str] = ""  # the verb

    class Told(Message):
        def __init__(self, about: str, stamp: int, seconds: float, answer: Answer) -> None:
            super().__init__()
            self.about, self.stamp, self.seconds, self.answer = about, stamp, seconds, answer

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, Known] = {}
        self._wrong: dict[str, tuple[str, str]] = {}
        self._asked: tuple[str, float] | None = None  # about what, and since when (monotonic)
        self._process: subprocess.Popen[str] | None = None
        self._leaving = False

    # what its children say

    def about(self) -> str | None:
        """What is asked about now, under which the answer is kept; None when there is nothing to ask about."""
        raise NotImplementedError

    def stamp(self) -> int:
        """How many trials have ended of those that the answer rests on."""
        raise NotImplementedError

    def question(self, about: str) -> Sequence[str]:
        """The words after the verb."""
        raise NotImplementedError

    def read(self, text: str) -> Any:
        """The answer as data; raises UnknownFormatError."""
        raise NotImplementedError

    def basis(self) -> str:
        """What else the answer rests on."""
        return ""

    # asking

    def told(self) -> Any | None:
        """What is known of what is shown."""
        known = self._known.get(self.about() or "")
        return known.told if known else None

    def wrong(self) -> tuple[str, str] | None:
        return self._wrong.get(self.about() or "")

    def _ask_if_due(self) -> None:
        about, source = self.about(), self.arena.mirror.source
        if about is None or source is None or self.arena.frozen or self._leaving:
            return
        if self._asked is not None:
            if self._asked[0] != about and self._process is not None:
                # nobody looks at that answer now, and it would hold this one up for as long as it takes
                self._process.terminate()
            return
        stamp, known = self.stamp(), self._known.get(about)
        if about in self._wrong or (known and (known.stamp == stamp or time.monotonic() < known.due)):
            return
        self._asked = (about, time.monotonic())
        words = [self.COMMAND, *self.question(about), "--json", "--store", str(source.path)]
        self.run_worker(partial(self._ask, about, stamp, words), thread=True, group="told")

    def _ask(self, about: str, stamp: int, words: list[str]) -> None:
        begun = time.monotonic()
        answer = ask(words, self._begun)
        self.post_message(self.Told(about, stamp, time.monotonic() - begun, answer))

    def _begun(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        if self._leaving:
            process.terminate()

    def on_unmount(self) -> None:
        self._leaving = True
        if self._process is not None:
            self._process.terminate()

    def on_told_screen_told(self, told: Told) -> None:
        self._asked = self._process = None
        self._wrong.pop(told.about, None)
        if told.answer.code and told.about != self.about():
            # cut short, most likely: it is asked for again when it is looked at again
            pass
        elif told.answer.code:
            self._wrong[told.about] = (told.answer.problem, told.answer.hint)
        else:
            try:
                found = self.read(told.answer.out)
            except UnknownFormatError as wrong:
                self._wrong[told.about] = (str(wrong), "is `autoresearch` of the same version as `arena`?")
            else:
                self._known[told.about] = Known(found, told.stamp, told.seconds, time.monotonic())
        if self.is_current:
            self.redraw()

    def reread(self) -> None:
        """Ask again now, whatever is known and whatever went wrong."""
        about = self.about() or ""
        self._wrong.pop(about, None)
        if (known := self._known.get(about)) is not None:
            self._known[about] = Known(known.told, -1, 0.0, float("-inf"))
        self.redraw()

    def tick(self) -> None:
        super().tick()
        self._ask_if_due()
        self.query_one("#where", Lines).show(self._where())

    def _where(self) -> Text:
        """How fresh it is, and what is being done about it."""
        about = self.about()
        if about is None:
            return Text("")
        known, wrong = self._known.get(about), self._wrong.get(about)
        if wrong is not None:
            return Text(formatting.one_line(f"{wrong[0]} ({wrong[1]})" if wrong[1] else wrong[0]), "bold red")
        text = Text()
        if known is not None:
            text.append(f"after {known.stamp} ended trials{self.basis()}" if known.stamp >= 0 else "asked again")
            behind = self.stamp() - known.stamp if known.stamp >= 0 else 0
            text.append(f"; {behind} more since" if behind else "", "yellow")
        if self._asked is not None and self._asked[0] == about:
            text.append("; " if known else "")
            text.append(f"`{command_line([self.COMMAND, *self.question(about)])}` has been at work for ", "dim")
            text.append(formatting.duration(time.monotonic() - self._asked[1]))
        elif known is not None and known.stamp != self.stamp():
            wait = max(0.0, known.due - time.monotonic())
            text.append(f"; told anew in {formatting.duration(wait)}, ^r now", "dim")
        return text
