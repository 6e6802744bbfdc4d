"""The commands as processes: killed, stopped, interrupted, run over a limit; nothing lost, nothing twice, no orphan."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from autoresearch.executor import Ended, Job, Limits, LocalExecutor
from bench.config import Budget
from bench.data.choose import load_corpus
from bench.divisions import baseline
from bench.records import Failure, Reason, RunResult
from studies.reading import Reader

# a trial of two or three seconds, with one point of its curve on the way
STEPS = 20


def autoresearch(*arguments: str, store: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "autoresearch.cli", *arguments, "--store", str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def begin(store: Path, text: Path, trials: int = 2, jobs: int = 1) -> "subprocess.Popen[str]":
    return autoresearch(
        "--division", "optimizer", "--trials", str(trials), "--steps", str(STEPS), "--study", "lab",
        "--data", str(text), "--jobs", str(jobs), store=store,
    )  # fmt: skip


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


def running_step(store: Path) -> int:
    """Steps of the trial under way, 0 when none is."""
    if not store.exists():
        return 0
    try:
        reader = Reader(store)
        found = [t.run.step for t in reader.trials("lab") if t.run and t.state.value == "running"]
    except Exception:
        return 0
    reader.close()
    return max(found, default=0)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, tiny_text: Path) -> Path:
    """A study nobody touched."""
    store = tmp_path_factory.mktemp("unbroken") / "arena.db"
    process = begin(store, tiny_text)
    out, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert "lion" in out
    return store


@pytest.mark.parametrize("victim", ["coordinator", "worker"])
def test_a_kill_at_any_moment_loses_nothing_and_leaves_no_orphan(victim, unbroken, tmp_path, tiny_text):
    store = tmp_path / "arena.db"
    process = begin(store, tiny_text)
    until(lambda: running_step(store) >= 10, "a run under way")
    workers = workers_of(process.pid)
    assert workers
    if victim == "coordinator":
        process.kill()
        process.wait()
        until(lambda: not any(w.is_running() and w.status() != "zombie" for w in workers), "the orphan to leave", 10)
        resumed = autoresearch("resume", "lab", "--jobs", "1", store=store)
        _, said = resumed.communicate(timeout=200)
        assert resumed.returncode == 0, said
        assert trials(store) == trials(unbroken)
    else:
        workers[0].kill()
        _, said = process.communicate(timeout=200)
        assert process.returncode == 0, said
        # the trial is run once more, and the attempt that was killed stays a row of its own
        assert trials(store) == trials(unbroken)
        reader = Reader(store)
        (again,) = [t for t in reader.trials("lab") if "run once more" in t.message]
        assert again.run is not None
        lost, _ = reader.run(again.run.id - 1)
        assert (lost.reason, lost.message) == (Reason.KILLED, "the worker process was killed by SIGKILL")
        reader.close()


@pytest.mark.slow
def test_an_interrupt_exits_130_and_the_study_goes_on_where_it_was(unbroken, tmp_path, tiny_text):
    store = tmp_path / "arena.db"
    process = begin(store, tiny_text)
    until(lambda: running_step(store) >= 10, "a run under way")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "go on with `autoresearch resume lab`" in said
    assert trials(store)[-1][1] == "interrupted"
    resumed = autoresearch("resume", "lab", "--jobs", "1", store=store)
    resumed.communicate(timeout=200)
    assert resumed.returncode == 0
    assert trials(store) == trials(unbroken)


def test_stop_ends_a_study_from_another_terminal(tmp_path, tiny_text):
    store = tmp_path / "arena.db"
    process = begin(store, tiny_text, trials=50)
    until(lambda: running_step(store) >= 10, "a run under way")
    second = begin(store, tiny_text, trials=50)
    _, refusal = second.communicate(timeout=60)
    assert second.returncode == 2
    assert f"error: study lab is being run by process {process.pid}" in refusal
    stopped = autoresearch("stop", "lab", store=store)
    _, said = stopped.communicate(timeout=90)
    _, meanwhile = process.communicate(timeout=60)
    assert stopped.returncode == 0, f"{said}\n{meanwhile}"
    assert "has stopped" in said
    assert process.returncode == 0


def test_a_recorded_run_replays_to_the_bit_in_a_fresh_process(unbroken):
    reader = Reader(unbroken)
    run = reader.trials("lab")[1].run
    reader.close()
    assert run is not None
    process = autoresearch("replay", str(run.id), store=unbroken)
    out, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "the same, to the bit" in out


def test_show_prints_the_study_as_json(unbroken):
    out, _ = autoresearch("show", "lab", "--json", store=unbroken).communicate(timeout=60)
    shown = json.loads(out)
    assert [t["number"] for t in shown["trials"]] == [0, 1]
    assert shown["trials"][0]["recipe"] == "baseline"


@pytest.mark.parametrize(
    ("limits", "reason", "words"),
    [
        (Limits(seconds=3.0), Reason.OUT_OF_TIME, "ended after 3 s"),
        (Limits(seconds=60.0, memory_bytes=10_000_000), Reason.OUT_OF_MEMORY, "10,000,000 bytes of memory"),
    ],
    ids=["time", "memory"],
)
def test_a_run_over_a_limit_is_ended_from_outside(limits, reason, words, tmp_path, tiny_text):
    executor = LocalExecutor(load_corpus(str(tiny_text)), 1, 1, limits)
    try:
        config = baseline(Budget(steps=100_000))
        executor.submit(Job(run_id=1, config=config, seed=1001, artifact=tmp_path / "model"))
        (ended,) = _ends(executor)
        assert isinstance(ended.outcome, Failure)
        assert ended.outcome.reason is reason
        assert words in ended.outcome.message
        # the slot serves again, with a new worker
        executor.limits = Limits(seconds=60.0)
        executor.submit(Job(run_id=2, config=baseline(Budget(steps=2)), seed=1001, artifact=tmp_path / "model"))
        (after,) = _ends(executor)
        assert isinstance(after.outcome, RunResult)
    finally:
        executor.close()


def test_a_worker_that_ignores_a_polite_end_is_killed(tmp_path, tiny_text, monkeypatch):
    monkeypatch.setattr("autoresearch.executor.TERM_SECONDS", 0.5)
    executor = LocalExecutor(load_corpus(str(tiny_text)), 1, 1, Limits(seconds=1.0))
    try:
        config = baseline(Budget(steps=100_000))
        executor.submit(Job(run_id=1, config=config, seed=1001, artifact=tmp_path / "model"))
        # a stopped process can't act on SIGTERM, however much it would like to
        os.kill(executor._workers[0].process.pid, signal.SIGSTOP)
        (ended,) = _ends(executor)
        assert isinstance(ended.outcome, Failure)
        assert ended.outcome.reason is Reason.OUT_OF_TIME
    finally:
        executor.close()


def _ends(executor: LocalExecutor) -> list[Ended]:
    for _ in range(100):
        if ended := [said for said in executor.poll(1.0) if isinstance(said, Ended)]:
            return ended
    raise AssertionError("the run did not end")
