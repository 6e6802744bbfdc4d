"""The feed against a real store, pass by pass, without its thread or any screen."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sample_store import Clock, Fate, begin, key_of, outcome, play, propose, spec_of, stopped

from arena_tui.feed import Delta, Feed
from arena_tui.mirror import Mirror
from bench.records import Failure, Point, Reason, State
from studies.database import open_reader
from studies.ownership import Owner
from studies.store import Store

RUNNING = Fate("muon", 1e-2, None, steps=100)


@pytest.fixture
def feed(store: Path) -> Iterator[Feed]:
    feed = Feed(None, lambda delta: None)
    yield feed
    feed.close()
    feed._detach()


def all_of(feed: Feed, mirror: Mirror) -> Mirror:
    """Passes until nothing is left to say."""
    for _ in range(20):
        delta = feed.poll()
        if delta is None:
            return mirror
        mirror.apply(delta)
    raise AssertionError("the feed never comes to rest")


def test_the_first_passes_bring_everything(feed: Feed, alive: None) -> None:
    mirror = all_of(feed, Mirror())
    assert list(mirror.studies) == ["optimizer-1", "toy-1"]
    assert len(mirror.trials_of("optimizer-1")) == 9
    assert len(mirror.trials_of("toy-1")) == 3
    assert mirror.alive == {"optimizer-1"}
    assert mirror.default_study() == "optimizer-1"
    assert len(mirror.standings) == 5
    assert mirror.events[-1].kind == "failed"


def test_of_shipped_studies_the_one_with_most_trials_is_shown_first(feed: Feed) -> None:
    mirror = all_of(feed, Mirror())
    for newest in (mirror.studies["toy-1"], mirror.studies["optimizer-1"]):
        both = {newest.name: newest} | mirror.studies
        mirror.studies = {name: replace(study, shipped=True) for name, study in both.items()}
        mirror.alive = frozenset()
        assert mirror.default_study() == "optimizer-1"
    mirror.studies["toy-1"] = replace(mirror.studies["toy-1"], shipped=False)
    assert mirror.default_study() == "toy-1"


def test_the_chosen_study_comes_first(feed: Feed) -> None:
    feed.choose("toy-1")
    first = feed.poll()
    assert first is not None
    assert {trial.study for trial in first.trials} == {"toy-1"}
    assert first.more


def test_a_large_study_is_shown_by_its_best_and_latest_and_then_read_in_pieces(
    feed: Feed, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = all_of(feed, Mirror()).trials["optimizer-1"]
    monkeypatch.setattr("arena_tui.feed.PIECE", 3)
    monkeypatch.setattr("arena_tui.feed.FOREMOST", 1)
    pieces, mirror = Feed(str(store), lambda _: None), Mirror()
    pieces.choose("optimizer-1")
    first = pieces.poll()
    assert first is not None
    assert first.more
    # under way and the latest of all, and the lowest score
    assert [trial.number for trial in first.trials] == [5, 8]
    mirror.apply(first)
    second = pieces.poll()
    assert second is not None
    assert [trial.number for trial in second.trials] == [0, 1, 2]
    mirror.apply(second)
    # what changes between two pieces is not missed
    run = whole[8].run
    assert run is not None
    writer = Store(store)
    lost = Failure(fingerprint=run.fingerprint, seed=run.seed, reason=Reason.DIVERGED, step=7, message="it is gone")
    writer.finish(run.id, lost)
    writer.close()
    all_of(pieces, mirror)
    assert mirror.trials["optimizer-1"].keys() == whole.keys()
    assert mirror.trials["optimizer-1"][8].state is State.FAILED
    assert pieces.poll() is None
    pieces.close()


def test_nothing_is_said_twice(feed: Feed) -> None:
    all_of(feed, Mirror())
    assert feed.poll() is None


def test_points_of_a_running_run_arrive_once_and_in_order(feed: Feed, store: Path) -> None:
    mirror = all_of(feed, Mirror())
    run = mirror.trials["optimizer-1"][8].run
    assert run is not None
    assert len(mirror.curves[run.id]) == 23
    writer = Store(store)
    writer.add_points(run.id, [Point(240, 96.0, 1.5), Point(250, 100.0, 1.4, 1.45)])
    delta = feed.poll()
    assert delta is not None
    assert [point.step for part in delta.curves for point in part.points] == [240, 250]
    mirror.apply(delta)
    assert len(mirror.curves[run.id]) == 25
    assert mirror.curves[run.id].xy("probe_loss")[0][-1] == 250
    writer.close()


def test_points_are_found_although_row_ids_are_given_out_again(store: Path, feed: Feed, alive: None) -> None:
    """SQLite reuses the ids of the points that a finished run packs away."""
    writer, clock, mirror = Store(store), Clock(), all_of(feed, Mirror())
    spec = spec_of("optimizer-1")
    run = mirror.trials["optimizer-1"][8].run
    assert run is not None
    fate = Fate("muon", 3e-2, 1.29)
    with stopped(clock):
        writer.finish(run.id, outcome(spec, mirror.trials["optimizer-1"][8].config, fate))
        new = play(writer, spec, clock, 9, RUNNING)
    all_of(feed, mirror)
    assert new is not None
    assert len(mirror.curves[new]) == 10
    assert len(mirror.curves[run.id]) == 23
    writer.close()


def test_a_run_that_starts_again_starts_its_curve_again(store: Path, feed: Feed) -> None:
    writer, clock, mirror = Store(store), Clock(2_000_000_000.0), all_of(feed, Mirror())
    spec = spec_of("optimizer-1")
    with stopped(clock):
        begin(writer, spec, Owner(1, 0.0, "lab"))
        writer.propose(spec.name, propose(writer, spec, 9, RUNNING))
        run_id, _ = writer.start(spec.name, 8, key_of(spec), {})
        writer.add_points(run_id, [Point(10, 4.0, 5.0)])
    all_of(feed, mirror)
    assert mirror.curves[run_id].xy("train_loss")[1].tolist() == [5.0]
    writer.close()


def test_a_wanted_curve_is_read_once(feed: Feed) -> None:
    mirror = all_of(feed, Mirror())
    run = mirror.trials["optimizer-1"][5].run
    assert run is not None
    assert run.id not in mirror.curves
    feed.want(frozenset([run.id]))
    all_of(feed, mirror)
    assert len(mirror.curves[run.id]) == 50
    assert feed.poll() is None


def test_a_finished_trial_brings_new_standings(feed: Feed, store: Path) -> None:
    writer, mirror = Store(store), all_of(feed, Mirror())
    trial = mirror.trials["optimizer-1"][8]
    assert trial.run is not None
    writer.finish(trial.run.id, outcome(spec_of("optimizer-1"), trial.config, Fate("muon", 3e-2, 1.2)))
    all_of(feed, mirror)
    assert mirror.trials["optimizer-1"][8].state is State.COMPLETE
    assert min(row.val_loss for row in mirror.standings) == 1.2
    writer.close()


def test_a_failure_is_no_standing_and_keeps_its_reason(feed: Feed, store: Path) -> None:
    writer, mirror = Store(store), all_of(feed, Mirror())
    trial = mirror.trials["optimizer-1"][8]
    assert trial.run is not None
    before = mirror.standings
    writer.finish(trial.run.id, outcome(spec_of("optimizer-1"), trial.config, Fate("muon", 3e-2, Reason.DIVERGED, 90)))
    all_of(feed, mirror)
    run = mirror.trials["optimizer-1"][8].run
    assert run is not None
    assert (run.reason, run.message[:18]) == (Reason.DIVERGED, "train_loss is nan ")
    assert mirror.standings == before
    writer.close()


def test_a_store_that_appears_later_is_found(no_store: Path) -> None:
    feed = Feed(None, lambda delta: None)
    first = feed.poll()
    assert first is not None
    assert (first.source, first.studies) == (None, ())
    assert feed.poll() is None
    writer = Store(no_store)
    begin(writer, spec_of("late"))
    mirror = all_of(feed, Mirror())
    assert list(mirror.studies) == ["late"]
    writer.close()
    feed._detach()


def test_a_missing_named_store_is_said_once_and_found_later(tmp_path: Path) -> None:
    path = tmp_path / "named.db"
    feed = Feed(str(path), lambda delta: None)
    said = feed.poll()
    assert said is not None
    assert said.problem is not None
    assert said.problem.problem == f"there is no store at {path}"
    assert feed.poll() is None
    writer = Store(path)
    begin(writer, spec_of("late"))
    mirror = all_of(feed, Mirror())
    assert mirror.problem is None
    assert list(mirror.studies) == ["late"]
    writer.close()
    feed._detach()


def test_a_file_that_is_no_database_is_said_and_what_was_known_stays(feed: Feed, store: Path) -> None:
    mirror = all_of(feed, Mirror())
    store.unlink()
    store.write_text("not a database at all, but long enough")
    delta = feed.poll()
    assert delta is not None
    mirror.apply(delta)
    assert mirror.problem is not None
    assert "it is not a database" in mirror.problem.problem
    assert len(mirror.trials_of("optimizer-1")) == 9
    assert feed.poll() is None


def test_a_row_that_cannot_be_read_is_said_with_the_path(feed: Feed, store: Path) -> None:
    mirror = all_of(feed, Mirror())
    connection = sqlite3.connect(store)
    connection.execute("UPDATE study SET spec = '{broken' WHERE name = 'toy-1'")
    connection.commit()
    connection.close()
    delta = feed.poll()
    assert delta is not None
    assert delta.problem is not None
    assert str(store) in delta.problem.problem
    assert delta.problem.hint == "`autoresearch doctor` says more"
    mirror.apply(delta)
    assert len(mirror.studies) == 2


def test_a_locked_store_is_said_and_followed_again(feed: Feed, store: Path) -> None:
    """A writer in WAL keeps no reader out; a program that takes the file for itself does."""
    holder = sqlite3.connect(store, isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("UPDATE clock SET rev = rev + 1")
    delta = feed.poll()
    assert delta is not None
    assert delta.problem is not None
    assert "database is locked" in delta.problem.problem
    assert delta.problem.hint == "another program holds it; try again in a moment"
    holder.close()
    mirror = all_of(feed, Mirror())
    assert mirror.problem is None
    assert len(mirror.trials_of("optimizer-1")) == 9


def test_a_coordinator_that_dies_is_noticed_without_a_commit(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.ownership.living_owner", lambda study: Owner(1, 0.0, "lab"))
    mirror = all_of(feed, Mirror())
    assert mirror.alive == {"optimizer-1"}
    monkeypatch.setattr("studies.ownership.living_owner", lambda study: None)
    delta = feed.poll()
    assert delta is not None
    mirror.apply(delta)
    assert mirror.alive == frozenset()
    assert len(mirror.trials_of("optimizer-1")) == 9


def test_shipped_measurements_are_shown_until_there_is_a_store(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.db"
    monkeypatch.setenv("ARENA_STORE", str(own))
    monkeypatch.setattr("arena_tui.sources.shipped_path", lambda: store)
    feed = Feed(None, lambda delta: None)
    mirror = all_of(feed, Mirror())
    assert mirror.source is not None
    assert mirror.source.shipped
    assert "optimizer-1" in mirror.studies
    writer = Store(own)
    begin(writer, spec_of("mine"))
    all_of(feed, mirror)
    assert list(mirror.studies) == ["mine"]
    assert not mirror.source.shipped
    writer.close()
    feed._detach()


def test_the_thread_waits_until_a_delta_is_taken_and_closes(
    store: Path, until: Callable[[Callable[[], bool]], None]
) -> None:
    got: list[Delta] = []
    feed = Feed(None, got.append)
    thread = threading.Thread(target=feed.run)
    thread.start()
    until(lambda: len(got) == 1)
    assert got[0].more
    feed.taken()
    until(lambda: len(got) == 2)
    feed.close()
    thread.join(5)
    assert not thread.is_alive()


def test_reading_never_holds_a_writer_up(feed: Feed, store: Path) -> None:
    mirror = all_of(feed, Mirror())
    run = mirror.trials["optimizer-1"][8].run
    assert run is not None
    held = open_reader(store)
    held.execute("BEGIN")
    held.execute("SELECT count(*) FROM trial").fetchall()
    writer = Store(store)
    for step in range(240, 1240, 10):
        writer.add_points(run.id, [Point(step, 1.0, 1.4)])
    held.close()
    writer.close()
    assert len(all_of(feed, mirror).curves[run.id]) == 123
