"""Runs on warm worker processes, with limits enforced from outside: time, memory, output."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Protocol

import psutil

from bench.config import Budget, RunConfig, fingerprint, to_json
from bench.data.corpus import Corpus, write_cached
from bench.data.tokens import TokenCorpus
from bench.errors import ConfigError
from bench.records import Cost, Failure, Outcome, Pace, Point, Reason, RunResult, Sizes

TERM_SECONDS = 10.0
LOG_TAIL_BYTES = 4_000
# A worker is replaced after this many runs: what a library leaks stays small.
RUNS_PER_WORKER = 25


@dataclass(frozen=True)
class Limits:
    """What one run may use before it is ended."""

    seconds: float
    memory_bytes: int = 8_000_000_000
    log_bytes: int = 50_000_000


def limits_for(budget: Budget) -> Limits:
    """Generous: about ten times what the slowest machine measured needs for the baseline.

    A budget in seconds ends by itself: an hour beside it is for compiling, packing and evaluation, and the memory for
    what a GPU's driver and shards take.
    """
    if budget.seconds is None:
        return Limits(seconds=300 + 6.0 * budget.steps)
    return Limits(seconds=3600 + 2 * budget.seconds, memory_bytes=64_000_000_000)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run to do. `artifact` is where the packed model goes; `pace` that of a run under a clock, to repeat it."""

    run_id: int
    config: RunConfig
    seed: int
    artifact: Path
    pace: tuple[Pace, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Examination:
    """A config to look at and not to run: its code is the user's, and may do anything."""

    config: RunConfig
    run_id: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """A point of a run under way."""

    run_id: int
    point: Point


@dataclass(frozen=True)
class Ended:
    """A run that is over, one way or the other; or an examination that found something."""

    run_id: int
    outcome: Outcome


@dataclass(frozen=True)
class Sound:
    """An examination found nothing wrong."""


Said = Progress | Ended | Sound


class Executor(Protocol):
    """Where runs happen: this machine's worker processes, or whatever else keeps to these few calls.

    Each returns at once but `poll`, which waits no longer than it is told. Everything an executor knows is lost with
    it: the ledger says what ran, so it needs no memory of its own.
    """

    device_class: str  # of the machines it runs on: one kind, since bits depend on it
    versions: dict[str, str]  # of the libraries there
    threads: int  # of each run

    @property
    def free_slots(self) -> int: ...

    def submit(self, job: Job) -> None:
        """Begin a run; only with a free slot."""

    def poll(self, seconds: float) -> list[Said]:
        """What has happened since the last call, outcomes included: each run ends once, its packed model in place."""

    def cancel(self, run_id: int) -> None:
        """End a run; its slot is free then, and nothing more is heard of it. Not an error for one that has ended."""

    def close(self) -> None:
        """End everything."""


@dataclass
class _Worker:
    process: "subprocess.Popen[str]"
    log: Path
    job: Job | Examination | None = None
    started: float = 0.0
    step: int = 0
    seconds: float = 0.0
    n_runs: int = 0
    ended_as: Reason | None = None  # why we are ending it
    kill_at: float | None = None
    gone: bool = False  # its output has ended
    told: dict[str, Any] = field(default_factory=dict)  # what it said when it was ready


class LocalExecutor:
    """Worker processes of this machine, each running one job at a time on its share of the cores, or on the GPUs.

    Raises ConfigError when there are fewer GPUs than `devices`.
    """

    def __init__(self, corpus: Corpus | TokenCorpus, jobs: int, threads: int, limits: Limits, devices: int = 0) -> None:
        check_devices(devices)
        # the GPUs are one slot: runs that share them would take time from each other's clock
        self.jobs, self.threads, self.limits, self.devices = 1 if devices else jobs, threads, limits, devices
        self.corpus = corpus
        self._scratch = tempfile.TemporaryDirectory(prefix="arena-")
        self._folder = Path(self._scratch.name)
        # shards are on disk already, and may be many gigabytes
        self._corpus_folder = corpus.folder if isinstance(corpus, TokenCorpus) else self._folder / "corpus"
        if isinstance(corpus, Corpus):
            write_cached(corpus, self._corpus_folder)
        self._lines: SimpleQueue[tuple[_Worker, str | None]] = SimpleQueue()
        self._workers: list[_Worker] = []
        self._n_started = 0
        first = self._spawn()
        self.device_class, self.versions = self._introduce(first)

    @property
    def free_slots(self) -> int:
        return self.jobs - sum(1 for worker in self._workers if worker.job)

    def submit(self, job: Job | Examination) -> None:
        """Hand a run to a worker that has none; starts one when needed."""
        assert self.free_slots > 0, "every slot has a run"
        worker = next((w for w in self._workers if w.job is None and not w.gone), None) or self._spawn()
        worker.job, worker.started, worker.step, worker.seconds = job, time.monotonic(), 0, 0.0
        worker.n_runs += 1
        line = job_to_json(job, self.corpus, self._corpus_folder)
        assert worker.process.stdin is not None, "a worker is started with a pipe"
        try:
            worker.process.stdin.write(json.dumps(line) + "\n")
            worker.process.stdin.flush()
        except BrokenPipeError:
            pass  # it died just now; `poll` will find it gone, with the job it never read

    def poll(self, seconds: float) -> list[Said]:
        """What has happened since, waiting at most so long for something to."""
        happened: list[Said] = []
        deadline = time.monotonic() + seconds
        while True:
            try:
                wait = 0.0 if happened else max(0.0, min(0.2, deadline - time.monotonic()))
                worker, line = self._lines.get(timeout=wait) if wait else self._lines.get_nowait()
            except Empty:
                happened += self._enforce()
                if happened or time.monotonic() >= deadline:
                    return happened
                continue
            if line is None:
                worker.gone = True
                happened += self._bury(worker)
            else:
                happened += self._heard(worker, json.loads(line))

    def cancel(self, run_id: int) -> None:
        """With its worker: a run under way has no other end."""
        for worker in [w for w in self._workers if w.job and w.job.run_id == run_id]:
            worker.job = None
            self._retire(worker)

    def close(self) -> None:
        """End every worker and what it was doing."""
        for worker in self._workers:
            _signal(worker, signal.SIGKILL)
        for worker in self._workers:
            worker.process.wait()
        self._workers.clear()
        self._scratch.cleanup()

    def _spawn(self) -> _Worker:
        self._n_started += 1
        log = self._folder / f"worker-{self._n_started}.log"
        environment = os.environ | {
            "OMP_NUM_THREADS": str(self.threads),
            "MKL_NUM_THREADS": str(self.threads),
            "PYTHONUNBUFFERED": "1",
        }
        with log.open("wb") as sink:
            # a session of its own: the terminal's Ctrl-C is ours to pass on, and its whole group can be ended
            process = subprocess.Popen(
                [sys.executable, "-m", "autoresearch.worker", str(self.threads), str(self.devices)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                start_new_session=True,
                text=True,
                env=environment,
            )
        worker = _Worker(process, log)
        self._workers.append(worker)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        return worker

    def _listen(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None, "a worker is started with a pipe"
        for line in worker.process.stdout:
            self._lines.put((worker, line))
        self._lines.put((worker, None))

    def _introduce(self, worker: _Worker) -> tuple[str, dict[str, str]]:
        """What kind of machine a worker found itself on."""
        while not worker.told:
            speaker, line = self._lines.get(timeout=120)
            if line is None:
                raise RuntimeError(f"the worker process did not start:\n{_tail(speaker.log)}")
            self._heard(speaker, json.loads(line))
        return worker.told["device_class"], worker.told["versions"]

    def _heard(self, worker: _Worker, said: dict[str, Any]) -> list[Said]:
        if "ready" in said:
            worker.told = said
            return []
        job = worker.job
        if job is None:
            return []  # the last words of a run already ended from outside
        if "point" in said:
            point = Point(**said["point"])
            worker.step, worker.seconds = point.step, point.seconds
            return [Progress(job.run_id, point)]
        worker.job = None
        if "sound" in said:
            return [Sound()]
        outcome = outcome_from_json(said["done"])
        if worker.n_runs >= RUNS_PER_WORKER:
            self._retire(worker)
        return [Ended(job.run_id, outcome)]

    def _retire(self, worker: _Worker) -> None:
        _signal(worker, signal.SIGKILL)
        worker.process.wait()
        if worker in self._workers:
            self._workers.remove(worker)

    def _enforce(self) -> list[Said]:
        """End the runs that are over a limit, politely first."""
        now = time.monotonic()
        for worker in self._workers:
            if worker.job is None:
                continue
            if worker.kill_at is not None:
                if now >= worker.kill_at:
                    _signal(worker, signal.SIGKILL)
            elif (reason := self._over(worker, now)) is not None:
                worker.ended_as, worker.kill_at = reason, now + TERM_SECONDS
                _signal(worker, signal.SIGTERM)
        return []

    def _over(self, worker: _Worker, now: float) -> Reason | None:
        if now - worker.started > self.limits.seconds:
            return Reason.OUT_OF_TIME
        if worker.log.stat().st_size > self.limits.log_bytes:
            return Reason.CRASHED
        try:
            used = psutil.Process(worker.process.pid).memory_info().rss
        except psutil.NoSuchProcess:
            return None
        return Reason.OUT_OF_MEMORY if used > self.limits.memory_bytes else None

    def _bury(self, worker: _Worker) -> list[Said]:
        """A worker whose output has ended: its run, if it had one, has failed."""
        # its output may have ended while a thread of it hangs
        _signal(worker, signal.SIGKILL)
        code = worker.process.wait()
        if worker in self._workers:
            self._workers.remove(worker)
        if worker.job is None:
            return []
        job, worker.job = worker.job, None
        reason, message = self._cause(worker, code)
        failure = Failure(
            fingerprint=fingerprint(job.config),
            seed=job.seed,
            reason=reason,
            step=worker.step,
            message=message,
            log_tail=_tail(worker.log),
            train_seconds=worker.seconds,
        )
        return [Ended(job.run_id, failure)]

    def _cause(self, worker: _Worker, code: int) -> tuple[Reason, str]:
        match worker.ended_as:
            case Reason.OUT_OF_TIME:
                return Reason.OUT_OF_TIME, f"ended after {self.limits.seconds:.0f} s, the limit for this budget"
            case Reason.OUT_OF_MEMORY:
                return Reason.OUT_OF_MEMORY, f"ended above {self.limits.memory_bytes:,} bytes of memory"
            case Reason.CRASHED:
                return Reason.CRASHED, f"ended after writing {self.limits.log_bytes:,} bytes to its log"
        if code < 0:
            return Reason.KILLED, f"the worker process was killed by {signal.Signals(-code).name}"
        return Reason.CRASHED, f"the worker process ended by itself with exit code {code}"


def check_devices(wanted: int) -> None:
    """Raises ConfigError when this machine has fewer CUDA devices."""
    if not wanted:
        return
    import torch

    if (found := torch.cuda.device_count()) < wanted:
        raise ConfigError(
            f"this track needs {wanted} CUDA device{'s' if wanted > 1 else ''}; this machine has {found or 'none'}",
            "use --budget cpu, which plays golf in miniature",
        )


def job_to_json(job: Job | Examination, corpus: Corpus | TokenCorpus, folder: Path) -> dict[str, Any]:
    """A job as a worker takes it; the corpus lies in a folder as `write_cached` leaves it, or as shards."""
    line = {"config": to_json(job.config), "seed": job.seed}
    if isinstance(job, Examination):
        return line
    of_corpus = {"corpus_folder": str(folder), "corpus_name": corpus.name, "corpus_digest": corpus.digest}
    return line | of_corpus | {"artifact": str(job.artifact)} | ({"pace": job.pace} if job.pace else {})


def outcome_from_json(plain: dict[str, Any]) -> Outcome:
    if "failure" in plain:
        failure = plain["failure"]
        return Failure(**failure | {"reason": Reason(failure["reason"])})
    result = plain["result"]
    pace = tuple(Pace(*step) for step in result["pace"])
    sizes = None if result["sizes"] is None else Sizes.from_json(result["sizes"])
    return RunResult(**result | {"cost": Cost(**result["cost"]), "pace": pace, "sizes": sizes})


def _signal(worker: _Worker, number: signal.Signals) -> None:
    """To the worker's whole process group, if any of it is left."""
    try:
        os.killpg(worker.process.pid, number)
    except ProcessLookupError:
        return


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
        return file.read().decode("utf-8", "replace")
