"""The commands as processes: killed, stopped, interrupted, run over a limit; nothing lost, nothing twice, no orphan."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from commands import command
from in_process import InProcess
from ledger_rows import SPEC

from autoresearch.executor import Ended, Job, Limits, LocalExecutor
from autoresearch.loop import Search
from autoresearch.session import run_key
from autoresearch.submission.fighter import Fighter, to_toml
from bench.cards import cards
from bench.catalog import full_pick
from bench.config import Budget
from bench.data.choose import load_corpus
from bench.divisions import baseline
from bench.records import Failure, Reason, RunResult
from studies.ownership import this_process
from studies.reading import Reader
from studies.store import Store

# one to three seconds a trial: points of its curve come into the ledger every half second, and one must while it runs
SHORT = Budget(steps=150, batch=2, seq_len=16)
LION = baseline(SHORT).replaced("optimizer", [full_pick("optimizer", "lion", {})])


def autoresearch(*arguments: str, store: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "autoresearch.cli", *arguments, "--store", str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, tiny_text: Path) -> tuple[str, ...]:
    """What begins a study of Lion and, from the second trial on, what the optimizer division has against it."""
    file = tmp_path_factory.mktemp("fighter") / "lion.toml"
    file.write_text(to_toml(Fighter(name="lion", division="optimizer", seed=SPEC.seed, config=LION)))
    return ("--from", str(file), "--policy", SPEC.policy, "--study", "lab", "--data", str(tiny_text), "--jobs", "1")


def until(true: Callable[[], object], what: str, seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.05)


def workers_of(pid: int) -> list[psutil.Process]:
    return [p for p in psutil.Process(pid).children(recursive=True) if "autoresearch.worker" in " ".join(p.cmdline())]


def trials(store: Path) -> list[tuple[int, str, float | None]]:
    reader = Reader(store)
    found = [(t.number, t.state.value, t.val_loss) for t in reader.trials("lab")]
    reader.close()
    return found


def under_way(store: Path, step: int = 0) -> int | None:
    """The trial that is being run and has come to a step, as the ledger has it; None when there is none."""
    if not store.exists():
        return None
    try:
        reader = Reader(store)
        found = [t.number for t in reader.trials("lab") if t.run and t.run.step >= step and t.state.value == "running"]
    except Exception:
        return None
    reader.close()
    return max(found, default=None)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, tiny_text: Path) -> Path:
    """The study that the command begins, with nobody to disturb it: run in this process, by the same bits."""
    folder = tmp_path_factory.mktemp("unbroken")
    corpus = load_corpus(str(tiny_text))
    spec = replace(
        SPEC, n_trials=2, budget=SHORT, start=LION, start_file="lion.toml", corpus_name=corpus.name,
        corpus_digest=corpus.digest, data=str(tiny_text),
    )  # fmt: skip
    executor, store = InProcess(corpus, folder / "corpus"), Store(folder / "arena.db")
    store.begin(spec, cards(), this_process())
    key = run_key(spec.track, spec.seed, corpus, executor)
    why = Search(spec, store, executor, key, executor.versions).run()
    store.release(spec.name, why)
    store.close()
    assert why == "all trials are done"
    return folder / "arena.db"


def test_killed_workers_and_coordinators_lose_nothing_and_leave_no_orphan(unbroken, study, tmp_path):
    store = tmp_path / "arena.db"
    process = autoresearch(*study, "--trials", "2", store=store)
    until(lambda: under_way(store) == 0, "the first run")
    (worker,) = workers_of(process.pid)
    worker.kill()
    # once more: what killed it came from outside
    until(lambda: under_way(store, step=10) == 1, "the second trial's run, after the first one's repeat")
    workers = workers_of(process.pid)
    assert workers
    process.kill()
    process.wait()
    until(lambda: not any(w.is_running() and w.status() != "zombie" for w in workers), "the orphan to leave", 10)
    resumed = autoresearch("resume", "lab", "--jobs", "1", store=store)
    out, said = resumed.communicate(timeout=200)
    assert resumed.returncode == 0, said
    assert "lion" in out
    # the attempt that was killed stays a row of its own
    assert trials(store) == trials(unbroken)
    reader = Reader(store)
    (again,) = [t for t in reader.trials("lab") if "run once more" in t.message]
    assert (again.number, again.run is not None) == (0, True)
    lost, _ = reader.run(again.run.id - 1)
    assert (lost.reason, lost.message) == (Reason.KILLED, "the worker process was killed by SIGKILL")
    reader.close()


@pytest.mark.slow
def test_an_interrupt_exits_130_and_the_study_goes_on_where_it_was(unbroken, study, tmp_path):
    store = tmp_path / "arena.db"
    process = autoresearch(*study, "--trials", "2", store=store)
    until(lambda: under_way(store) is not None, "a run under way")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "go on with `autoresearch resume lab`" in said
    assert trials(store)[-1][1] == "interrupted"
    resumed = autoresearch("resume", "lab", "--jobs", "1", store=store)
    resumed.communicate(timeout=200)
    assert resumed.returncode == 0
    assert trials(store) == trials(unbroken)


def test_stop_ends_a_study_from_another_terminal(study, tmp_path):
    store = tmp_path / "arena.db"
    process = autoresearch(*study, "--trials", "50", store=store)
    until(lambda: under_way(store) is not None, "a run under way")
    # from here, which is another process than the study's
    second = command(*study, "--trials", "50", "--store", str(store), folder=tmp_path)
    assert second.returncode == 2
    assert f"error: study lab is being run by process {process.pid}" in second.stderr
    stopped = command("stop", "lab", "--store", str(store), folder=tmp_path)
    _, meanwhile = process.communicate(timeout=60)
    assert stopped.returncode == 0, f"{stopped.stderr}\n{meanwhile}"
    assert "has stopped" in stopped.stderr
    assert process.returncode == 0


def test_show_prints_the_study_as_json(unbroken, tmp_path):
    shown = json.loads(command("show", "lab", "--json", "--store", str(unbroken), folder=tmp_path).stdout)
    assert [t["number"] for t in shown["trials"]] == [0, 1]
    assert shown["trials"][1]["recipe"] == "baseline"


@pytest.fixture(scope="module")
def workers(tiny_text: Path) -> Iterator[LocalExecutor]:
    """One slot, whose worker each test ends in its own way; the next one gets another."""
    executor = LocalExecutor(load_corpus(str(tiny_text)), 1, 1, Limits(seconds=60.0))
    yield executor
    executor.close()


@pytest.mark.parametrize(
    ("limits", "reason", "words"),
    [
        (Limits(seconds=1.0), Reason.OUT_OF_TIME, "ended after 1 s"),
        (Limits(seconds=60.0, memory_bytes=10_000_000), Reason.OUT_OF_MEMORY, "10,000,000 bytes of memory"),
    ],
    ids=["time", "memory"],
)
def test_a_run_over_a_limit_is_ended_from_outside(limits, reason, words, workers, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "limits", limits)
    workers.submit(Job(run_id=1, config=baseline(Budget(steps=100_000)), seed=1001, artifact=tmp_path / "model"))
    (ended,) = _ends(workers)
    assert isinstance(ended.outcome, Failure)
    assert ended.outcome.reason is reason
    assert words in ended.outcome.message


def test_a_worker_whose_coordinator_is_gone_does_not_finish_its_run(workers, tmp_path):
    workers.submit(Job(run_id=3, config=baseline(Budget(steps=100_000)), seed=1001, artifact=tmp_path / "model"))
    (busy,) = [worker for worker in workers._workers if worker.job]
    # what it says is still read, so that no broken pipe ends it
    busy.process.stdin.close()
    (ended,) = _ends(workers)
    assert isinstance(ended.outcome, Failure)
    assert ended.outcome.message == "the worker process ended by itself with exit code 3"


def test_a_worker_that_ignores_a_polite_end_is_killed_and_its_slot_serves_again(workers, tmp_path, monkeypatch):
    monkeypatch.setattr("autoresearch.executor.TERM_SECONDS", 0.5)
    monkeypatch.setattr(workers, "limits", Limits(seconds=1.0))
    workers.submit(Job(run_id=4, config=baseline(Budget(steps=100_000)), seed=1001, artifact=tmp_path / "model"))
    # a stopped process can't act on SIGTERM, however much it would like to
    (busy,) = [worker for worker in workers._workers if worker.job]
    os.kill(busy.process.pid, signal.SIGSTOP)
    (ended,) = _ends(workers)
    assert isinstance(ended.outcome, Failure)
    assert ended.outcome.reason is Reason.OUT_OF_TIME
    # the slot serves again, with a new worker
    monkeypatch.undo()
    workers.submit(Job(run_id=5, config=baseline(Budget(steps=1, batch=1)), seed=1001, artifact=tmp_path / "model"))
    (after,) = _ends(workers)
    assert isinstance(after.outcome, RunResult)


def _ends(executor: LocalExecutor) -> list[Ended]:
    for _ in range(100):
        if ended := [said for said in executor.poll(1.0) if isinstance(said, Ended)]:
            return ended
    raise AssertionError("the run did not end")
