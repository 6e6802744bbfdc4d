"""Failures that end a study, and the one repeat of a run that something killed."""

from dataclasses import dataclass, field, replace

import pytest
from instant import Instant, study
from ledger_rows import KEY, SPEC, failure, proposal, result

from autoresearch.executor import Ended, Progress
from autoresearch.failing import FAILURES, crash, gave_up_at, why_give_up
from bench.config import fingerprint
from bench.records import Failure, Reason, State
from studies.ownership import this_process
from studies.store import Store

RANDOM = replace(SPEC, policy="random", n_trials=40, settings=("optimizer=adamw", "optimizer_modifiers=none"))


@dataclass
class Failing(Instant):
    """Runs end as a list says, one after the other, and with a score once it is used up."""

    ends: list[Reason | None] = field(default_factory=list)
    say: str = "RuntimeError: the disk is gone"

    def poll(self, seconds: float) -> list[Progress | Ended]:
        job, reason = self.jobs[0], self.ends.pop(0) if self.ends else None
        if reason is None:
            return super().poll(seconds)
        self.jobs.pop(0)
        # a message of its own, so that only a shared last line makes two alike
        lost = Failure(
            fingerprint=fingerprint(job.config), seed=job.seed, reason=reason, step=3, message=f"run {job.run_id}",
            log_tail=f"Traceback\n{self.say.format(job.run_id)}\n\n",
        )  # fmt: skip
        return [Ended(job.run_id, lost)]


@pytest.fixture
def ledger(tmp_path):
    opened = Store(tmp_path / "arena.db")
    yield opened
    opened.close()


def ends(store):
    return [t.run.reason if t.run and t.run.reason else t.state for t in store.read.trials("lab")]


def test_three_identical_crashes_in_a_row_end_a_study_with_their_last_line(ledger):
    why = study(ledger, RANDOM, Failing(ends=[None, *3 * [Reason.CRASHED]]))
    assert why == "gave up: 3 trials in a row ended alike, crashed: RuntimeError: the disk is gone"
    assert ledger.read.study("lab").ended_reason == why
    assert len(ends(ledger)) == 4


@pytest.mark.parametrize(
    "executor",
    [
        Failing(ends=[Reason.CRASHED, Reason.CRASHED, None, Reason.CRASHED]),
        Failing(ends=[Reason.CRASHED, Reason.OUT_OF_TIME, Reason.CRASHED]),
        Failing(ends=3 * [Reason.CRASHED], say="ValueError: {}"),
        Failing(ends=3 * [Reason.DIVERGED]),
        Failing(ends=[*4 * [Reason.TOO_LARGE], *5 * [Reason.TOO_SLOW]]),
    ],
    ids=["a score between", "another class", "another line", "diverged", "over a cap"],
)
def test_what_differs_or_tells_of_the_config_does_not_end_a_study(ledger, executor):
    assert study(ledger, replace(RANDOM, n_trials=12), executor) == "all trials are done"


def test_five_failures_end_a_study_once_they_are_more_than_half(ledger):
    turns = [None, None, None, None, *4 * [Reason.DIVERGED], Reason.DIVERGED, None]
    why = study(ledger, RANDOM, Failing(ends=turns))
    # five of nine: at four of eight there were not enough
    assert why == "gave up: 5 of 9 trials failed (diverged 5)"


def test_half_is_not_more_than_half(ledger):
    turns = [None, Reason.DIVERGED] * 6
    assert study(ledger, replace(RANDOM, n_trials=12), Failing(ends=turns)) == "all trials are done"


def test_a_resume_after_giving_up_counts_anew(ledger):
    crashes = 3 * [Reason.CRASHED]
    study(ledger, RANDOM, Failing(ends=[*crashes]))
    assert study(ledger, RANDOM, Failing(ends=crashes[:2])) == "all trials are done"
    assert len(ends(ledger)) == RANDOM.n_trials


def test_a_kill_of_the_coordinator_does_not_reset_the_count(ledger):
    with pytest.raises(KeyboardInterrupt):
        study(ledger, RANDOM, Failing(ends=2 * [Reason.CRASHED], stop_after=0))
    assert study(ledger, RANDOM, Failing(ends=[Reason.CRASHED])).startswith("gave up: 3 trials in a row")


def test_runs_paid_for_elsewhere_are_nobodys_failures(ledger):
    study(ledger, RANDOM, Failing(ends=[None, *3 * [Reason.DIVERGED]]))
    assert study(ledger, replace(RANDOM, name="again"), Instant()) == "all trials are done"
    trials = ledger.read.trials("again")
    assert any(t.state is State.FAILED for t in trials)
    assert why_give_up([t for t in trials if t.state is State.FAILED] * FAILURES) is None


def test_a_killed_run_is_run_once_more_and_the_ledger_says_so(ledger):
    study(ledger, replace(RANDOM, n_trials=3), Failing(ends=[None, Reason.KILLED]))
    trials = ledger.read.trials("lab")
    assert [t.state for t in trials] == 3 * [State.COMPLETE]
    assert trials[1].message.endswith(": the trial is run once more")
    assert [(e.trial, e.kind) for e in ledger.read.events(study="lab") if e.kind == "retried"] == [(1, "retried")]
    # the attempt that was killed is a row of its own
    killed, _ = ledger.read.run(trials[1].run.id - 1)
    assert (killed.state, killed.reason) == (State.FAILED, Reason.KILLED)


def test_a_second_kill_is_a_failure(ledger):
    study(ledger, replace(RANDOM, n_trials=2), Failing(ends=[None, Reason.KILLED, Reason.KILLED]))
    assert ends(ledger) == [State.COMPLETE, Reason.KILLED]


def test_a_repeat_that_was_interrupted_is_still_the_only_one(ledger):
    with pytest.raises(KeyboardInterrupt):
        study(ledger, replace(RANDOM, n_trials=2), Failing(ends=[Reason.KILLED], stop_after=0))
    study(ledger, replace(RANDOM, n_trials=2), Failing(ends=[Reason.KILLED]))
    assert ends(ledger) == [Reason.KILLED, State.COMPLETE]


def test_a_study_with_a_killed_run_proposes_what_an_unharmed_one_does(ledger, tmp_path):
    whole = Store(tmp_path / "whole.db")
    spec = replace(SPEC, n_trials=12)
    study(whole, spec)
    study(ledger, spec, Failing(ends=[None, None, Reason.KILLED]))
    for store in (whole, ledger):
        assert [(t.fingerprint, t.val_loss) for t in store.read.trials("lab")] == [
            (t.fingerprint, t.val_loss) for t in whole.read.trials("lab")
        ]
    whole.close()


def test_a_crash_is_known_by_the_last_line_of_its_log_else_of_its_message(ledger):
    ledger.begin(SPEC, [], this_process())
    said = []
    for number, tail in enumerate(("a\nlast words \n", "")):
        asked = proposal(number, 1e-3 * (number + 1))
        ledger.propose("lab", asked)
        run_id, _ = ledger.start("lab", number, KEY, {})
        ledger.finish(run_id, replace(failure(asked, Reason.CRASHED), log_tail=tail))
        said.append(crash(ledger.read.trials("lab")[number]))
    assert said == [(Reason.CRASHED, "last words"), (Reason.CRASHED, "it ended")]


def test_only_an_end_for_failures_begins_a_new_count(ledger):
    for reason, counts in (("interrupted", False), ("gave up: 5 of 5 trials failed", True)):
        ledger.begin(SPEC, [], this_process())
        ledger.release("lab", reason)
        assert (gave_up_at(ledger.read.events(study="lab")) > 0) is counts


def test_a_score_is_no_crash(ledger):
    ledger.begin(SPEC, [], this_process())
    ledger.propose("lab", proposal(0))
    run_id, _ = ledger.start("lab", 0, KEY, {})
    ledger.finish(run_id, result(proposal(0)))
    assert crash(ledger.read.trials("lab")[0]) is None
