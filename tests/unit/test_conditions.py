"""A study resumed on another class of device, or after the numbers changed: rows stay listed and are not compared."""

from dataclasses import replace

import pytest
from instant import Instant, study
from ledger_rows import KEY, SPEC
from optuna.trial import TrialState

from arena_tui.ranking import best_of as on_the_screen
from autoresearch.listing import best_of, trials_table
from autoresearch.loop import Search
from bench.cards import cards
from bench.config import fingerprint
from bench.divisions import baseline
from bench.records import RunResult, State
from studies.ownership import this_process
from studies.store import Store

LAB = replace(SPEC, policy="researcher", n_trials=12, settings=("optimizer=adamw,muon", "optimizer_modifiers=none"))
ELSEWHERE = replace(KEY, device_class="cuda/h100")
LONGER = replace(LAB, n_trials=24)


class Better(Instant):
    """The same landscape, a whole nat lower: whoever compared the two classes would believe anything."""

    def poll(self, seconds):
        point, ended = super().poll(seconds)
        if isinstance(ended.outcome, RunResult):
            ended = replace(ended, outcome=replace(ended.outcome, val_loss=ended.outcome.val_loss - 1.0))
        return [point, ended]


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """A dozen trials on one class, a dozen more on another."""
    store = Store(tmp_path_factory.mktemp("moved") / "arena.db")
    study(store, LAB, Better(), run_key=ELSEWHERE)
    study(store, LONGER)
    yield store
    store.close()


def after(store):
    return [t for t in store.read.trials("lab") if t.number >= LAB.n_trials]


def test_the_new_class_gets_a_baseline_of_its_own(moved):
    first, *_ = after(moved)
    assert (first.proposer, first.fingerprint) == ("baseline", fingerprint(baseline(SPEC.budget)))
    assert first.run.identity.device_class == KEY.device_class


def test_trials_elsewhere_count_and_nothing_more(moved):
    assert len([t for t in moved.read.trials("lab") if t.state is not State.REFUSED]) == LONGER.n_trials


def test_no_proposal_on_the_new_class_rests_on_the_old_one(moved, tmp_path):
    alone = Store(tmp_path / "alone.db")
    study(alone, replace(LAB, n_trials=12))
    shift = LAB.n_trials
    early = [t for t in after(moved) if t.proposer in ("baseline", "replication", "opening")]
    assert [t.fingerprint for t in early] == [t.fingerprint for t in alone.read.trials("lab")[: len(early)]]
    for t in after(moved):
        named = [word for word in t.reason.replace("#", "trial ").split("trial ")[1:] if word[0].isdigit()]
        assert all(int(word.split()[0].rstrip("),.;")) >= shift for word in named), t.reason
    alone.close()


def test_the_best_of_the_study_is_of_the_class_it_runs_on(moved):
    best = best_of(moved.read, moved.read.study("lab"))
    assert best == on_the_screen(moved.read.trials("lab"))
    assert best.run.identity.device_class == KEY.device_class
    assert best.val_loss > 1.0


def test_deltas_are_to_the_baseline_of_the_same_class(moved):
    deltas = [line.split()[3] for line in trials_table(moved.read, "lab").splitlines()[2:] if " complete " in line]
    assert all(abs(float(delta)) < 0.5 for delta in deltas)


def test_the_sampler_does_not_hear_of_the_other_class(moved):
    moved.begin(LONGER, cards(), this_process())
    search = Search(LONGER, moved, Instant(), KEY, {})
    search.take_up()
    told = search.study.get_trials(deepcopy=False)
    assert {t.state for t in told[: LAB.n_trials]} == {TrialState.FAIL}
    assert TrialState.COMPLETE in {t.state for t in told[LAB.n_trials :]}
    moved.release("lab", "looked at")


def test_a_finished_study_stays_finished_on_another_class(moved):
    before = moved.read.trials("lab")
    executor = Instant()
    assert study(moved, LONGER, executor, run_key=replace(KEY, numerics_version=2)) == "all trials are done"
    assert executor.done == 0
    assert moved.read.trials("lab") == before


@pytest.mark.parametrize("policy", ["tpe", "random"])
def test_without_the_researcher_too_the_openings_are_run_again(tmp_path, policy):
    store = Store(tmp_path / "arena.db")
    spec = replace(LAB, policy=policy, n_trials=3)
    study(store, spec, run_key=ELSEWHERE)
    study(store, replace(spec, n_trials=6))
    assert [t.proposer for t in store.read.trials("lab")] == 2 * ["baseline", "opening", policy]
    store.close()
