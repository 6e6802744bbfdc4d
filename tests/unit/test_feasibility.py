"""What failed close by: who is near a failure, who avoids it, and that the search goes on where everything fails."""

from dataclasses import dataclass, replace

import pytest
from instant import Instant, study
from ledger_rows import KEY, SPEC, failure, proposal, result

from autoresearch.executor import Ended
from autoresearch.objections import size
from autoresearch.researcher import proposals
from autoresearch.researcher.feasibility import MARGIN, TRIES, feasibility
from autoresearch.researcher.proposals import told_aside
from bench.catalog import full_pick
from bench.config import fingerprint
from bench.divisions import BASE
from bench.records import Failure, Reason, State
from studies.ownership import this_process
from studies.store import Store

ADAMW = replace(SPEC, policy="researcher", n_trials=24, settings=("optimizer=adamw", "optimizer_modifiers=none"))


def at(lr=8e-3, **knobs):
    return BASE.replaced("optimizer", [full_pick("optimizer", "adamw", {"lr": lr, **knobs})])


def wide(mult):
    return BASE.replaced("ffn", [full_pick("ffn", "relu2", {"mult": mult})])


@pytest.fixture
def ledger(tmp_path):
    opened = Store(tmp_path / "arena.db")
    opened.begin(SPEC, [], this_process())
    yield opened
    opened.close()


@pytest.fixture
def memory(ledger):
    """Of trials given as (config, reason or None for a score)."""

    def remember(*ended):
        for number, (config, reason) in enumerate(ended):
            asked = replace(proposal(number), config=config)
            ledger.propose("lab", asked)
            run_id, _ = ledger.start("lab", number, KEY, {})
            ledger.finish(run_id, failure(asked, reason) if reason else result(asked))
        return feasibility(ledger.read.trials("lab"), size)

    return remember


def near(memory, config):
    found = memory.near(config)
    return None if found is None else found.number


def test_a_higher_learning_rate_than_one_that_diverged_is_headed_there(memory):
    remembered = memory((at(5e-3), Reason.DIVERGED))
    assert [near(remembered, at(lr, beta1=0.85)) for lr in (2e-2, 4.5e-3, 1e-3)] == [0, 0, None]


def test_one_crash_stands_for_its_techniques_until_one_has_a_score(memory):
    assert near(memory((at(5e-3), Reason.CRASHED)), at(1e-3)) == 0


def test_a_crash_beside_a_score_says_nothing(memory):
    assert near(memory((at(5e-3), Reason.CRASHED), (at(1e-3), None)), at(5e-3)) is None


def test_a_score_at_a_higher_learning_rate_clears_a_lower_one(memory):
    remembered = memory((at(1e-2), Reason.DIVERGED), (at(1.5e-2), None))
    assert [near(remembered, at(lr)) for lr in (1.2e-2, 2e-2)] == [None, 0]


def test_other_techniques_are_no_neighbours(memory):
    remembered = memory((at(1e-2), Reason.DIVERGED))
    assert near(remembered, at(1e-2).replaced("schedule", [full_pick("schedule", "cosine", {})])) is None


@pytest.mark.parametrize("reason", [Reason.OUT_OF_MEMORY, Reason.OUT_OF_TIME, Reason.TOO_LARGE, Reason.TOO_SLOW])
def test_what_was_too_much_is_too_much_for_whatever_is_as_large(memory, reason):
    remembered = memory((wide(3), reason))
    assert [near(remembered, wide(mult)) for mult in (2, 3, 4)] == [None, 0, 0]
    assert near(remembered, wide(3).replaced("optimizer", at(1e-3).picks["optimizer"])) == 0


def test_a_larger_one_with_a_score_clears_what_is_smaller(memory):
    remembered = memory((wide(2), Reason.OUT_OF_MEMORY), (wide(3), None))
    assert [near(remembered, wide(mult)) for mult in (2, 3, 4)] == [None, None, 0]


def test_what_was_killed_from_outside_says_nothing(memory):
    assert near(memory((at(1e-2), Reason.KILLED)), at(1e-2)) is None


def test_a_reason_counts_what_was_set_aside_and_why():
    assert told_aside([None]) == ""
    aside = ["close to #4 (diverged)", "known", "close to #4 (diverged)", None]
    assert told_aside(aside) == "; set aside: 2 close to #4 (diverged), 1 known"
    assert told_aside(TRIES * ["known"]).endswith(f"the last is proposed all the same, after {TRIES} tries")


@dataclass
class Cliff(Instant):
    """Fails above a learning rate."""

    above: float = 1e-2
    reason: Reason = Reason.DIVERGED

    def poll(self, seconds):
        job = self.jobs[0]
        if float(job.config.pick("optimizer").knobs["lr"]) <= self.above:
            return super().poll(seconds)
        self.jobs.pop(0)
        said = f"run {job.run_id} is lost"
        lost = Failure(fingerprint=fingerprint(job.config), seed=1, reason=self.reason, step=1, message=said)
        return [Ended(job.run_id, lost)]


@pytest.mark.parametrize("who", ["local", "tpe"])
def test_a_proposer_stays_away_from_what_diverged_and_names_it(tmp_path, monkeypatch, who):
    monkeypatch.setattr(proposals, "proposer", lambda phase, seed, number: who)
    store = Store(tmp_path / "cliff.db")
    study(store, ADAMW, Cliff())
    trials = store.read.trials("lab")
    failed = [t for t in trials if t.state is State.FAILED]
    for t in failed:
        lower = [f.number for f in failed if f.number < t.number and lr_of(f) * MARGIN <= lr_of(t)]
        assert not lower or "all the same" in t.reason
    assert any(f"#{failed[0].number} (diverged)" in t.reason for t in trials)
    store.close()


def lr_of(trial):
    return float(trial.config.pick("optimizer").knobs["lr"])


def test_where_everything_fails_the_study_still_gets_its_trials(tmp_path, monkeypatch):
    monkeypatch.setattr("autoresearch.loop.why_give_up", lambda trials, since: None)
    store = Store(tmp_path / "lost.db")
    study(store, replace(ADAMW, n_trials=6), Cliff(above=0.0, reason=Reason.CRASHED))
    trials = store.read.trials("lab")
    assert [t.state for t in trials] == 6 * [State.FAILED]
    assert trials[-1].reason.endswith(f"{TRIES} headed for what #0 (crashed) did; the last is proposed all the same, "
                                      f"after {TRIES} tries")  # fmt: skip
    store.close()
