"""The command palette's own entries: pages, studies, trials."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider

from arena_tui.keys import CHANGES
from arena_tui.rows import short_recipe
from arena_tui.widgets.status import TABS

if TYPE_CHECKING:
    from arena_tui.app import ArenaApp

# A study may hold thousands of trials; a list of commands that long helps nobody before something is typed.
DISCOVERED = 12


class ArenaProvider(Provider):
    """What can be gone to from here; trial numbers are found by typing."""

    def _entries(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        app = cast("ArenaApp", self.app)
        for key, name, mode in TABS:
            yield f"Go to {name}", f"key {key}", partial(app.action_mode, mode)
        if not app.readonly:
            for change in CHANGES:
                yield change.help.capitalize(), f"key {change.key}", partial(app.run_action, change.action)
        for study in app.mirror.studies.values():
            spec = study.spec
            yield (
                f"Study {spec.name}",
                f"{spec.division_name}, {spec.corpus_name}",
                partial(app.choose_study, spec.name),
            )
        for trial in app.trials():
            text = f"Trial {trial.number}: {short_recipe(trial)}"
            yield text, trial.state.value, partial(app.open_trial, trial.study, trial.number)

    async def discover(self) -> Hits:
        for place, (text, said, run) in enumerate(self._entries()):
            if place >= DISCOVERED:
                break
            yield DiscoveryHit(text, run, help=said)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for text, said, run in self._entries():
            if (score := matcher.match(text)) > 0:
                yield Hit(score, matcher.highlight(text), run, help=said)


class Palette(CommandPalette):
    """Textual's, which ends the app when a page is turned of a list that has no room on the screen."""

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).scrollable_content_region:
            super()._action_command_list(action)
