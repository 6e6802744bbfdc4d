"""Export and verify, round trip: real trials of a tiny study, the card, the script, and what can't be told."""

import shutil
import sqlite3

import pytest
from bundled import loaded
from fighter_study import RESULT_FILES, in_this_process, restate, write_other_text
from submitted import looked_at, verdicts

from autoresearch.replaying import Again
from autoresearch.submission import curve, facts, packed_model, verify
from autoresearch.submission.fighter import from_toml
from autoresearch.submission.write import write_submission
from bench.errors import ArtifactError, DataError
from bench.records import Failure, Reason
from studies.store import Store


def test_the_best_trial_is_exported_whole_and_passes_every_check_to_the_bit(exported, data):
    assert {path.name for path in exported.iterdir()} == RESULT_FILES
    found = looked_at(exported, data)
    assert {check.verdict for check in found.values()} == {"pass"}
    assert "to the bit" in found["val_loss"].evidence


def test_the_best_trial_is_the_one_with_the_lowest_val_loss(exported, store):
    ledger = Store(store)
    best = min(t.val_loss for t in ledger.read.trials("real"))
    ledger.close()
    stated = facts.from_json((exported / "submission.json").read_text())
    assert stated.score.val_loss == best


def test_exporting_twice_gives_the_same_bytes(exported, store, tmp_path):
    again = write_submission(store, "real", None, tmp_path / "again", None, lambda text: None)
    assert all((again / name).read_bytes() == (exported / name).read_bytes() for name in RESULT_FILES)


def test_a_model_that_was_not_kept_is_made_again_bit_for_bit(exported, store, tmp_path, data, monkeypatch):
    monkeypatch.setattr(packed_model, "run_again", in_this_process)
    moved = tmp_path / "moved.db"
    with sqlite3.connect(store) as source, sqlite3.connect(moved) as target:
        source.backup(target)
    said = []
    again = write_submission(moved, "real", None, tmp_path / "again", data, said.append)
    assert "the kept model is missing or damaged" in said
    assert (again / "model.arena").read_bytes() == (exported / "model.arena").read_bytes()


def test_a_damaged_kept_model_is_never_shipped(store, tmp_path, data, monkeypatch):
    shutil.copy(store, tmp_path / "arena.db")
    folder = shutil.copytree(store.with_suffix(".artifacts"), tmp_path / "arena.artifacts")
    (kept,) = folder.iterdir()
    kept.write_bytes(b"damaged")
    crashed = Failure(fingerprint="", seed=1, reason=Reason.CRASHED, step=0, message="oh")
    monkeypatch.setattr(packed_model, "run_again", lambda *args: Again(crashed, None, "cpu/other"))
    with pytest.raises(ArtifactError) as refusal:
        write_submission(tmp_path / "arena.db", "real", None, tmp_path / "out", data, lambda text: None)
    assert "can't be made again: recorded val_loss" in refusal.value.problem
    assert "now crashed: oh" in refusal.value.problem
    assert "cpu/other now" in refusal.value.hint
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_a_model_is_not_made_again_from_another_text(store, tmp_path):
    moved = shutil.copy(store, tmp_path / "arena.db")
    write_other_text(tmp_path)
    with pytest.raises(DataError, match="was on text:tiny"):
        write_submission(moved, "real", None, tmp_path / "out", str(tmp_path), lambda text: None)


# the card


def test_the_card_says_what_a_reviewer_asks(exported):
    card = (exported / "README.md").read_text()
    stated = facts.from_json((exported / "submission.json").read_text())
    for wanted in (
        f"{stated.score.val_loss:.6f} nats/byte",
        f"{stated.score.val_bpb:.6f} bits/byte",
        "n = 1 seed",
        "Unconfirmed",
        "Exhibition",
        f"{stated.score.weights_bytes:,} bytes",
        f"{stated.spent.parameters:,}",
        f"{stated.spent.train_flops:,}",
        stated.identity.corpus_digest,
        stated.machine.device_class,
        stated.machine.versions["torch"],
        stated.fingerprint,
        stated.origin.reason,
        "1001 (a search seed)",
        "--set optimizer=adamw,lion",
    ):
        assert wanted in card, wanted


def test_no_text_file_names_a_place_on_this_machine(exported, negative, store, data):
    for folder in (exported, negative):
        for path in folder.iterdir():
            if path.name != "model.arena":
                assert not [place for place in (str(store.parent), data, "/home/") if place in path.read_text()]


def test_the_script_trains_the_same_model_with_the_same_losses(exported, data, monkeypatch, capsys, tmp_path):
    assert "DATA_PATH=PATH python train.py" in (exported / "README.md").read_text()
    monkeypatch.setenv("DATA_PATH", data)
    monkeypatch.chdir(tmp_path)
    loaded((exported / "train.py").read_text()).main()
    stated = facts.from_json((exported / "submission.json").read_text())
    assert (tmp_path / "logs" / "seed1001.arena").read_bytes() == (exported / "model.arena").read_bytes()
    assert f"val_loss:{stated.score.val_loss!r} val_bpb:{stated.score.val_bpb!r} " in capsys.readouterr().out
    curves = [curve.from_csv(path.read_text()) for path in (tmp_path / "logs" / "seed1001.csv", exported / "curve.csv")]
    now, recorded = ([(p.step, p.train_loss, p.probe_loss) for p in points] for points in curves)
    assert now == recorded


def test_the_script_trains_on_no_other_text(exported, monkeypatch, capsys, tmp_path):
    write_other_text(tmp_path)
    monkeypatch.setenv("DATA_PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="2"):
        loaded((exported / "train.py").read_text()).main()
    assert "the recorded run was on" in capsys.readouterr().err


def test_the_fighter_is_the_trials_config(exported, store):
    stated = facts.from_json((exported / "submission.json").read_text())
    ledger = Store(store)
    trial = next(t for t in ledger.read.trials("real") if t.number == stated.origin.trial)
    ledger.close()
    assert from_toml((exported / "fighter.toml").read_text()).config == trial.config


# what can't be told


def test_without_the_corpus_the_score_cant_be_told(exported, tmp_path):
    found = looked_at(exported, str(tmp_path / "nowhere"))
    assert found["val_loss"].verdict == "can't tell"
    assert "text:tiny is not here" in found.pop("val_loss").evidence
    assert {check.verdict for check in found.values()} == {"pass"}


def test_another_corpus_cant_tell_the_score(exported, tmp_path):
    write_other_text(tmp_path)
    assert verdicts(exported, str(tmp_path))["val_loss"] == "can't tell"


def test_rules_of_another_version_cant_be_told(copy):
    restate(copy, lambda plain: plain["identity"].update(evaluator_version=2))
    found = looked_at(copy)
    for item in ("identity", "val_loss"):
        assert found[item].verdict == "can't tell"
        assert "evaluator version 2, this is 1" in found[item].evidence


def test_another_device_class_is_given_a_tolerance(exported, data, monkeypatch):
    monkeypatch.setattr(verify, "device_class", lambda: "cpu/other")
    check = looked_at(exported, data)["val_loss"]
    assert check.verdict == "pass"
    assert "another machine, so to 1e-05" in check.evidence
