"""What a study may know of earlier ones: their scores on the same text under the same conditions."""

from autoresearch.beliefs import Observation
from bench.records import Identity
from bench.tracks import PUBLISHED_SEEDS
from studies.asked import RunKey
from studies.definitions import StudySpec
from studies.reading import Reader


def observed_earlier(reader: Reader, spec: StudySpec, here: RunKey | Identity) -> list[Observation]:
    """Each run once, by the end of it; none for a study that is to be alone. Published seeds are for grading."""
    found: dict[int, Observation] = {}
    for trial in () if spec.alone else reader.earlier(spec.name):
        run = trial.run
        assert run is not None, "scored"
        assert run.val_loss is not None, "complete"
        same = run.identity.conditions == here.conditions and trial.config.track == spec.track_name
        if same and run.seed not in PUBLISHED_SEEDS:
            called = f"trial {trial.number} of {trial.study}"
            found.setdefault(run.id, Observation(called, trial.config, run.val_loss))
    return list(found.values())
