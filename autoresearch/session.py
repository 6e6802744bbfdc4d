"""A study from the command to its end: corpus, ledger, workers, loop, and leaving it so that it can be resumed."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

from autoresearch.executor import LocalExecutor, limits_for
from autoresearch.listing import best_of
from autoresearch.loop import Search
from autoresearch.progress import Teller
from autoresearch.requests import check_request
from bench.cards import card, cards
from bench.catalog import technique_of
from bench.data.corpus import Corpus
from bench.errors import DataError
from bench.tracks import NUMERICS_VERSION, Track
from studies.definitions import StudySpec
from studies.ownership import this_process
from studies.store import RunKey, Store

# Two idle cores: two runs at a time, one thread each, took 314 ms a step (`make demo`); one run on both took 189 ms.
THREADS_PER_RUN = 1


def default_jobs() -> int:
    """As many runs at a time as this process may use cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // THREADS_PER_RUN)


def run_study(
    spec: StudySpec, store: Store, corpus: Corpus, jobs: int, console: Console, timeout_seconds: float | None = None
) -> str:
    """Run a study until it ends; returns why. Raises KeyboardInterrupt once everything is written down."""
    check_request(spec)
    if corpus.digest != spec.corpus_digest:
        raise DataError(
            f"study {spec.name} was begun on {spec.corpus_name} {spec.corpus_digest[:8]}, this is {corpus.digest[:8]}",
            "give the same text with --data, or begin another study with --study",
        )
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    known = {study.name for study in store.read.studies()}
    best = None
    n_done = 0
    if spec.name in known:
        n_done = store.read.study(spec.name).n_done
        leader = best_of(store.read, store.read.study(spec.name))
        best = leader.val_loss if leader else None
    own = [card(technique_of("mixer", spec.start.pick("mixer")))] if spec.start and spec.start.brings_code else []
    store.begin(spec, [*cards(), *own], this_process())
    why = "the coordinator failed"
    try:
        teller = Teller(spec, n_done, best, console)
        executor = LocalExecutor(corpus, jobs, THREADS_PER_RUN, limits_for(spec.budget.steps))
        try:
            with interruptible(), teller.telling():
                key = run_key(spec.track, spec.seed, corpus, executor)
                search = Search(spec, store, executor, key, executor.versions, teller.watcher, deadline)
                why = search.run()
        finally:
            executor.close()
    except KeyboardInterrupt:
        why = "interrupted"
        raise
    finally:
        store.release(spec.name, why)
    return why


def run_key(track: Track, seed: int, corpus: Corpus, executor: LocalExecutor) -> RunKey:
    return RunKey(
        seed=seed,
        track_version=track.version,
        corpus_name=corpus.name,
        corpus_digest=corpus.digest,
        evaluator_version=track.evaluator_version,
        numerics_version=NUMERICS_VERSION,
        device_class=executor.device_class,
        threads=executor.threads,
    )


@contextmanager
def interruptible() -> Iterator[None]:
    """A polite kill ends a study the way Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
