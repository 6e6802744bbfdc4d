"""The packed model of a scored trial: the file that was kept, else one trained again that must come out the same."""

import hashlib
import time
from collections.abc import Callable

from autoresearch.replaying import Again, corpus_of, run_again
from autoresearch.submission.facts import Facts, Score
from autoresearch.worker import versions
from bench.errors import ArtifactError
from bench.records import Failure, Point, RunResult
from bench.tracks import NUMERICS_VERSION
from studies.reading import Reader
from studies.views import TrialView

SAY_SECONDS = 5.0


def packed_model(
    reader: Reader, stated: Facts, trial: TrialView, data: str | None, say: Callable[[str], None]
) -> bytes:
    """The packed model: the kept file when it is sound, else trained again; ArtifactError when that comes out other."""
    run, score = trial.run, stated.score
    assert run is not None and score is not None, "only a scored trial has a model"  # noqa: PT018 - one claim
    kept = reader.artifact(run.id)
    if kept is not None and kept.file is not None:
        packed = _kept(reader, kept.file)
        if packed is not None and hashlib.sha256(packed).hexdigest() == score.artifact_sha256:
            return packed
        say("the kept model is missing or damaged")
    corpus = corpus_of(reader, run, data)
    say(f"training it again for its model: {trial.config.budget.steps} steps on {corpus.name}")
    again = run_again(run, trial.config, corpus, _teller(trial.config.budget.steps, say), reader.pace(run.id))
    if again.artifact is not None and hashlib.sha256(again.artifact).hexdigest() == score.artifact_sha256:
        return again.artifact
    raise _other(stated, score, again)


def _kept(reader: Reader, name: str) -> bytes | None:
    try:
        return (reader.artifacts / name).read_bytes()
    except OSError:
        return None


def _teller(steps: int, say: Callable[[str], None]) -> Callable[[Point], None]:
    """Says every few seconds how far a run is."""
    said = time.monotonic()

    def watch(point: Point) -> None:
        nonlocal said
        if time.monotonic() - said > SAY_SECONDS:
            said = time.monotonic()
            say(f"step {point.step}/{steps} train_loss {point.train_loss:.4f}")

    return watch


def _other(stated: Facts, score: Score, again: Again) -> ArtifactError:
    """What was recorded against what came out, in one sentence."""
    recorded = f"val_loss {score.val_loss!r}, {score.weights_bytes:,} bytes, SHA-256 {score.artifact_sha256[:12]}"
    match again.outcome:
        case Failure(reason=reason, message=message):
            now = f"{reason.value}: {message}"
        case RunResult(val_loss=val_loss, weights_bytes=weights_bytes, artifact_sha256=sha256):
            now = f"val_loss {val_loss!r}, {weights_bytes:,} bytes, SHA-256 {sha256[:12]}"
    before, here = stated.machine, versions()
    changed = [
        f"{name} {before.versions.get(name)} then, {here[name]} now"
        for name in here
        if before.versions.get(name) != here[name]
    ]
    if again.device_class != before.device_class:
        changed.insert(0, f"{before.device_class} then, {again.device_class} now")
    if stated.identity.numerics_version != NUMERICS_VERSION:
        changed.insert(0, f"numerics version {stated.identity.numerics_version} then, {NUMERICS_VERSION} now")
    return ArtifactError(
        f"the model of run {stated.origin.run} can't be made again: recorded {recorded}; now {now}",
        f"what differs: {'; '.join(changed)}; export where it ran"
        if changed
        else "nothing of the machine differs; `autoresearch doctor` says more",
    )
