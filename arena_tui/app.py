"""`arena`: the screens, the feed behind them, and what they share. The frame is painted first, all else comes after."""

import gc
import shlex
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from arena_tui.keys import CHANGES, GLOBAL, bindings
from arena_tui.screens.frame import FrameScreen

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


def _live() -> Screen[Any]:
    from arena_tui.screens.live import LiveScreen

    return LiveScreen()


def _standings() -> Screen[Any]:
    from arena_tui.screens.standings import StandingsScreen

    return StandingsScreen()


def _trials() -> Screen[Any]:
    from arena_tui.screens.trials import TrialsScreen

    return TrialsScreen()


def _studies() -> Screen[Any]:
    from arena_tui.screens.studies import StudiesScreen

    return StudiesScreen()


def _research() -> Screen[Any]:
    from arena_tui.screens.research import ResearchScreen

    return ResearchScreen()


def _claims() -> Screen[Any]:
    from arena_tui.screens.claims import ClaimsScreen

    return ClaimsScreen()


def _leaderboard() -> Screen[Any]:
    from arena_tui.screens.leaderboard import LeaderboardScreen

    return LeaderboardScreen()


class Furnished(Message):
    """The modules are there: the screens can be made."""


class FeedSaid(Message):
    def __init__(self, delta: "Delta") -> None:
        super().__init__()
        self.delta = delta


class ArenaApp(App[None]):
    """Shows one store and writes nothing into it; what changes something runs as `autoresearch`, in its own process."""

    TITLE = "arena"
    CSS = "Screen { background: $background; }"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "live": _live,
        "standings": _standings,
        "trials": _trials,
        "studies": _studies,
        "research": _research,
        "claims": _claims,
        "leaderboard": _leaderboard,
    }
    COMMANDS = App.COMMANDS | {_provider}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(GLOBAL, CHANGES)]
    ALLOW_SELECT = False

    def __init__(
        self,
        store: str | None = None,
        study: str | None = None,
        clock: Callable[[], float] = time.time,
        readonly: bool = False,
    ) -> None:
        super().__init__()
        self.now = clock
        self.ready = False
        self._leaving = False
        self.frozen = False
        self.readonly = readonly
        self.orders: list[Order] = []
        self.marks: dict[str, list[int]] = {}
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
        from arena_tui.mirror import Mirror
        from arena_tui.screens import detail, live  # noqa: F401  the heavy ones

        self.mirror = Mirror()
        self.badges = Badges()
        self.feed = Feed(self._store, lambda delta: self.post_message(FeedSaid(delta)), self.now)
        self.feed.choose(self._asked)
        if self._leaving:
            return
        self.post_message(Furnished())
        self.feed.run()

    def on_furnished(self) -> None:
        self.ready = True
        self.switch_mode("live")
        self.set_interval(1.0, self._tick)

    def on_unmount(self) -> None:
        self._leaving = True
        if hasattr(self, "feed"):
            self.feed.close()

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
        if self._asked and self.mirror.studies and self._asked not in self.mirror.studies and not self.mirror.problem:
            from bench.errors import StoreError

            self.mirror.problem = StoreError(
                f"there is no study named {self._asked} yet", f"the studies are {', '.join(self.mirror.studies)}"
            )
        self._look_after_orders()
        self.redraw()
        self.call_after_refresh(self.feed.taken)

    def _follow(self) -> None:
        """Without a choice by name, show the study that is being run, else the newest."""
        if self._asked is None and self._chosen not in self.mirror.alive:
            self._chosen = self.mirror.default_study()
            self.feed.choose(self._chosen)

    def store_option(self) -> str:
        """What a command to copy must add to speak of the same store."""
        source = self.mirror.source
        return f" --store {shlex.quote(str(source.path))}" if source and (source.named or source.shipped) else ""

    def choose_study(self, name: str) -> None:
        self._asked = self._chosen = name
        self.feed.choose(name)
        self.redraw()

    def marked(self) -> list[int]:
        return self.marks.setdefault(self._chosen or "", [])

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

    def redraw(self) -> None:
        if screen := self.shown():
            screen.redraw()

    def _tick(self) -> None:
        self._look_after_orders()
        if screen := self.shown():
            screen.tick()

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
        return super().check_action(action, parameters)

    def action_mode(self, mode: str) -> None:
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

    def open_trial(self, study: str, number: int) -> None:
        from arena_tui.screens.detail import DetailScreen

        self.push_screen(DetailScreen(study, number))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Textual's, without the screenshot: this program writes no files."""
        return (command for command in super().get_system_commands(screen) if command.title in ("Theme", "Quit"))
