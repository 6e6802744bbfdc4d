"""Which packed models a study keeps; a replay makes any other again, bit for bit."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from bench.records import RunResult
from studies.asked import Proposal
from studies.belts import GRADE
from studies.definitions import StudySpec
from studies.store import Store
from studies.views import TrialView


def keep(
    spec: StudySpec, store: Store, trials: Iterable[TrialView], proposal: Proposal, packed: Path, result: RunResult
) -> str | None:
    """Keep the model of a run that ended if it is the study's best, in place of the last best; returns its name."""
    if spec.policy == GRADE:
        # an audit scores these very models, and a fighter has a few of them
        return _moved(store, packed, result)
    if proposal.seed is not None or proposal.config.budget.short:
        # the luckiest seed of a replicated config is not its score, and a short run's is none
        return None
    rivals = [t for t in trials if t.ranks]
    if any((t.val_loss or 0.0) <= result.val_loss for t in rivals):
        return None
    for rival in rivals:
        assert rival.run is not None, "it has a score"
        if store.read.artifact(rival.run.id):
            store.drop_artifact(rival.run.id)
    return _moved(store, packed, result)


def _moved(store: Store, packed: Path, result: RunResult) -> str:
    name = f"{result.artifact_sha256[:16]}.arena"
    shutil.move(packed, store.artifacts / name)
    return name
