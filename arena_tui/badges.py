"""A letter and a colour per run: the same in list, plot and legend for as long as it is shown."""

import string
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arena_tui.themes import N_COLOURS

LETTERS = string.ascii_lowercase + string.ascii_uppercase


@dataclass(frozen=True)
class Badge:
    letter: str
    colour: int

    def on(self, colours: Sequence[str]) -> str:
        """Its own of a theme's `N_COLOURS` colours."""
        return colours[self.colour]


class Badges:
    """Gives badges to runs by a hash of their key; a collision takes the next that is free."""

    def __init__(self) -> None:
        self._held: dict[str, Badge] = {}

    def hold(self, keys: Iterable[str]) -> dict[str, Badge]:
        """Badges for the runs shown now; when none is free, the run that was shown longest ago gives up its own."""
        shown = list(dict.fromkeys(keys))
        for key in shown:
            if key in self._held:
                self._held[key] = self._held.pop(key)
        for key in shown:
            if key not in self._held:
                self._held[key] = self._new(key, shown)
        return {key: self._held[key] for key in shown}

    def of(self, key: str) -> Badge | None:
        return self._held.get(key)

    def _new(self, key: str, shown: list[str]) -> Badge:
        start = zlib.crc32(key.encode())
        if len({badge.colour for badge in self._held.values()}) == N_COLOURS:
            unseen = next((held for held in self._held if held not in shown), None)
            if unseen is not None:
                del self._held[unseen]
        colour = _free(start, N_COLOURS, {badge.colour for badge in self._held.values()})
        letters = {LETTERS.index(badge.letter) for badge in self._held.values()}
        place = _free(start, 26, letters)
        return Badge(LETTERS[place if place not in letters else _free(start, len(LETTERS), letters)], colour)


def _free(start: int, n: int, taken: set[int]) -> int:
    """The first of `n` places after a start that is not taken; the start itself when all are."""
    return next((place for i in range(n) if (place := (start + i) % n) not in taken), start % n)
