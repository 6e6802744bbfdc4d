"""What any executor keeps to: worker processes and the plainest one there is, through the same questions."""

import time
from dataclasses import replace

import pytest
from in_process import InProcess
from ledger_rows import SPEC

from autoresearch.executor import Ended, Executor, Job, Limits, LocalExecutor, Progress
from autoresearch.loop import Search
from autoresearch.session import run_key
from bench.cards import cards
from bench.config import Budget
from bench.data.choose import load_corpus
from bench.divisions import baseline
from bench.records import RunResult
from bench.sizes import sizes_of
from studies.ownership import this_process
from studies.store import Store

STEPS = 2
CONFIG = baseline(Budget(steps=STEPS, batch=2))


@pytest.fixture(scope="module")
def corpus(tiny_text):
    return load_corpus(str(tiny_text))


@pytest.fixture(scope="module")
def executors(corpus, tmp_path_factory):
    made: dict[str, Executor] = {
        "worker processes": LocalExecutor(corpus, 1, 1, Limits(seconds=120)),
        "this process": InProcess(corpus, tmp_path_factory.mktemp("in-process")),
    }
    yield made
    for executor in made.values():
        executor.close()


@pytest.fixture(params=["worker processes", "this process"])
def executor(request, executors):
    return executors[request.param]


def said(executor, until=Ended):
    """All that is said up to the first of a kind."""
    heard = []
    deadline = time.monotonic() + 120
    while not any(isinstance(one, until) for one in heard):
        assert time.monotonic() < deadline, "it never ended"
        heard += executor.poll(0.5)
    return heard


def job(tmp_path, number=1, steps=STEPS):
    config = baseline(replace(CONFIG.budget, steps=steps))
    return Job(run_id=number, config=config, seed=1001, artifact=tmp_path / f"{number}.part")


def test_a_run_ends_once_with_its_packed_model_in_place(executor, tmp_path):
    executor.submit(job(tmp_path))
    assert executor.free_slots == 0
    heard = said(executor)
    (ended,) = [one for one in heard if isinstance(one, Ended)]
    assert isinstance(ended.outcome, RunResult)
    assert ended.outcome.steps == STEPS
    assert (tmp_path / "1.part").stat().st_size > 0
    assert ended.outcome.sizes == sizes_of((tmp_path / "1.part").read_bytes(), CONFIG)
    assert {one.run_id for one in heard} == {1}
    assert any(isinstance(one, Progress) for one in heard)
    assert executor.free_slots == 1


def test_nothing_is_heard_of_a_run_that_was_cancelled_and_its_slot_serves_the_next(executor, tmp_path):
    executor.submit(job(tmp_path, number=2, steps=100_000))
    executor.cancel(2)
    executor.cancel(2)
    assert executor.free_slots == 1
    executor.submit(job(tmp_path, number=3))
    assert {one.run_id for one in said(executor)} == {3}


def test_a_study_has_the_same_bits_wherever_it_ran(executors, corpus, tmp_path):
    spec = replace(
        SPEC, n_trials=1, budget=CONFIG.budget, corpus_name=corpus.name, corpus_digest=corpus.digest,
    )  # fmt: skip
    found = []
    for made in executors.values():
        store = Store(tmp_path / f"{type(made).__name__}.db")
        store.begin(spec, cards(), this_process())
        key = run_key(spec.track, spec.seed, corpus, made)
        assert Search(spec, store, made, key, made.versions).run() == "all trials are done"
        found.append([(t.fingerprint, t.val_loss, t.run and t.run.identity) for t in store.read.trials("lab")])
        assert store.read.sizes(1) is not None
        store.close()
    assert found[0] == found[1]
    assert all(val_loss is not None for _, val_loss, _ in found[0])
