"""What can be typed after `:`, as a table; the same words do what keys do. Pure parsing, the app does the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arena_tui.keys import CHANGES
from arena_tui.plotting import AXES, METRICS
from arena_tui.ranking import SORTS
from arena_tui.themes import CYCLE
from arena_tui.widgets.status import TABS

if TYPE_CHECKING:
    from arena_tui.app import ArenaApp
    from arena_tui.screens.plotted import PlottedScreen


class TypedError(Exception):
    """Why a line can't be obeyed, as a sentence."""


@dataclass(frozen=True)
class Typed:
    """A word, what may follow it, and what it does."""

    word: str
    takes: str
    help: str
    run: Callable[["ArenaApp", str], None]

    @property
    def usage(self) -> str:
        return f"{self.word} {self.takes}".strip()


def obey(app: "ArenaApp", line: str) -> None:
    """Do what a line says; raises TypedError and has done nothing then."""
    word, _, rest = line.strip().partition(" ")
    if word.isdigit() and not rest:
        word, rest = "trial", word
    meant = [command for command in COMMANDS if command.word == word.lower()]
    meant = meant or [command for command in COMMANDS if word and command.word.startswith(word.lower())]
    if len(meant) != 1:
        known = ", ".join(command.word for command in meant or COMMANDS)
        raise TypedError(f"{word} could be {known}" if meant else f"no {word or 'empty line'} here: {known}")
    meant[0].run(app, rest.strip())


def matching(line: str) -> list[Typed]:
    """The commands that a half typed line may become."""
    word, space, _ = line.lstrip().partition(" ")
    return [c for c in COMMANDS if (c.word == word.lower() if space else c.word.startswith(word.lower()))]


def _one_of(value: str, known: tuple[str, ...] | list[str]) -> str:
    meant = [name for name in known if name == value] or [name for name in known if value and name.startswith(value)]
    if len(meant) != 1:
        raise TypedError(f"{value or 'that'} is none of {', '.join(known)}")
    return meant[0]


def _numbers(app: "ArenaApp", text: str) -> list[int]:
    """Trials of the study shown, by number."""
    words = text.replace(",", " ").replace("#", " ").split()
    known = {trial.number for trial in app.trials()}
    wrong = [word for word in words if not word.isdecimal() or int(word) not in known]
    if wrong or not words:
        last = f"0 to {max(known)}" if known else "none yet"
        raise TypedError(f"no trial {wrong[0] if wrong else 'named'}: the study has {last}")
    return [int(word) for word in words]


def _study(app: "ArenaApp", name: str) -> None:
    app.choose_study(_one_of(name, list(app.mirror.studies)))


def _trial(app: "ArenaApp", text: str) -> None:
    if app.study is None:
        raise TypedError("there is no study yet")
    app.open_trial(app.study.name, _numbers(app, text)[0])


def _filter(app: "ArenaApp", text: str) -> None:
    from arena_tui.screens.listing import ListScreen

    screen = app.shown()
    if not isinstance(screen, ListScreen):
        raise TypedError("this page has no list: filter works in Live, Standings, Trials and Studies")
    screen.set_filter(text)


def _sort(app: "ArenaApp", order: str) -> None:
    from arena_tui.screens.trials import TrialsScreen

    order = _one_of(order, list(SORTS))
    app.action_mode("trials")
    screen = app.screen
    assert isinstance(screen, TrialsScreen), "the mode was switched just now"
    app.call_after_refresh(screen.sort_by, order)


def _mark(app: "ArenaApp", text: str) -> None:
    numbers = _numbers(app, text)
    app.marks.add(app.study.name if app.study else "", numbers)
    app.redraw()


def _unmark(app: "ArenaApp", _: str) -> None:
    app.marks.clear()
    app.redraw()


def _pin(app: "ArenaApp", text: str) -> None:
    from arena_tui.ranking import baseline_trial, best_of

    trials, study = app.trials(), app.study.name if app.study else ""
    if text in ("", "none"):
        app.marks.pin(study, None)
        app.redraw()
        return
    named = {"baseline": baseline_trial(trials), "best": best_of(trials)}
    trial = named.get(text)
    if text in named and trial is None:
        raise TypedError(f"the study has no {text} with a score yet")
    app.marks.pin(study, trial.number if trial else _numbers(app, text)[0])
    app.redraw()


def _axis(app: "ArenaApp", axis: str) -> None:
    _plot_screen(app).show_axis(_one_of(axis, AXES))


def _metric(app: "ArenaApp", metric: str) -> None:
    screen, metric = _plot_screen(app), _one_of(metric, METRICS)
    while screen.metric != metric:
        screen.action_metric()


def _zoom(app: "ArenaApp", text: str) -> None:
    from arena_tui.widgets.curve_plot import CurvePlot

    plot = _plot_screen(app).query_one(CurvePlot)
    try:
        low, high = (float(word) for word in text.split())
    except ValueError:
        raise TypedError("zoom takes two values of x: zoom 100 400") from None
    if not 0 <= low < high < float("inf") or (plot.log_x and low == 0):
        raise TypedError(f"zoom goes from a lower to a higher value of x, not from {low:g} to {high:g}")
    plot.window = (low, high)


def _plot_screen(app: "ArenaApp") -> "PlottedScreen":
    from arena_tui.screens.plotted import PlottedScreen

    screen = app.shown()
    if not isinstance(screen, PlottedScreen):
        raise TypedError("this page has no curves: they are in Live, in Compare and on a trial's page")
    return screen


def _theme(app: "ArenaApp", name: str) -> None:
    app.theme = _one_of(name, list(app.available_themes))


def _order(verb: str) -> Callable[["ArenaApp", str], None]:
    """The dialog that the verb's key opens, for what is under the cursor."""

    def run(app: "ArenaApp", _: str) -> None:
        from arena_tui.asking import dialog

        found = dialog(app, verb)
        if isinstance(found, str):
            raise TypedError(found)
        app.push_screen(found)

    return run


def _page(mode: str) -> Callable[["ArenaApp", str], None]:
    return lambda app, _: app.action_mode(mode)


COMMANDS: tuple[Typed, ...] = (
    *(Typed(mode, "", f"the page {name}", _page(mode)) for _, name, mode in TABS),
    Typed("study", "NAME", "the study that every page shows", _study),
    Typed("trial", "N", "open a trial of the study; its number alone does too", _trial),
    Typed("filter", "[TEXT]", "filter the list, or clear the filter", _filter),
    Typed("sort", "|".join(SORTS), "order of the list of trials", _sort),
    Typed("mark", "N ...", "mark trials for the curves and for Compare", _mark),
    Typed("unmark", "", "unmark all", _unmark),
    Typed("pin", "N|baseline|best|none", "what others are compared with", _pin),
    Typed("axis", "|".join(AXES), "x axis of the curves", _axis),
    Typed("metric", "|".join(METRICS), "what the curves show", _metric),
    Typed("zoom", "FROM TO", "part of the x axis", _zoom),
    Typed("theme", "|".join(CYCLE), "colours", _theme),
    Typed("write", "csv|svg", "the curves or the table shown, as a file in this folder",
          lambda app, kind: app.action_write(_one_of(kind, ("csv", "svg")))),
    *(Typed(key.footer, "", key.help, _order(key.footer)) for key in CHANGES),
    Typed("help", "", "keys and words", lambda app, _: app.action_help()),
    Typed("quit", "", "leave; studies go on", lambda app, _: app.exit()),
)  # fmt: skip
