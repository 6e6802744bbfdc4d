"""The phases of a study under the policy researcher: who may propose in each, and how much of the trials it may have.

Where a study stands is read off its trials, never remembered: the same ledger gives the same next move. Every trial's
proposer belongs to one phase.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import Protocol

from autoresearch.researcher.mixture import LLM
from autoresearch.researcher.proposals import Suggestion
from bench.records import State
from studies.views import TrialView, VerdictView


@dataclass(frozen=True, kw_only=True)
class Phase:
    """`share` is of the study's trials, `small` of a small study's, `extra` comes on top of them; search takes what the
    others leave."""

    name: str
    proposers: tuple[str, ...] = ()
    share: float = 0.0
    small: float = 0.0
    extra: float = 0.0


PREFLIGHT = Phase(name="preflight")
NOISE_FLOOR = Phase(name="noise floor", proposers=("baseline", "replication"), share=0.15)
RECIPES = Phase(name="recipes", proposers=("user", "recipe"), share=0.05, small=0.25)
SCREEN = Phase(name="screen", proposers=("opening",), share=0.25, small=0.50)
SEARCH = Phase(name="search", proposers=("local", "untried", "tpe", LLM, "promotion"))
COMBINE = Phase(name="combine", proposers=("combine", "2x2 cell"), share=0.10)
ABLATION = Phase(name="ablation", proposers=("leave-one-out", "simplify"), share=0.10)
CONFIRM = Phase(name="confirm", proposers=("confirm",), extra=0.25)
REPORT = Phase(name="report")
PHASES = (PREFLIGHT, NOISE_FLOOR, RECIPES, SCREEN, SEARCH, COMBINE, ABLATION, CONFIRM, REPORT)

# the policy that works in them
RESEARCHER = "researcher"

# Below this a study is its openings and a few steps from them: replications would be most of it, and what a sampler
# draws before it knows anything is a dozen techniques at once, which learn next to nothing.
SMALL = 20
# of the baseline; four degrees of freedom leave sigma uncertain by a factor of three, two by a factor of six
NOISE_SEEDS = 5


class Ending(StrEnum):
    """Why a phase is over."""

    READY = "the baseline keeps every rule"
    NO_BASELINE = "a rule is against the baseline itself: there will be nothing to measure from"
    DONE = "every planned trial is done"
    SMALL = f"skipped: fewer than {SMALL} trials"
    BROKEN = "the baseline did not complete"
    NO_RECIPE = "skipped: no recipe can be built in this division"
    TOO_FEW_FOR_RECIPES = "skipped: the trials do not pay for a recipe"
    BASELINE_BEST = "skipped: nothing beat the baseline"
    NOTHING_TO_JOIN = "nothing that helped is left to join, and no suspicious pair can be completed"
    NOTHING_TO_DROP = "nothing can be left out that was not run"
    TOO_FEW = "skipped: a quarter of the trials does not pay for two arms of 3 seeds"
    DECIDED = "the verdict is in"
    WRITTEN = "it is written"
    ON_REQUEST = "skipped: not asked for; `autoresearch report` writes it at any time"


@dataclass(frozen=True, kw_only=True)
class Move:
    """A trial to propose in a phase, or none while runs under way must end first; `closed` are the phases behind it.

    `verdicts` are those of the phases behind it.
    """

    phase: Phase
    suggest: Callable[[], Suggestion] | None = None
    closed: Mapping[str, Ending] = field(default_factory=dict)
    over: bool = False  # nothing is left to do
    verdicts: tuple[VerdictView, ...] = ()


class Planner(Protocol):
    """Who says what comes next in a study that is not left to the sampler; `number` is the next trial's."""

    def next(self, number: int, trials: Sequence[TrialView]) -> Move: ...


def in_phase(phase: Phase, trials: Sequence[TrialView]) -> list[TrialView]:
    """Those that cost something; a refusal does not."""
    return [t for t in trials if t.proposer in phase.proposers and t.state is not State.REFUSED]


def spent(phases: Sequence[Phase], trials: Sequence[TrialView], steps: int) -> Fraction:
    """What phases have cost, in whole runs of so many steps."""
    return Fraction(sum(t.config.budget.steps for phase in phases for t in in_phase(phase, trials)), steps)


def before(phase: Phase, trials: Sequence[TrialView]) -> list[TrialView]:
    """The trials of the phases before one: what it rests on, and what its own trials never change."""
    later = {who for p in PHASES[PHASES.index(phase) :] for who in p.proposers}
    return [t for t in trials if t.proposer not in later]


def under_way(trials: Sequence[TrialView]) -> bool:
    return any(t.state in (State.QUEUED, State.RUNNING, State.INTERRUPTED) for t in trials)


def n_spent(trials: Sequence[TrialView], steps: int) -> int:
    """Whole runs that count as trials of the study, rounded up; what comes on top of them does not, nor do refusals."""
    extra = [name for phase in PHASES if phase.extra for name in phase.proposers]
    counted = [t for t in trials if t.state is not State.REFUSED and t.proposer not in extra]
    return ceil(Fraction(sum(t.config.budget.steps for t in counted), steps))


def may_spend(phase: Phase, n_trials: int) -> int:
    """Trials of a phase that has a share or an extra."""
    share = phase.small if n_trials < SMALL and phase.small else phase.share
    return int((share or phase.extra) * n_trials)
