"""What every screen shares: the status lines, the key line, the least size."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import events
from textual.app import ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from arena_tui import formatting
from arena_tui.keys import Key
from arena_tui.memory import Remembered
from arena_tui.progress import liveness
from arena_tui.widgets.key_line import KeyLine
from arena_tui.widgets.status import Status, StatusFacts
from arena_tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from arena_tui.app import ArenaApp

LEAST_WIDTH, LEAST_HEIGHT = 60, 16
# The classes that a screen's styles speak of, from this many cells on.
_WIDTHS = [(0, "-tiny"), (LEAST_WIDTH, "-narrow"), (110, "-wide")]
_HEIGHTS = [(0, "-flat"), (LEAST_HEIGHT, "-low"), (32, "-tall")]


class TooSmall(Widget):
    """The one line that stands alone when nothing else would fit."""

    def render(self) -> RenderResult:
        width, height = self.app.size
        return Text(f"arena needs {LEAST_WIDTH}x{LEAST_HEIGHT}, this is {width}x{height} (q quits)", justify="center")


class ArenaScreen(Screen[None]):
    """A screen that draws what the mirror holds."""

    DEFAULT_CSS = """
    ArenaScreen TooSmall { display: none; }
    ArenaScreen.-tiny > *, ArenaScreen.-flat > * { display: none; }
    ArenaScreen.-tiny TooSmall, ArenaScreen.-flat TooSmall {
        display: block; width: 100%; height: 100%; content-align: center middle;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "app.quit", show=False)]
    TAB: ClassVar[str] = ""
    OF_STUDY: ClassVar[bool] = True  # what it shows comes from the study that the first line names
    KEYS: ClassVar[Sequence[Key]] = ()  # the key line, most useful first
    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS
    AUTO_FOCUS: ClassVar[str] = "VirtualTable"

    @property
    def arena(self) -> "ArenaApp":
        return cast("ArenaApp", self.app)

    def compose(self) -> ComposeResult:
        yield Status()
        yield from self.compose_body()
        yield KeyLine(self.KEYS)
        yield TooSmall()

    def compose_body(self) -> ComposeResult:
        raise NotImplementedError

    def path(self) -> tuple[str, ...]:
        """The breadcrumbs after `arena`."""
        study = self.arena.study
        return (study.name,) if study else ()

    @property
    def is_furnished(self) -> bool:
        """False before its widgets are made and after they have gone: a timer may come at either moment."""
        return bool(self.query(Status))

    def redraw(self) -> None:
        """Show what the mirror holds now; called at each change of a visible screen."""
        self.tick()
        if self.TAB:
            self.arena.memory.screens[self.TAB] = self.state()

    def tick(self) -> None:
        """Show what only the clock changes."""
        self.query_one(Status).facts = self._status()

    def subject(self) -> tuple[str | None, int | None]:
        """The study, and perhaps the trial, that a command from here is about."""
        study = self.arena.study
        return (study.name if study else None), None

    def reread(self) -> None:
        """Fetch anew what does not come from the store by itself."""

    def state(self) -> Remembered:
        """What of this page the next session should find again."""
        return {}

    def recall(self, state: Remembered) -> None:
        """Be as an earlier session left it; what is not understood is left out."""

    def table_shown(self) -> list[list[str]]:
        """What `w` writes: a heading and rows as text; nothing where nothing is listed."""
        return [words for table in self.query(VirtualTable) for words in table.as_text()]

    def out(self) -> bool:
        """One level out inside this screen; False when there is none."""
        return False

    def on_mount(self) -> None:
        self.recall(self.arena.memory.screens.get(self.TAB, {}))

    def on_screen_resume(self) -> None:
        self.redraw()

    @property
    def too_small(self) -> bool:
        return self.has_class("-tiny") or self.has_class("-flat")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not self.too_small and super().check_action(action, parameters)

    def on_resize(self, _: events.Resize) -> None:
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        """Nothing that can't be seen may take keys; and what is seen again takes them again."""
        if self.too_small:
            self.set_focus(None)
        elif self.is_current and self.focused is None:
            self.query(self.AUTO_FOCUS).first().focus()
        self.redraw()

    def _status(self) -> StatusFacts:
        mirror, study = self.arena.mirror, self.arena.study
        status, style = ("reading", "dim") if not mirror.loaded else ("", "")
        counts = corpus = notice = ""
        if study is not None:
            alive = liveness(study, study.name in mirror.alive, self.arena.now())
            status, style = alive.word, alive.style
            counts = formatting.counts(study.n_by_state)
            corpus = formatting.corpus(study.spec.corpus_name, study.spec.corpus_digest)
            if study.shipped and self.OF_STUDY:
                notice = f"measured by the project on {self._device()}; the text itself is not shipped"
        if self.arena.frozen:
            status, style = "FROZEN (z)", "bold reverse"
        notice_style = "dim"
        if self.arena.orders:
            from arena_tui.orders import newest

            if (order := newest(self.arena.orders, self.arena.now())) is not None:
                notice, notice_style = order.told, "bold red" if order.failed else "bold"
        if mirror.problem is not None:
            status, style = "ERROR", "bold red"
            notice = formatting.one_line(f"{mirror.problem.problem} ({mirror.problem.hint})")
            notice_style = "bold red"
        return StatusFacts(
            path=self.path(),
            counts=counts,
            status=status,
            status_style=style,
            corpus=corpus,
            tab=self.TAB,
            notice=notice,
            notice_style=notice_style,
        )

    def _device(self) -> str:
        ran = (trial.run.identity.device_class for trial in self.arena.trials() if trial.run)
        return next(ran, "device unknown")
