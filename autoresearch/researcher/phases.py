"""The phases of a study under the policy researcher: who may propose in each, and how much of the trials it may have.

Where a study stands is read off its trials, never remembered: the same ledger gives the same next move. Every trial's
proposer belongs to one phase.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from autoresearch.researcher.proposals import Suggestion
from bench.records import State
from studies.views import TrialView, VerdictView


@dataclass(frozen=True, kw_only=True)
class Phase:
    """`share` is of the study's trials; None takes what the others leave. `extra` comes on top of them."""

    name: str
    proposers: tuple[str, ...]
    share: float | None = None
    extra: float = 0.0


NOISE_FLOOR = Phase(name="noise floor", proposers=("baseline", "replication"), share=0.15)
SCREEN = Phase(name="screen", proposers=("user", "opening"), share=0.30)
SEARCH = Phase(name="search", proposers=("local", "untried", "tpe", "promotion"))
ABLATION = Phase(name="ablation", proposers=("leave-one-out",), share=0.10)
CONFIRM = Phase(name="confirm", proposers=("confirm",), extra=0.25)
PHASES = (NOISE_FLOOR, SCREEN, SEARCH, ABLATION, CONFIRM)

# the policy that works in them
RESEARCHER = "researcher"

# below this a study is its openings and a few steps from them: replications would be most of it
SMALL = 20
# of the baseline; the least that say more of sigma than one difference does
NOISE_SEEDS = 3


class Ending(StrEnum):
    """Why a phase is over."""

    DONE = "every planned trial is done"
    SMALL = f"skipped: fewer than {SMALL} trials"
    BROKEN = "the baseline did not complete"
    BASELINE_BEST = "skipped: nothing beat the baseline"
    NOTHING_TO_DROP = "nothing can be left out that was not run"
    TOO_FEW = "skipped: a quarter of the trials does not pay for two arms of 3 seeds"
    DECIDED = "the verdict is in"


@dataclass(frozen=True, kw_only=True)
class Move:
    """A trial to propose in a phase, or none while runs under way must end first; `closed` are the phases behind it."""

    phase: Phase
    suggest: Callable[[], Suggestion] | None = None
    closed: Mapping[str, Ending] = field(default_factory=dict)
    over: bool = False  # nothing is left to do
    verdict: VerdictView | None = None


def in_phase(phase: Phase, trials: Sequence[TrialView]) -> list[TrialView]:
    """Those that cost something; a refusal does not."""
    return [t for t in trials if t.proposer in phase.proposers and t.state is not State.REFUSED]


def spent(phases: Sequence[Phase], trials: Sequence[TrialView], steps: int) -> Fraction:
    """What phases have cost, in whole runs of so many steps."""
    return Fraction(sum(t.config.budget.steps for phase in phases for t in in_phase(phase, trials)), steps)


def under_way(trials: Sequence[TrialView]) -> bool:
    return any(t.state in (State.QUEUED, State.RUNNING, State.INTERRUPTED) for t in trials)


def may_spend(phase: Phase, n_trials: int) -> int:
    """Trials of a phase that has a share or an extra."""
    return int((phase.share or phase.extra) * n_trials)
