"""A recorded run, run again: the way to make a packed model that was not kept, and the proof that it can be."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autoresearch.executor import Ended, Job, LocalExecutor, Progress, limits_for
from bench.config import RunConfig
from bench.data.choose import corpus_for
from bench.data.corpus import Corpus
from bench.data.tokens import TokenCorpus
from bench.errors import DataError
from bench.records import Failure, Outcome, Pace, Point
from bench.tracks import track_named
from studies.reading import Reader
from studies.views import RunView


@dataclass(frozen=True)
class Again:
    """What a repeat gave: the outcome, the packed model if there is one, and the machine it ran on."""

    outcome: Outcome
    artifact: bytes | None
    device_class: str


def run_again(
    run: RunView,
    config: RunConfig,
    corpus: Corpus | TokenCorpus,
    watch: Callable[[Point], None],
    pace: tuple[Pace, ...] = (),
) -> Again:
    """Run a config as it was run, on the same number of threads, in a worker under the usual limits.

    One that a clock ended goes by its recorded pace, step for step.
    """
    executor = LocalExecutor(corpus, 1, run.threads, limits_for(config.budget), track_named(config.track).devices)
    with tempfile.TemporaryDirectory(prefix="arena-replay-") as folder:
        artifact = Path(folder) / "model.arena"
        try:
            executor.submit(Job(run_id=run.id, config=config, seed=run.seed, artifact=artifact, pace=pace))
            while True:
                for said in executor.poll(1.0):
                    match said:
                        case Progress(point=point):
                            watch(point)
                        case Ended(outcome=outcome):
                            packed = artifact.read_bytes() if artifact.exists() else None
                            return Again(outcome, packed, executor.device_class)
        finally:
            executor.close()


def corpus_of(reader: Reader, run: RunView, data: str | None) -> Corpus | TokenCorpus:
    """The corpus a run was scored on; DataError when what is there has another digest."""
    where = data or next(
        (s.spec.data for s in reader.studies() if s.spec.corpus_digest == run.identity.corpus_digest), "auto"
    )
    corpus = corpus_for(track_named(run.identity.track), where)
    if corpus.digest != run.identity.corpus_digest:
        raise DataError(
            f"run {run.id} was on {run.corpus_name} {run.identity.corpus_digest[:8]}, {where} is {corpus.digest[:8]}",
            "give the same text with --data",
        )
    return corpus


def replay_run(path: Path, run_id: int, data: str | None, say: Callable[[str], None]) -> tuple[bool, str]:
    """Whether a run repeats to the bit, and what was found, as text; `say` hears how far it is."""
    reader = Reader(path)
    run, config = reader.run(run_id)
    kept, pace = reader.artifact(run_id), reader.pace(run_id)
    corpus = corpus_of(reader, run, data)
    reader.close()
    said = time.monotonic()

    def watch(point: Point) -> None:
        nonlocal said
        if time.monotonic() - said > 5:
            said = time.monotonic()
            say(f"step {point.step}/{config.budget.steps} train_loss {point.train_loss:.4f}")

    again = run_again(run, config, corpus, watch, pace)
    return compared(run, kept.sha256 if kept else None, again)


def compared(run: RunView, sha256: str | None, again: Again) -> tuple[bool, str]:
    """Whether a repeat is the recorded run, whose packed model had that checksum, and the comparison as text."""
    now = again.outcome
    if isinstance(now, Failure):
        said = f"recorded {run.reason or run.state.value} at step {run.step}; now {now.reason.value} at step {now.step}"
        return run.reason is now.reason and run.step == now.step, said
    lines = [
        f"recorded val_loss {run.val_loss!r}  artifact {sha256[:16] if sha256 else '-'}",
        f"now      val_loss {now.val_loss!r}  artifact {now.artifact_sha256[:16]}",
    ]
    if again.device_class != run.identity.device_class:
        lines.append(f"recorded on {run.identity.device_class}, this is {again.device_class}: bits may differ")
    same = run.val_loss == now.val_loss and sha256 == now.artifact_sha256
    if same:
        lines.append("the same, to the bit")
    elif run.val_loss == now.val_loss:
        # the file begins with the config, in which a version that knows more slots writes more
        lines.append("the same val_loss, to the bit, from a packed file that is not the recorded one")
    else:
        lines.append("not the same")
    return same, "\n".join(lines)
