"""A study's trials kept at hand: of a thousand, only those that changed are read again."""

from studies.reading import Reader
from studies.views import TrialView


class Following:
    """The trials of one study by number, as of the last call."""

    def __init__(self, reader: Reader, study: str) -> None:
        self.reader, self.study = reader, study
        self._known: dict[int, TrialView] = {}
        self._rev = -1

    def trials(self) -> dict[int, TrialView]:
        # the clock first: what changes in between is then read twice, never missed
        rev = self.reader.rev()
        if rev != self._rev:
            changed = self.reader.trials(self.study, since_rev=self._rev)
            self._known |= {trial.number: trial for trial in changed}
            self._rev = rev
        return self._known
