"""The trials that a person marked, and the one pinned, study by study. Gone with the session."""

from arena_tui.mirror import Mirror
from studies.views import TrialView


class Marks:
    """Trials by study and number; what the store has lost is left out when asked for."""

    def __init__(self) -> None:
        self._marked: dict[str, list[int]] = {}
        self._pinned: dict[str, int] = {}

    def of(self, study: str) -> list[int]:
        return self._marked.setdefault(study, [])

    def toggle(self, study: str, number: int) -> None:
        marked = self.of(study)
        if number in marked:
            marked.remove(number)
        else:
            marked.append(number)

    def add(self, study: str, numbers: list[int]) -> None:
        self._marked[study] = list(dict.fromkeys([*self.of(study), *numbers]))

    def clear(self) -> None:
        self._marked.clear()

    def holds(self, study: str, number: int | None) -> bool:
        return number in self._marked.get(study, ())

    def every(self, mirror: Mirror, first: str) -> list[TrialView]:
        """The marked trials of every study, those of the one named first."""
        studies = sorted(self._marked, key=lambda study: study != first)
        found = (mirror.trial(study, number) for study in studies for number in self._marked[study])
        return [trial for trial in found if trial is not None]

    def pin(self, study: str, number: int | None) -> None:
        """Pin a trial; None unpins."""
        if number is None:
            self._pinned.pop(study, None)
        else:
            self._pinned[study] = number

    def pinned(self, mirror: Mirror, study: str) -> TrialView | None:
        number = self._pinned.get(study)
        return None if number is None else mirror.trial(study, number)
