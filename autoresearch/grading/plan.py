"""What grading still has to run: one fighter, from scratch, on the track's published seeds in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from autoresearch.researcher.phases import Move, Phase, under_way
from autoresearch.researcher.proposals import Suggestion
from bench.config import RunConfig, fingerprint
from bench.records import State
from bench.tracks import PUBLISHED_SEEDS
from studies.definitions import StudySpec
from studies.views import TrialView

GRADING = Phase(name="grading", proposers=("grade",))


@dataclass(frozen=True)
class Grading:
    """The runs of one fighter; a run that ends without a score ends the grading, for the others decide nothing then."""

    spec: StudySpec

    def next(self, number: int, trials: Sequence[TrialView]) -> Move:
        config = self.spec.start
        assert config is not None, "a grading study begins with its fighter"
        runs = {trial.seed: trial for trial in trials if trial.fingerprint == fingerprint(config)}
        lost = any(trial.state in (State.FAILED, State.REFUSED, State.PRUNED) for trial in runs.values())
        for seed in PUBLISHED_SEEDS[: 0 if lost else self.spec.n_trials]:
            if seed not in runs:
                return Move(phase=GRADING, suggest=partial(self.on, config, seed))
        return Move(phase=GRADING, over=not under_way(trials))

    def on(self, config: RunConfig, seed: int) -> Suggestion:
        return Suggestion(
            params={},
            config=config,
            seed=seed,
            proposer=GRADING.proposers[0],
            rule="a fighter is graded on the track's published seeds, in their order",
            reason=f"{self.spec.start_file} on published seed {seed}",
        )
