"""The pages by name, each imported when it is first opened: what paints data is heavy, and the frame comes first."""

from collections.abc import Callable
from typing import Any

from textual.screen import Screen


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


def _compare() -> Screen[Any]:
    from arena_tui.screens.compare import CompareScreen

    return CompareScreen()


def _research() -> Screen[Any]:
    from arena_tui.screens.research import ResearchScreen

    return ResearchScreen()


def _claims() -> Screen[Any]:
    from arena_tui.screens.claims import ClaimsScreen

    return ClaimsScreen()


def _leaderboard() -> Screen[Any]:
    from arena_tui.screens.leaderboard import LeaderboardScreen

    return LeaderboardScreen()


PAGES: dict[str, Callable[[], Screen[Any]]] = {
    "live": _live,
    "standings": _standings,
    "trials": _trials,
    "studies": _studies,
    "compare": _compare,
    "research": _research,
    "claims": _claims,
    "leaderboard": _leaderboard,
}
