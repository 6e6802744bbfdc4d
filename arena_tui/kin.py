"""Which trials have to do with one another: parent, children, and failures of the same kind. Pure functions of rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from arena_tui.ranking import ended_because
from bench.divisions import BASE
from bench.records import State
from studies.views import TrialView

_CITED = re.compile(r"\btrial (\d+)\b")
_ENDED = (State.COMPLETE, State.FAILED, State.PRUNED)


def parent(trial: TrialView, trials: Sequence[TrialView]) -> TrialView | None:
    """The trial that the reason of this one names first: what it was made from."""
    cited = _CITED.search(trial.reason)
    if cited is None:
        return None
    return next((t for t in trials if t.number == int(cited[1]) and t.number != trial.number), None)


def ancestors(trial: TrialView, trials: Sequence[TrialView]) -> list[TrialView]:
    """Its parent, that one's parent, and so on."""
    found: list[TrialView] = []
    at = parent(trial, trials)
    while at is not None and at.number not in {trial.number, *(t.number for t in found)}:
        found.append(at)
        at = parent(at, trials)
    return found


def children(trial: TrialView, trials: Sequence[TrialView]) -> list[TrialView]:
    """The trials made from this one."""
    named = f"trial {trial.number}"
    # the plain search first: thousands of reasons are looked through
    return [t for t in trials if named in t.reason and parent(t, [trial]) is not None]


@dataclass(frozen=True)
class Pattern:
    """Of the ended trials that share something with a failure, how many ended the same way."""

    shared: str
    n_ended: int
    same: tuple[int, ...]

    def told(self, because: str) -> str:
        named = " ".join(f"#{number}" for number in self.same[:8]) + (" .." if len(self.same) > 8 else "")
        return f"{len(self.same)} of {self.n_ended} with {self.shared} ended {because.replace('_', ' ')}: {named}"


def patterns(trial: TrialView, trials: Sequence[TrialView]) -> list[Pattern]:
    """For each technique that this failure chose, and its learning rate, how often it ended so; the surest first."""
    because = ended_because(trial)
    ended = [t for t in trials if t.state in _ENDED]
    found = []
    for slot, picks in trial.config.picks.items():
        fixed = {pick.name for pick in BASE.picks[slot]}
        for pick in picks:
            having = [t for t in ended if any(p.label == pick.label for p in t.config.picks.get(slot, ()))]
            if pick.name not in fixed:
                found.append(_pattern(f"{slot} {pick.label}", having, because))
            lr = pick.knobs.get("lr")
            if isinstance(lr, float):
                fast = [t for t in having if any(_lr(p.knobs.get("lr")) >= lr for p in t.config.picks[slot])]
                found.append(_pattern(f"{slot} {pick.label} and lr >= {lr:.4g}", fast, because))
    return sorted((p for p in found if p.same), key=lambda p: (-len(p.same) / p.n_ended, -p.n_ended))


def _lr(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("-inf")


def _pattern(shared: str, having: Sequence[TrialView], because: str) -> Pattern:
    return Pattern(shared, len(having), tuple(t.number for t in having if ended_because(t) == because))
