"""`arena`: the screens, the feed behind them, and what they share. The frame is painted first, all else comes after."""

import gc
import shlex
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import ModalScreen, Screen

from arena_tui.keys import CHANGES, GLOBAL, bindings
from arena_tui.memory import Memory
from arena_tui.pages import PAGES
from arena_tui.screens.frame import FrameScreen
from arena_tui.themes import CYCLE, OWN

if TYPE_CHECKING:
    from textual.command import Provider

    from arena_tui.feed import Delta
    from arena_tui.orders import Order
    from arena_tui.screens.base import ArenaScreen
    from studies.views import StudyView, TrialView

# Modules that paint data import numpy and the bench, and cost nearly as much again as the frame (0.18 s beside 0.21).
# They are imported inside functions here, once it is on screen.


def _provider() -> "type[Provider]":
    from arena_tui.palette import ArenaProvider

    return ArenaProvider


_ONLY_ON_PAGES = frozenset(key.action.split("(")[0] for key in (*GLOBAL, *CHANGES)) - {"quit"}


class Furnished(Message):
    """The modules are there: the screens can be made."""


class FeedSaid(Message):
    def __init__(self, delta: "Delta") -> None:
        super().__init__()
        self.delta = delta


class ArenaApp(App[None]):
    """Shows one store and writes nothing into it: what changes something is a process of `autoresearch`.

    Files only where a key asks for one, what it remembers, and the logs of what it started.
    """

    TITLE = "arena"
    CSS = """
    Screen { background: $background; }
    ModalScreen { background: $background 60%; }
    CommandScreen { background: transparent; }
    """
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {**PAGES}
    COMMANDS = App.COMMANDS | {_provider}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(GLOBAL, CHANGES)]
    ALLOW_SELECT = False

    def __init__(
        self,
        store: str | None = None,
        study: str | None = None,
        clock: Callable[[], float] = time.time,
        memory: Memory | None = None,
        readonly: bool = False,
    ) -> None:
        super().__init__()
        for theme in OWN:
            self.register_theme(theme)
        self.memory = memory or Memory()
        if self.memory.theme in self.available_themes:
            self.theme = self.memory.theme
        self.now = clock
        self.ready = False
        self._leaving = False
        self.frozen = False
        self.readonly = readonly
        self.orders: list[Order] = []
        self._store = store
        self._asked = study
        self._chosen = study

    def get_default_screen(self) -> Screen[Any]:
        return FrameScreen()

    def on_mount(self) -> None:
        self.call_after_refresh(self.run_worker, self._work, name="feed", thread=True)

    def _work(self) -> None:
        """The one thread: import what paints, then follow the store."""
        # collecting while hundreds of modules make their classes costs 0.15 s and finds nothing
        gc.disable()
        from arena_tui.badges import Badges
        from arena_tui.feed import Feed
        from arena_tui.marks import Marks
        from arena_tui.mirror import Mirror
        from arena_tui.screens import detail, live  # noqa: F401  the heavy ones

        self.mirror = Mirror()
        self.marks = Marks()
        self.badges = Badges()
        self.feed = Feed(self._store, lambda delta: self.post_message(FeedSaid(delta)), self.now)
        self.feed.choose(self._asked)
        if self._leaving:
            return
        self.post_message(Furnished())
        self.feed.run()

    def on_furnished(self) -> None:
        self.ready = True
        # a memory of another version may name a page that is no more
        self.switch_mode(self.memory.mode if self.memory.mode in self.MODES else "live")
        self.set_interval(1.0, self._tick)

    def on_unmount(self) -> None:
        self._leaving = True
        if hasattr(self, "feed"):
            self.feed.close()
        if self.ready:
            self.memory.theme = self.theme
            self.memory.write()

    # data

    @property
    def study(self) -> "StudyView | None":
        """The study that every screen speaks of."""
        return self.mirror.studies.get(self._chosen or "")

    def trials(self) -> "list[TrialView]":
        return self.mirror.trials_of(self._chosen)

    def on_feed_said(self, said: FeedSaid) -> None:
        gc.enable()
        self.mirror.apply(said.delta)
        self._follow()
        self.mirror.miss(self._asked)
        self._look_after_orders()
        self.redraw()
        self.call_after_refresh(self.feed.taken)

    def _follow(self) -> None:
        """Without a choice by name, show the study that is being run, else the newest."""
        if self._asked is None and self._chosen not in self.mirror.alive:
            last = self.memory.studies.get(self._store_name(), "")
            # what runs now matters more than what was looked at last time
            self._chosen = (
                last if last in self.mirror.studies and not self.mirror.alive else self.mirror.default_study()
            )
            self.feed.choose(self._chosen)

    def store_option(self) -> str:
        """What a command to copy must add to speak of the same store."""
        source = self.mirror.source
        return f" --store {shlex.quote(str(source.path))}" if source and (source.named or source.shipped) else ""

    def _store_name(self) -> str:
        return str(self.mirror.source.path) if self.mirror.source else ""

    def choose_study(self, name: str) -> None:
        self.memory.studies[self._store_name()] = name
        self._asked = self._chosen = name
        self.feed.choose(name)
        self.redraw()

    def marked(self) -> list[int]:
        """The marked trials of the study shown."""
        return self.marks.of(self._chosen or "")

    def pinned(self) -> "TrialView | None":
        """The trial of this study that others are measured against."""
        return self.marks.pinned(self.mirror, self._chosen or "")

    def pin(self, number: int) -> None:
        """Pin a trial of the study shown, or unpin it."""
        pinned = self.pinned()
        self.marks.pin(self._chosen or "", None if pinned and pinned.number == number else number)
        self.redraw()

    def want(self, trials: "Iterable[TrialView]") -> None:
        """Have the curves of these read."""
        self.feed.want(frozenset(trial.run.id for trial in trials if trial.run))

    def shown(self) -> "ArenaScreen | None":
        """The screen in front, when it is one that shows data and not a dialog over it."""
        from arena_tui.screens.base import ArenaScreen

        if not self.screen_stack:
            return None  # while the app starts or ends
        screen = self.screen
        return screen if isinstance(screen, ArenaScreen) and screen.is_furnished else None

    def page(self) -> "ArenaScreen | None":
        """The screen that shows data, whatever dialog lies over it: it is seen around the dialog, and goes on."""
        from arena_tui.screens.base import ArenaScreen

        pages = (screen for screen in reversed(self.screen_stack) if isinstance(screen, ArenaScreen))
        page = next(pages, None)
        return page if page and page.is_furnished else None

    def redraw(self) -> None:
        if page := self.page():
            page.redraw()

    def _tick(self) -> None:
        self._look_after_orders()
        if page := self.page():
            page.tick()

    # what was asked of `autoresearch`

    def _look_after_orders(self) -> None:
        for order in self.orders:
            order.look(self.mirror.studies.values(), self.mirror.alive, self.now())
        if self.orders:
            from arena_tui.screens.order import OrderScreen

            if isinstance(self.screen, OrderScreen):
                self.screen.tick()

    def action_order(self, verb: str) -> None:
        from arena_tui.asking import dialog

        found = dialog(self, verb)
        if isinstance(found, str):
            self.notify(found, severity="warning", markup=False, timeout=5)
        else:
            self.push_screen(found)

    # focus of the terminal: an unwatched screen costs next to nothing

    def on_app_blur(self, _: events.AppBlur) -> None:
        if self.ready:
            self.feed.slow_down(True)

    def on_app_focus(self, _: events.AppFocus) -> None:
        if self.ready:
            self.feed.slow_down(False)

    # keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Before there is data, and below the least size, nothing is visible: nothing but leaving may happen."""
        screen = self.shown() if self.ready else None
        if not self.ready or (screen is not None and screen.too_small):
            return action in ("quit", "help_quit")
        if action in _ONLY_ON_PAGES and self.screen_stack and isinstance(self.screen, ModalScreen):
            return False  # a dialog has the keys, and another must not open over it
        return super().check_action(action, parameters)

    def action_mode(self, mode: str) -> None:
        self.memory.mode = mode
        if self.current_mode != mode:
            self.switch_mode(mode)
        else:
            while len(self.screen_stack) > 1:
                self.pop_screen()

    def action_out(self) -> None:
        if (screen := self.shown()) and screen.out():
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def action_freeze(self) -> None:
        self.frozen = not self.frozen
        self.feed.pause(self.frozen)
        self.redraw()

    def action_reread(self) -> None:
        self.feed.poll_now()
        if screen := self.shown():
            screen.reread()

    def action_help(self) -> None:
        from arena_tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.readonly))

    def action_command_palette(self) -> None:
        from arena_tui.palette import Palette

        # without the id that Textual gives it: one that is still being taken down would hold that
        self.push_screen(Palette())

    def action_command(self) -> None:
        from arena_tui.screens.command import CommandScreen

        if self.shown():
            self.push_screen(CommandScreen(), self._obey)

    def _obey(self, line: str | None) -> None:
        """What was typed after `:`; a line that can't be obeyed is shown again with the reason, so nothing is lost."""
        from arena_tui.screens.command import CommandScreen
        from arena_tui.typed import TypedError, obey

        try:
            if line:
                obey(self, line)
        except TypedError as wrong:
            self.push_screen(CommandScreen(line or "", str(wrong)), self._obey)

    def action_theme(self) -> None:
        at = CYCLE.index(self.theme) if self.theme in CYCLE else -1
        self.theme = CYCLE[(at + 1) % len(CYCLE)]
        self.redraw()

    def action_write(self, kind: str) -> None:
        """The curves or the table shown as CSV, the screen as SVG."""
        from arena_tui.exports import as_csv, write_new

        if (screen := self.shown()) is None:
            return
        page = screen.TAB or "trial"
        content = self.export_screenshot(title=f"arena {page}") if kind == "svg" else as_csv(screen.table_shown())
        try:
            path = write_new(Path.cwd(), page, kind, content, self.now())
        except OSError as wrong:
            self.notify(f"not written: {wrong}", severity="error", markup=False)
        else:
            self.notify(f"written: {path.name}", markup=False, timeout=3)

    def open_trial(self, study: str, number: int) -> None:
        from arena_tui.screens.detail import DetailScreen

        self.push_screen(DetailScreen(study, number))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Textual's, without the screenshot: W writes one."""
        return (command for command in super().get_system_commands(screen) if command.title in ("Theme", "Quit"))
