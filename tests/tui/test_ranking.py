"""Orders, deltas, liveness and time left: pure functions of rows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from arena_tui.facts import TRIAL_FIELDS, trial_facts
from arena_tui.filters import compile_filter
from arena_tui.progress import liveness, time_left
from arena_tui.ranking import (
    Baselines,
    ended_because,
    failures_by_reason,
    in_order,
    live_order,
    passes,
    shown_runs,
    trials_of_board,
)
from arena_tui.summary import progress_line
from studies.reading import Reader
from studies.views import StudyView, TrialView


@pytest.fixture
def reader(store: Path) -> Iterator[Reader]:
    reader = Reader(store)
    yield reader
    reader.close()


@pytest.fixture
def trials(reader: Reader) -> list[TrialView]:
    return reader.trials("optimizer-1")


@pytest.fixture
def study(reader: Reader) -> StudyView:
    return reader.study("optimizer-1")


def numbers(trials: list[TrialView]) -> list[int]:
    return [trial.number for trial in trials]


def test_live_order_is_running_then_best(trials: list[TrialView]) -> None:
    assert numbers(live_order(trials)) == [8, 5, 1, 2, 0, 6]


def test_orders(trials: list[TrialView]) -> None:
    assert numbers(in_order(trials, "newest")) == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert numbers(in_order(trials, "val_loss")) == [5, 1, 2, 0, 6, 3, 4, 7, 8]
    assert numbers(in_order(trials, "cost"))[-2:] == [4, 8]


def test_order_does_not_depend_on_the_order_of_the_rows(trials: list[TrialView]) -> None:
    for sort in ("number", "val_loss", "cost", "state"):
        assert in_order(reversed(trials), sort) == in_order(trials, sort)


def test_outcomes(trials: list[TrialView]) -> None:
    assert [t.number for t in trials if passes("failures", t)] == [3, 4, 7]
    assert [t.number for t in trials if passes("valid", t)] == [0, 1, 2, 5, 6, 8]
    assert sum(passes("all", t) for t in trials) == 9


def test_failures_are_counted_by_reason(trials: list[TrialView]) -> None:
    assert failures_by_reason(trials) == [("diverged", 1), ("out_of_time", 1), ("refused", 1)]
    assert ended_because(trials[3]) == "diverged"


def test_delta_is_to_the_baseline_of_the_same_identity(reader: Reader, trials: list[TrialView]) -> None:
    baselines = Baselines(reader.entries())
    assert baselines.delta(trials[1]) == pytest.approx(1.3127 - 1.4421)
    assert baselines.delta(trials[0]) == 0
    assert baselines.delta(trials[3]) is None
    assert trials[1].run is not None
    elsewhere = replace(
        trials[1], run=replace(trials[1].run, identity=replace(trials[1].run.identity, device_class="x"))
    )
    assert baselines.delta(elsewhere) is None


def test_curves_shown_are_running_marked_selected_then_best(trials: list[TrialView]) -> None:
    assert numbers(shown_runs(trials, [], None)) == [8, 5, 1, 2, 0, 6]
    assert numbers(shown_runs(trials, [], 3))[:2] == [8, 3]
    assert numbers(shown_runs(trials, [0, 6], 2)) == [8, 0, 6, 2]
    assert len(shown_runs(trials, list(range(9)), None, limit=4)) == 4
    assert 4 not in numbers(shown_runs(trials, [4], 4))


def test_a_board_counts_the_failures_of_its_own_studies(reader: Reader, trials: list[TrialView]) -> None:
    assert trials[0].run is not None
    identity = trials[0].run.identity
    found = trials_of_board(reader.studies(), reader.trials, identity, "optimizer")
    assert numbers(found) == list(range(9))
    assert trials_of_board(reader.studies(), reader.trials, identity, "precision") == []


def test_filter_speaks_of_trials(trials: list[TrialView]) -> None:
    facts = {trial.number: trial_facts(trial) for trial in trials}
    known = frozenset().union(*(f.numbers for f in facts.values()))

    def kept(text: str) -> list[int]:
        test = compile_filter(text, TRIAL_FIELDS, known)
        return [number for number, fact in facts.items() if test(fact)]

    assert kept("reason:diverged") == [3]
    assert kept("optimizer:muon lr>=3e-2") == [5, 8]
    assert kept("val_loss<1.32") == [1, 5]
    assert kept("trial=4") == [4]
    assert kept("[bold]a") == [3]


# liveness


def test_a_beating_coordinator_is_live(study: StudyView) -> None:
    beat = study.heartbeat_at or 0
    assert liveness(study, True, beat + 1).word == "LIVE"
    assert liveness(study, True, beat + 5).word == "LIVE 5s"


def test_a_dead_coordinator_is_stale_at_once_and_says_how_to_go_on(study: StudyView) -> None:
    found = liveness(study, False, (study.heartbeat_at or 0) + 71)
    assert found.stale
    assert found.word == "STALE 1m"
    assert "process 4121 on lab is gone; `autoresearch resume optimizer-1`" in found.sentence


def test_a_silent_coordinator_is_stale_after_a_minute(study: StudyView) -> None:
    assert not liveness(study, True, (study.heartbeat_at or 0) + 59).stale
    assert liveness(study, True, (study.heartbeat_at or 0) + 61).stale


def test_a_clock_that_jumped_back_shows_no_negative_age(study: StudyView) -> None:
    assert liveness(study, True, (study.heartbeat_at or 0) - 500).word == "LIVE"


def test_words_of_a_study_without_an_owner(study: StudyView) -> None:
    left = replace(study, owner_pid=None, ended_reason="stopped by ctrl-c")
    assert liveness(left, False, 0).sentence == "nobody runs it now: stopped by ctrl-c"
    assert liveness(replace(left, shipped=True), False, 0).word == "shipped"
    done = replace(left, spec=replace(left.spec, n_trials=7))
    assert (liveness(done, False, 0).word, liveness(done, False, 0).sentence) == ("done", "all trials are done")
    assert liveness(replace(study, stop_requested_at=1.0), True, study.heartbeat_at or 0).word == "stopping"


def told(study: StudyView, alive: bool = False) -> str:
    return progress_line(study, [], 0, alive).plain


def test_a_study_whose_openings_ran_out_has_ended_whatever_it_was_allowed(study: StudyView) -> None:
    left = replace(study, owner_pid=None, spec=replace(study.spec, n_trials=200, policy="openings"))
    ended = replace(left, ended_reason="every opening is done")
    assert told(ended) == "[##########] 7 trials  ended: every opening is done"
    assert (liveness(ended, False, 0).word, ended.progress) == ("done", "7")
    assert told(replace(ended, shipped=True)) == told(ended)
    # one that was stopped has not, and neither has one that is being run again
    stopped = replace(left, ended_reason="a stop was asked for")
    assert (stopped.ending, told(stopped)) == (None, "7 trials")
    again = replace(ended, owner_pid=1)
    assert told(again, alive=True) == "7 trials  until every opening is done, 200 at most"
    assert time_left(again, [], 0) is None


def test_a_study_that_has_all_its_trials_has_ended_and_another_counts_up_to_them(study: StudyView) -> None:
    left = replace(study, owner_pid=None)
    assert told(left) == "[###.......] 7/20 trials"
    done = replace(left, spec=replace(left.spec, n_trials=7))
    assert told(done) == "[##########] 7 trials  ended: all trials are done"
    # a researcher may end before its last trial
    assert told(replace(left, ended_reason="all trials are done")) == told(done)


def test_time_left_rests_on_recent_trials(study: StudyView, trials: list[TrialView]) -> None:
    running = trials[8].run
    assert running is not None
    assert running.started_at is not None
    left = time_left(study, trials, running.started_at + 50)
    assert left is not None
    assert left.seconds == pytest.approx(13 * 200 - 50)
    assert left.basis == "median of last 7 trials"


def test_time_left_of_the_first_trial_rests_on_its_steps(study: StudyView, trials: list[TrialView]) -> None:
    first = replace(study, n_by_state={}, steps_done=0)
    running = trials[8].run
    assert running is not None
    assert running.started_at is not None
    left = time_left(first, [trials[8]], running.started_at + 92)
    assert left is not None
    assert left.seconds == pytest.approx(20 * 500 * 92 / 230 - 92)
    assert "steps of the run under way" in left.basis
    assert time_left(first, [], 0) is None
