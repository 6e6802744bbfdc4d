"""Requests for an export or a check that can't be honoured."""

import resource

import pytest
from fighter_study import by_hand

from autoresearch.submission.verify import verify_submission
from autoresearch.submission.write import write_submission
from bench.errors import ConfigError, StoreError
from studies.store import Store


@pytest.mark.parametrize("kind", ["missing", "file", "empty folder"])
def test_what_is_no_submission_is_refused(tmp_path, data, kind):
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("x")
    elif kind == "empty folder":
        place.mkdir()
    with pytest.raises(ConfigError) as refusal:
        verify_submission(place, data)
    assert "autoresearch export" in refusal.value.hint


@pytest.mark.parametrize(
    ("study", "trial", "problem", "hint"),
    [
        ("unreal", None, "there is no study named unreal", "by-hand, real"),
        ("real", 7, "study real has no trial 7", "its trials go from 0 to 1"),
        ("by-hand", None, "no trial of by-hand has a score yet", "--trial 0"),
        ("by-hand", 1, "trial 1 was refused and never ran: it clashes", "leave --trial out"),
        ("by-hand", 2, "trial 2 is queued", "autoresearch resume by-hand"),
        ("by-hand", 3, "trial 3 is running", "autoresearch resume by-hand"),
    ],
)
def test_what_cant_be_exported_says_why(store, tmp_path, study, trial, problem, hint):
    with pytest.raises(StoreError) as refusal:
        write_submission(store, study, trial, tmp_path / "out", None, lambda text: None)
    assert problem in refusal.value.problem
    assert hint in refusal.value.hint
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_trial_cant_be_exported(tmp_path, data):
    ledger = Store(tmp_path / "arena.db")
    by_hand(ledger, data)
    ledger.release("by-hand", "interrupted")
    ledger.close()
    with pytest.raises(StoreError, match="trial 3 is interrupted"):
        write_submission(tmp_path / "arena.db", "by-hand", 3, tmp_path / "out", None, lambda text: None)


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_an_export_overwrites_nothing(store, tmp_path, kind):
    to = tmp_path / "out"
    if kind == "folder":
        to.mkdir()
    elif kind == "file":
        to.write_text("precious")
    else:
        to.symlink_to("nowhere")
    with pytest.raises(ConfigError, match="exists, and an export overwrites nothing"):
        write_submission(store, "real", None, to, None, lambda text: None)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_place_that_cant_be_written_is_an_error(store, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="can't write") as refusal:
        write_submission(store, "real", None, tmp_path / "file" / "out", None, lambda text: None)
    assert "--to" in refusal.value.hint


def test_a_disk_that_fills_up_leaves_no_half_folder(store, tmp_path):
    # the model has 3 MB, so it is cut while it is written
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        with pytest.raises(ConfigError, match="can't write"):
            write_submission(store, "real", None, tmp_path / "out", None, lambda text: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
