"""A golf folder: export, verify, run the script, verify again; and what can't be exported."""

import json
import math
import re
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest
from bundled import loaded
from golf_study import TRACK, miniature, run_alone
from submitted import failing, looked_at

from autoresearch.replaying import Again
from autoresearch.submission import golf_schema, packed_model
from autoresearch.submission.golf_facts import compliance
from autoresearch.submission.golf_logs import read_log
from autoresearch.submission.golf_write import check_size
from autoresearch.submission.write import write_submission
from bench.catalog import full_pick
from bench.divisions import baseline
from bench.errors import BreachError, ConfigError, StoreError
from bench.run import run
from bench.techniques.evaluator.windows import Windows
from bench.tracks import GOLF
from studies.store import Store

FILES = {"README.md", "submission.json", "train_gpt.py", "requirements.txt", "model.arena", "train_seed1001.log"}


@pytest.fixture(autouse=True)
def little_to_score():
    with miniature():
        yield


def test_export_verify_run_verify(golf_exported, golf_corpus, tmp_path):
    assert {path.name for path in golf_exported.iterdir()} == FILES
    found = looked_at(golf_exported, golf_corpus.folder)
    assert {check.item for check in found.values() if check.verdict == "fail"} == set()
    assert "scored again" in found["weights A5"].evidence
    folder = shutil.copytree(golf_exported, tmp_path / "alone")
    printed = run_alone(folder, golf_corpus)
    assert (folder / "logs" / "train_seed1001.arena").read_bytes() == (folder / "model.arena").read_bytes()
    logged = read_log("train_seed1001.log", (folder / "logs" / "train_seed1001.txt").read_text())
    recorded = read_log("train_seed1001.log", (folder / "train_seed1001.log").read_text())
    untimed = {"train_seconds": 0, "eval_seconds": 0}
    assert vars(logged) | untimed == vars(recorded) | untimed
    assert losses(printed) == losses((folder / "train_seed1001.log").read_text())
    shutil.copy(folder / "logs" / "train_seed1001.txt", folder / "train_seed1001.log")
    again = looked_at(folder, golf_corpus.folder)
    assert {item: check.verdict for item, check in again.items()} == {i: c.verdict for i, c in found.items()}


def test_a_run_that_a_clock_ended_is_repeated_at_its_recorded_pace(
    golf_store, golf_corpus, tmp_path, monkeypatch, capsys
):
    def again(run_view, config, corpus, watch, pace):
        assert len(pace) == run_view.step < config.budget.steps
        finished = run(config, run_view.seed, corpus, TRACK, watch, recorded=pace)
        return Again(finished.result, finished.artifact, "cpu/test")

    monkeypatch.setattr(packed_model, "run_again", again)
    folder = write_submission(golf_store, "clock", None, tmp_path / "clock", None, lambda text: None)
    assert {path.name for path in folder.iterdir()} == FILES | {"pace_seed1001.csv"}
    assert failing(folder) == set()
    assert "PACE_PATH=pace_seed1001.csv DATA_PATH=" in (folder / "README.md").read_text()
    recorded = (folder / "train_seed1001.log").read_text()
    assert "stopping_early: wallclock_cap" in recorded
    monkeypatch.chdir(folder)
    for name, value in (("DATA_PATH", "."), ("TOKENIZER_PATH", "tokenizer.model")):
        monkeypatch.setenv(name, str(golf_corpus.folder / value))
    monkeypatch.setenv("PACE_PATH", "pace_seed1001.csv")
    loaded(Path("train_gpt.py").read_text(), "train_gpt.py").main()
    assert losses(capsys.readouterr().out) == losses(recorded)
    assert Path("logs/train_seed1001.arena").read_bytes() == Path("model.arena").read_bytes()


def losses(text):
    return re.findall(r"^step:\d+/\d+ (?:train_loss:\S+|val_loss:\S+ val_bpb:\S+)", text, re.MULTILINE)


def test_the_numbers_are_in_the_contests_units(golf_exported, golf_corpus, golf_store):
    plain = json.loads((golf_exported / "submission.json").read_text())
    assert golf_schema.flaws(plain) == []
    ledger = Store(golf_store)
    trial = next(t for t in ledger.read.trials("golf") if t.number == 1)
    ledger.close()
    per_byte = golf_corpus.tokens_per_byte(TRACK.eval_bytes)
    assert plain["val_bpb"] == pytest.approx(trial.val_loss / math.log(2))
    assert plain["val_loss"] * per_byte == pytest.approx(trial.val_loss)
    sizes = [(golf_exported / name).stat().st_size for name in ("train_gpt.py", "model.arena")]
    assert (plain["bytes_code"], plain["bytes_total"]) == (sizes[0], sum(sizes))


def test_one_seed_is_exported_as_non_record_and_says_so(golf_exported, golf_said):
    assert "exported as non-record: it has 1 seed where a record needs 3" in golf_said
    assert json.loads((golf_exported / "submission.json").read_text())["track"] == "non-record-16mb"
    page = (golf_exported / "README.md").read_text()
    for wanted in ("**Non-record.**", "golf-cpu, which is not the contest", "1 seed where a record needs 3"):
        assert wanted in page


def test_the_page_has_each_change_with_its_delta(golf_exported, golf_store):
    page = (golf_exported / "README.md").read_text()
    ledger = Store(golf_store)
    base, better = [t.val_loss for t in ledger.read.trials("golf")][:2]
    ledger.close()
    assert f"| schedule | `warmdown(steps=10)` | {(better - base) / math.log(2):+.5f} |" in page
    assert "| shape | `sized(head_width=16)` | not measured |" in page
    assert "torchrun --standalone --nproc_per_node=1 train_gpt.py" in page
    assert str(golf_store.parent) not in page


def test_a_sum_of_code_and_weights_is_held_to_the_cap():
    check_size(100, GOLF.max_artifact_bytes - 100, GOLF)
    with pytest.raises(BreachError) as refusal:
        check_size(101, GOLF.max_artifact_bytes - 100, GOLF)
    assert refusal.value.problem == "101 bytes of code and 15,999,900 of weights are 1 over golf's 16,000,000"


@pytest.mark.parametrize(
    ("trial", "problem"),
    [
        (2, "trial 2 has no score: it ended diverged at step 7"),
        (3, "trial 3 is running: it has neither a score nor an ending"),
        (4, "trial 4 is a short run of 10 steps, a rung and no entry"),
        (9, "has no trial 9"),
    ],
)
def test_a_trial_without_a_score_is_no_golf_submission(golf_store, tmp_path, trial, problem):
    with pytest.raises(StoreError, match=problem):
        write_submission(golf_store, "golf", trial, tmp_path / "out", None, lambda text: None)
    assert list(tmp_path.iterdir()) == []


def test_a_pruned_trial_is_no_golf_submission(golf_store, tmp_path):
    shutil.copy(golf_store, tmp_path / "arena.db")
    with sqlite3.connect(tmp_path / "arena.db") as ledger:
        ledger.execute("UPDATE trial SET state = 'pruned' WHERE number = 3")
    with pytest.raises(StoreError) as refusal:
        write_submission(tmp_path / "arena.db", "golf", 3, tmp_path / "out", None, lambda text: None)
    assert refusal.value.problem == "trial 3 was pruned: it was stopped before it had a score"
    assert refusal.value.hint == "export a trial that ran to its end; leave --trial out for the best one"
    assert not (tmp_path / "out").exists()


def test_an_evaluator_that_breaks_a_rule_is_not_exported(golf_store, tmp_path, monkeypatch):
    monkeypatch.setattr(Windows, "breaks", "C4: it scores a token twice", raising=False)
    with pytest.raises(BreachError) as refusal:
        write_submission(golf_store, "golf", 1, tmp_path / "out", None, lambda text: None)
    assert refusal.value.problem == "evaluator is windows, which breaks a rule of golf: C4: it scores a token twice"


def test_a_recipe_that_learns_at_evaluation_states_that_it_scores_first():
    seeds = [SimpleNamespace(run=SimpleNamespace(train_seconds=1.0, eval_seconds=1.0))] * 3
    config = baseline(GOLF.budget, GOLF.name)
    entry = SimpleNamespace(config=config, seeds=seeds, shipped=SimpleNamespace(artifact_bytes=1))
    assert "score_first_ttt" not in compliance(entry)
    entry.config = config.replaced("evaluator", [full_pick("evaluator", "score_first_sgd", {})])
    assert compliance(entry)["score_first_ttt"] is True


def test_a_target_that_exists_is_left_alone(golf_store, golf_exported):
    with pytest.raises(ConfigError, match="an export overwrites nothing"):
        write_submission(golf_store, "golf", 1, golf_exported, None, lambda text: None)
