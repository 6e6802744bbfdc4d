"""kill -9 at every point of a trial's life, policy researcher: resumed, the study is as one that nobody hurt."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from instant import Instant, study
from ledger_rows import SPEC

from autoresearch.loop import Search
from studies.store import Store

# the baseline thrice, openings, the mixture with its failures (lion always diverges), leave-one-out, confirmation
SPEC40 = replace(
    SPEC, policy="researcher", n_trials=40, settings=("optimizer=adamw,lion,muon", "optimizer_modifiers=none")
)
KILLED_AT = 17


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before_row(fatal: Callable[[], None]) -> None:
    _before(Store, "propose", fatal)


def after_row(fatal: Callable[[], None]) -> None:
    _before(Store, "start", fatal)


def mid_run(fatal: Callable[[], None]) -> None:
    _before(Store, "add_points", fatal)


def after_result(fatal: Callable[[], None]) -> None:
    _before(Store, "finish", fatal)


def before_commit(fatal: Callable[[], None]) -> None:
    # the last thing that the transaction of a result does
    event = Store._event

    def wrapped(self, session, study_id, trial, kind, text):
        event(self, session, study_id, trial, kind, text)
        session.flush()
        if kind in ("complete", "failed"):
            fatal()

    Store._event = wrapped


def before_tell(fatal: Callable[[], None]) -> None:
    _before(Search, "settle", fatal)


def _before(owner: type, name: str, fatal: Callable[[], None]) -> None:
    call = getattr(owner, name)

    def wrapped(self, *args, **kwargs):
        fatal()
        return call(self, *args, **kwargs)

    setattr(owner, name, wrapped)


POINTS = (before_row, after_row, mid_run, after_result, before_commit, before_tell)


def in_a_process_that_dies(path: Path, point: Callable[[Callable[[], None]], None], at: int) -> None:
    """A coordinator on a store, killed by itself when it comes to a point for the so manieth time."""
    child = os.fork()
    if child == 0:
        left = at

        def fatal() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                die()

        try:
            point(fatal)
            study(Store(path), SPEC40)
        finally:
            os._exit(1)  # it should not have come to this
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the study ended before it was killed"
    assert os.WTERMSIG(status) == signal.SIGKILL


def table(store: Store) -> list[tuple[object, ...]]:
    return [
        (
            t.number, t.fingerprint, t.seed, t.params, t.proposer, t.rule, t.reason, t.hypothesis, t.expected, t.state,
            t.val_loss, t.run and t.run.reason,
        )
        for t in store.read.trials("lab")
    ]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """Forty trials in one go, and what confirmation adds."""
    store = Store(tmp_path_factory.mktemp("whole") / "arena.db")
    assert study(store, SPEC40) == "all trials are done"
    rows = table(store)
    store.close()
    return rows


@pytest.mark.parametrize(
    "point",
    [pytest.param(point, marks=() if point is mid_run else pytest.mark.slow, id=point.__name__) for point in POINTS],
)
def test_killed_at_the_seventeenth_and_resumed_equals_forty_in_one_go(point, whole, tmp_path):
    path = tmp_path / "arena.db"
    in_a_process_that_dies(path, point, KILLED_AT)
    store = Store(path)
    executor = Instant()
    assert study(store, SPEC40, executor) == "all trials are done"
    assert table(store) == whole
    # at most the run under way is done again
    assert executor.done <= len(whole) - KILLED_AT + 2
    store.close()


def test_killed_at_every_point_in_turn_equals_forty_in_one_go(whole, tmp_path):
    path = tmp_path / "arena.db"
    for point in POINTS:
        in_a_process_that_dies(path, point, 3)
    store = Store(path)
    study(store, SPEC40)
    assert table(store) == whole
    store.close()
