"""What a study's policy wants tried next: the move of a planner, an opening, or a draw of the sampler."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from autoresearch.claims.plan import TUNE, ClaimsPlan
from autoresearch.grading.plan import GRADING, Grading
from autoresearch.researcher.duplicates import drawn_again, not_worth_a_seed
from autoresearch.researcher.phases import PREFLIGHT, RESEARCHER, SEARCH, Move, Planner, n_spent
from autoresearch.researcher.plan import Researcher
from autoresearch.researcher.proposals import Proposers, Suggestion
from autoresearch.space import Opening, Space
from bench.config import RunConfig, fingerprint
from studies.asked import Proposal
from studies.belts import GRADE
from studies.claims import POLICY
from studies.definitions import OPENINGS, StudySpec
from studies.views import TrialView

Trials = Sequence[TrialView]


def openings_of(space: Space) -> list[tuple[str, Opening]]:
    """Each with the fingerprint of its config."""
    return [(fingerprint(space.recall(opening.params)[0]), opening) for opening in space.openings()]


def n_planned(spec: StudySpec, n_done: int, trials: Trials) -> int:
    """Whole runs that the study will come to when so many are done: openings have an end of their own."""
    if spec.policy != OPENINGS:
        return spec.n_trials
    known = {trial.fingerprint for trial in trials}
    return min(spec.n_trials, n_done + sum(name not in known for name, _ in openings_of(Space(spec))))


@dataclass
class Choosing:
    """The policy of one study. `n_elsewhere` trials were spent where nothing can be compared with those to come."""

    spec: StudySpec
    space: Space
    n_elsewhere: int
    phase: str
    planner: Planner | None = None
    researcher: Researcher | None = None
    move: Move | None = None
    openings: list[tuple[str, Opening]] = field(default_factory=list)

    @classmethod
    def of(cls, spec: StudySpec, space: Space, elsewhere: Trials, proposers: Callable[[], Proposers]) -> "Choosing":
        """Of the trials of the study that were run elsewhere; the researcher alone asks for its proposers."""
        n_elsewhere = n_spent(elsewhere, spec.budget.steps)
        left = replace(spec, n_trials=spec.n_trials - n_elsewhere)
        if spec.policy == RESEARCHER:
            researcher = Researcher(proposers(), n_elsewhere)
            return cls(spec, space, n_elsewhere, PREFLIGHT.name, planner=researcher, researcher=researcher)
        if spec.policy == POLICY:
            return cls(spec, space, n_elsewhere, TUNE.name, planner=ClaimsPlan(left))
        if spec.policy == GRADE:
            return cls(spec, space, n_elsewhere, GRADING.name, planner=Grading(left))
        return cls(spec, space, n_elsewhere, SEARCH.name, openings=openings_of(space))

    def plan(self, number: int, trials: Trials) -> tuple[Move | None, Move | None]:
        """Where the study stood, and where it stands; None where nothing is planned."""
        before = self.move
        if self.planner is not None and not self.is_spent:
            self.move = self.planner.next(number, trials)
            self.phase = self.move.phase.name
        return before, self.move

    @property
    def is_spent(self) -> bool:
        return self.n_elsewhere >= self.spec.n_trials

    def is_over(self, n_begun: Fraction) -> bool:
        """With so many whole runs begun, and a planner's move made."""
        if self.planner is None:
            return n_begun >= self.spec.n_trials
        return self.is_spent or (self.move is not None and self.move.over)

    def has_no_opening(self, known: set[str]) -> bool:
        return self.spec.policy == OPENINGS and self.opening(known) is None

    def suggestion(self, known: set[str], n_finished: Callable[[], int]) -> Suggestion:
        """The planner's move; else the openings, those of techniques younger than the study too, and the sampler."""
        if self.move is not None and self.move.suggest is not None:
            return self.move.suggest()
        if opening := self.opening(known):
            rule = "the fighter given comes first" if opening.proposer == "user" else "openings come first"
            return Suggestion(params=opening.params, proposer=opening.proposer, rule=rule, reason=opening.reason)
        reason = f"drawn by {self.spec.policy} from what {n_finished()} finished trials say"
        return Suggestion(params=None, proposer=self.spec.policy, rule="after the openings, the sampler", reason=reason)

    def opening(self, known: set[str]) -> Opening | None:
        """The next one that no trial of the study has been."""
        return next((opening for name, opening in self.openings if name not in known), None)

    def settled(self, said: Suggestion, config: RunConfig, trials: Trials) -> Suggestion:
        """What was said of a config, once it is known: one that the search came to again gets another seed."""
        if said.proposer not in SEARCH.proposers or self.researcher is None:
            return said
        return drawn_again(said, self.researcher.evidence(trials, config.budget), config, self.spec.seed)

    def idle(self, proposal: Proposal, trials: Trials) -> list[str]:
        """Why a config that the search came to again is not worth a seed; empty for any other."""
        if self.researcher is None or proposal.proposer not in SEARCH.proposers or proposal.seed is None:
            return []
        return not_worth_a_seed(self.researcher.evidence(trials, proposal.config.budget), proposal.config)
