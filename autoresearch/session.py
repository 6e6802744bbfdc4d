"""A study from the command to its end: corpus, ledger, workers, loop, and leaving it so that it can be resumed."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from rich.console import Console

from autoresearch.choosing import n_planned
from autoresearch.executor import Executor, LocalExecutor, limits_for
from autoresearch.loop import Search
from autoresearch.progress import Teller
from autoresearch.reporting.live import LiveReport
from autoresearch.reporting.write import check_own
from autoresearch.requests import check_request
from autoresearch.researcher.phases import REPORT, Ending
from bench.cards import card, cards
from bench.catalog import technique_of
from bench.config import BROUGHT
from bench.data.corpus import Corpus
from bench.data.tokens import TokenCorpus
from bench.errors import DataError
from bench.tracks import NUMERICS_VERSION, Track
from studies.asked import RunKey
from studies.belts import GRADE
from studies.definitions import StudySpec
from studies.ownership import this_process
from studies.store import Store

if TYPE_CHECKING:
    from autoresearch.researcher.endpoint import Line

# Two idle cores: two runs at a time, one thread each, took 314 ms a step (`make demo`); one run on both took 189 ms.
THREADS_PER_RUN = 1


def default_jobs() -> int:
    """As many runs at a time as this process may use cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // THREADS_PER_RUN)


def run_study(
    spec: StudySpec,
    store: Store,
    corpus: Corpus | TokenCorpus,
    jobs: int,
    console: Console,
    timeout_seconds: float | None = None,
    report: Path | None = None,
    line: "Line | None" = None,
) -> str:
    """Run a study until it ends; returns why. Raises KeyboardInterrupt once everything is written down.

    With a folder for its report, that is written every ten minutes and at the end.
    """
    check_request(spec)
    if report:
        # before anything is spent
        check_own(report, "--report")
    if corpus.digest != spec.corpus_digest:
        raise DataError(
            f"study {spec.name} was begun on {spec.corpus_name} {spec.corpus_digest[:8]}, this is {corpus.digest[:8]}",
            "give the same text with --data, or begin another study with --study",
        )
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    store.begin(spec, cards_of(spec), this_process())
    why = "the coordinator failed"
    try:
        executor = LocalExecutor(corpus, jobs, THREADS_PER_RUN, limits_for(spec.budget), spec.track.devices)
        try:
            key = run_key(spec.track, spec.seed, corpus, executor)
            trials, n_done = store.read.trials(spec.name), store.read.study(spec.name).n_done
            whole = [t.run for t in trials if t.run and not t.is_short]
            known = [run for run in whole if run.identity.conditions == key.conditions]
            best = min((run.val_loss for run in known if run.val_loss is not None), default=None)
            teller = Teller(replace(spec, n_trials=n_planned(spec, n_done, trials)), n_done, best, console)
            live = LiveReport(store.path, spec.name, report, teller.line) if report else None
            watcher = replace(teller.watcher, beat=live.beat) if live else teller.watcher
            with interruptible(), teller.telling():
                search = Search(spec, store, executor, key, executor.versions, watcher, deadline, line)
                why = search.run()
        finally:
            executor.close()
        if live:
            store.phase(spec.name, REPORT.name, Ending.WRITTEN)
            live.write()
        elif search.choosing.move is not None and search.choosing.move.over:
            store.phase(spec.name, REPORT.name, Ending.ON_REQUEST)
    except KeyboardInterrupt:
        why = "interrupted"
        raise
    finally:
        store.release(spec.name, why)
    return why


def cards_of(spec: StudySpec) -> list[dict[str, Any]]:
    """Of every technique that its trials may be made of: a grading has its fighter's alone."""
    start = spec.start.picks.items() if spec.start else ()
    if spec.policy == GRADE:
        return [card(technique_of(slot, pick)) for slot, picks in start for pick in picks]
    return cards() + [card(technique_of(slot, pick)) for slot, picks in start for pick in picks if pick.name == BROUGHT]


def run_key(track: Track, seed: int, corpus: Corpus | TokenCorpus, executor: Executor) -> RunKey:
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
