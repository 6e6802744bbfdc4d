"""The ledger keeps what it is told, whatever happens to those who tell it."""

import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest
from ledger_rows import CARD, KEY, SPEC, failure, proposal, result

from autoresearch.listing import condition
from bench.errors import StoreError
from bench.records import Pace, Point, Reason, Sizes, State, TensorSize
from studies.definitions import NO_OPENING
from studies.ownership import Owner
from studies.reading import Reader
from studies.shipped import export_measured, import_measured


def test_a_trial_has_its_row_before_its_run_starts(store):
    store.propose("lab", proposal(0))
    (trial,) = store.read.trials("lab")
    assert (trial.state, trial.run) == (State.QUEUED, None)


def test_a_finished_run_gives_its_trial_a_score_and_packs_its_curve(store):
    points = [Point(10, 1.0, 3.0), Point(20, 2.0, 2.5, 2.6)]
    asked = proposal(0)
    store.propose("lab", asked)
    run_id, to_do = store.start("lab", 0, KEY, {"torch": "2"})
    store.add_points(run_id, points)
    assert to_do
    assert store.read.curve(run_id) == points
    store.finish(run_id, result(asked))
    (trial,) = store.read.trials("lab")
    assert trial.state is State.COMPLETE
    assert trial.val_loss == 1.5
    assert store.read.curve(run_id) == points
    assert store.read.points([run_id]) == []


def test_the_pace_of_a_run_that_a_clock_ended_comes_back_to_the_bit(store, tmp_path):
    pace = (Pace(1.0, 20_000.0), Pace(1 / 3, 0.1 + 0.2))
    store.propose("lab", proposal(0))
    run_id, _ = store.start("lab", 0, KEY, {})
    store.finish(run_id, replace(result(proposal(0)), pace=pace))
    assert store.read.pace(run_id) == pace
    # and from a file that ships
    export_measured(store.path, "lab", tmp_path / "lab.jsonl")
    import_measured(tmp_path / "other.db", tmp_path / "lab.jsonl", shipped=True)
    other = Reader(tmp_path / "other.db")
    assert other.pace(1) == pace


def test_a_run_that_counted_steps_has_no_pace(store):
    store.propose("lab", proposal(0))
    run_id, _ = store.start("lab", 0, KEY, {})
    store.finish(run_id, result(proposal(0)))
    assert store.read.pace(run_id) == ()


SIZES = Sizes(
    tensors=(TensorSize("embedding.weight", "embedding", (256, 128), 131_072), TensorSize("gain", "vector", (), 4)),
    correction_bytes=10,
    header_bytes=700,
    code_bytes=100_000,
)


def test_what_a_packed_model_is_made_of_comes_back_from_the_ledger_and_from_what_ships(store, tmp_path):
    store.propose("lab", proposal(0))
    run_id, _ = store.start("lab", 0, KEY, {})
    store.finish(run_id, replace(result(proposal(0)), sizes=SIZES))
    assert store.read.sizes(run_id) == SIZES
    export_measured(store.path, "lab", tmp_path / "lab.jsonl")
    import_measured(tmp_path / "other.db", tmp_path / "lab.jsonl", shipped=True)
    assert Reader(tmp_path / "other.db").sizes(1) == SIZES


@pytest.mark.parametrize(("why", "kept"), [(NO_OPENING, NO_OPENING), ("the time given with --timeout is up", None)])
def test_what_ships_says_why_its_study_is_over(store, tmp_path, why, kept):
    store.release("lab", why)
    export_measured(store.path, "lab", tmp_path / "lab.jsonl")
    import_measured(tmp_path / "other.db", tmp_path / "lab.jsonl", shipped=True)
    other = Reader(tmp_path / "other.db").study("lab")
    assert other.ended_reason == kept
    assert condition(other) == (f"shipped: {kept}" if kept else "shipped")


def test_a_run_of_before_has_no_sizes_and_is_written_as_it_was(store, tmp_path):
    store.propose("lab", proposal(0))
    run_id, _ = store.start("lab", 0, KEY, {})
    store.finish(run_id, result(proposal(0)))
    assert store.read.sizes(run_id) is None
    export_measured(store.path, "lab", tmp_path / "lab.jsonl")
    assert "sizes" not in (tmp_path / "lab.jsonl").read_text()


def test_a_failure_is_a_row_with_reason_and_last_words(store):
    asked = proposal(0)
    store.propose("lab", asked)
    run_id, _ = store.start("lab", 0, KEY, {})
    store.finish(run_id, failure(asked, Reason.DIVERGED))
    (trial,) = store.read.trials("lab")
    assert trial.state is State.FAILED
    assert trial.run is not None
    assert (trial.run.reason, trial.run.log_tail, trial.val_loss) == (Reason.DIVERGED, "last words", None)


def test_a_refusal_has_no_run(store):
    store.refuse("lab", proposal(0), "too large")
    (trial,) = store.read.trials("lab")
    assert (trial.state, trial.message, trial.run) == (State.REFUSED, "too large", None)


@pytest.mark.parametrize("reason", [Reason.DIVERGED, None], ids=["diverged", "complete"])
def test_asking_for_a_settled_run_again_costs_nothing(store, reason):
    first, second = proposal(0), proposal(1)
    store.propose("lab", first)
    run_id, _ = store.start("lab", 0, KEY, {})
    store.finish(run_id, failure(first, reason) if reason else result(first))
    store.propose("lab", second)
    assert store.start("lab", 1, KEY, {}) == (run_id, False)
    assert store.read.trials("lab")[1].state is (State.FAILED if reason else State.COMPLETE)


def test_a_run_that_was_killed_is_tried_again_as_another_attempt(store):
    first = proposal(0)
    store.propose("lab", first)
    run_id, _ = store.start("lab", 0, KEY, {})
    store.finish(run_id, failure(first, Reason.KILLED))
    store.propose("lab", proposal(1))
    again, to_do = store.start("lab", 1, KEY, {})
    assert to_do
    assert again != run_id


def test_a_replication_keeps_its_seed_before_it_has_a_run(store):
    store.propose("lab", proposal(0))
    store.propose("lab", replace(proposal(1), seed=1002))
    assert [trial.seed for trial in store.read.trials("lab")] == [None, 1002]


def test_closing_a_phase_again_for_the_same_reason_changes_nothing(store):
    store.phase("lab", "search")
    store.phase("lab", "search", "done")
    raw = sqlite3.connect(store.path)
    before = raw.execute("SELECT * FROM phase").fetchall()
    store.phase("lab", "search", "done")
    assert raw.execute("SELECT * FROM phase").fetchall() == before


def test_another_thread_count_is_another_run(store):
    first = proposal(0)
    store.propose("lab", first)
    run_id, _ = store.start("lab", 0, KEY, {})
    store.finish(run_id, result(first))
    store.propose("lab", proposal(1))
    assert store.start("lab", 1, replace(KEY, threads=2), {})[1]


def test_work_of_a_dead_coordinator_is_interrupted_when_the_next_one_begins(store, me):
    store.propose("lab", proposal(0))
    run_id, _ = store.start("lab", 0, KEY, {})
    store.add_points(run_id, [Point(10, 1.0, 3.0)])
    store.begin(SPEC, [CARD], me)
    (trial,) = store.read.trials("lab")
    assert trial.state is State.INTERRUPTED
    again, to_do = store.start("lab", 0, KEY, {})
    assert (again, to_do) == (run_id, True)
    assert store.read.curve(run_id) == [], "points of the broken run must not mix with the new one's"


def test_a_study_is_not_cut_below_what_it_has(store, me):
    for number in (0, 1):
        store.propose("lab", proposal(number))
        run_id, _ = store.start("lab", number, replace(KEY, seed=number), {})
        store.finish(run_id, result(proposal(number)))
    with pytest.raises(StoreError, match="has 2 trials already, and --trials 1 is fewer"):
        store.begin(replace(SPEC, n_trials=1), [], me)
    assert store.read.study("lab").spec == SPEC
    store.begin(replace(SPEC, n_trials=2), [], me)
    assert store.read.study("lab").spec.n_trials == 2


def test_a_study_with_another_definition_is_refused_by_name(store, me):
    with pytest.raises(StoreError) as caught:
        store.begin(replace(SPEC, seed=1002), [], me)
    assert caught.value.problem == "study lab exists with another definition: seed 1002, not 1001"
    assert "--study" in caught.value.hint


def test_more_trials_are_the_same_definition(store, me):
    assert store.begin(replace(SPEC, n_trials=9), [], me) is False
    assert store.read.study("lab").spec.n_trials == 9


def test_a_second_coordinator_is_turned_away_while_the_first_lives(store):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with pytest.raises(StoreError) as caught:
            store.begin(SPEC, [], Owner(child.pid, 0.0, "elsewhere"))
        assert "is being run by process" in caught.value.problem
    finally:
        child.communicate(b"\n")


def test_a_recycled_process_number_is_not_taken_for_the_owner(store, me):
    store.begin(SPEC, [], me)
    engine = sqlite3.connect(store.path)
    engine.execute("UPDATE study SET owner_started_at = 1.0")
    engine.commit()
    assert store.begin(SPEC, [], Owner(1, 2.0, me.host)) is False


def test_a_stop_that_was_asked_for_is_seen_at_the_next_heartbeat(store):
    assert store.beat("lab") is False
    store.ask_to_stop("lab")
    assert store.beat("lab") is True


def test_a_reader_held_open_never_stops_a_writer(store):
    reader = sqlite3.connect(f"file:{store.path}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM study").fetchall()
    for _ in range(200):
        store.beat("lab")
    reader.execute("ROLLBACK")


def test_a_reader_sees_a_commit_as_a_new_data_version(store):
    reader = Reader(store.path)
    before = reader.data_version()
    store.beat("lab")
    assert reader.data_version() != before
    reader.close()


def test_only_what_changed_is_read_again(store):
    store.propose("lab", proposal(0))
    rev = store.read.rev()
    store.propose("lab", proposal(1, lr=1e-3))
    assert [t.number for t in store.read.trials("lab", since_rev=rev)] == [1]


def test_a_reader_can_not_write(store):
    with pytest.raises(sqlite3.OperationalError):
        store.read._connection.execute("DELETE FROM study")


def test_a_score_that_is_no_number_is_not_let_in(store):
    store.propose("lab", proposal(0))
    run_id, _ = store.start("lab", 0, KEY, {})
    raw = sqlite3.connect(store.path)
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute("UPDATE run SET state = 'complete', val_loss = ? WHERE id = ?", (float("nan"), run_id))
