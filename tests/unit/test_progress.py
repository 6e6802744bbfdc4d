"""What a running study says of its pace, its best and what it need not run."""

import dataclasses
import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from autoresearch import progress
from autoresearch.progress import Teller
from bench.config import Budget
from bench.divisions import baseline
from bench.records import Cost, Failure, Point, Reason, RunResult
from studies.asked import Proposal
from studies.definitions import StudySpec

SPEC = StudySpec(
    name="lab", track_name="featherweight", division_name="open", n_trials=10, budget=Budget(steps=500),
    corpus_name="toystories", corpus_digest="0", data="toystories",
)  # fmt: skip
WHOLE = baseline(SPEC.budget)
SHORT = dataclasses.replace(WHOLE, budget=Budget(steps=250, short=True))
COST = Cost(
    parameters=1, train_flops=1, train_tokens=1, train_seconds=60.0, probe_seconds=0.0, eval_seconds=0.0, peak_bytes=1
)


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


@pytest.fixture
def seen():
    return io.StringIO()


@pytest.fixture
def teller(clock, seen):
    return Teller(SPEC, 0, None, Console(file=seen, force_terminal=False, width=300))


def begun(teller, number, config=WHOLE):
    teller.proposed(
        Proposal(number=number, config=config, proposer="tpe", rule="r", reason="why", params={}, seed=1001)
    )


def scored(val_loss):
    return RunResult(
        fingerprint="", seed=1001, val_loss=val_loss, quant_gap=0.0, weights_bytes=1, artifact_sha256="", steps=500,
        cost=COST,
    )  # fmt: skip


def test_the_time_left_follows_the_pace_of_what_was_run(teller, clock):
    begun(teller, 0)
    clock.seconds = 60.0
    teller.ended(0, WHOLE, scored(1.2))
    assert teller.summary() == "best 1.2000  9:00 left"
    begun(teller, 1, SHORT)
    clock.seconds = 90.0
    teller.ended(1, SHORT, scored(1.9))
    assert teller.summary() == "best 1.2000  8:30 left"


def test_runs_that_the_ledger_had_make_the_pace_no_quicker(teller, clock, seen):
    for number, val_loss in enumerate((1.3, 1.1, 1.2, None)):
        begun(teller, number)
        teller.known(number, WHOLE, val_loss)
    assert teller.summary() == "best 1.1000"
    begun(teller, 4)
    clock.seconds = 60.0
    teller.stepped(4, Point(step=250, seconds=60.0, train_loss=1.5))
    assert teller.summary() == "best 1.1000  11:00 left"
    assert "trial 1 val_loss 1.1000, the best so far: the ledger already had this run" in seen.getvalue()
    assert "trial 3 failed: the ledger already had this run" in seen.getvalue()


def test_a_short_run_and_a_failure_are_no_best(teller, seen):
    begun(teller, 0, SHORT)
    teller.ended(0, SHORT, scored(1.05))
    begun(teller, 1)
    teller.ended(1, WHOLE, Failure(fingerprint="", seed=1001, reason=Reason.DIVERGED, step=7, message="no number"))
    assert teller.best is None
    assert "trial 1 failed, diverged: no number" in seen.getvalue()


def test_what_comes_on_top_of_the_trials_has_no_time_left(teller, clock):
    for number in range(11):
        begun(teller, number)
        clock.seconds += 60.0
        teller.ended(number, WHOLE, scored(1.2))
    assert teller.summary() == "best 1.2000"
