"""Export and verify, round trip: real trials of a tiny study, every way to tamper with a folder, every refusal."""

import hashlib
import json
import os
import random
import resource
import shutil
import sqlite3
from xml.etree import ElementTree

import pytest
import torch
from bundled import loaded

from autoresearch.replaying import Again
from autoresearch.session import run_key
from autoresearch.submission import curve, facts, verify, write
from autoresearch.submission.fighter import from_toml
from autoresearch.submission.verify import verify_submission
from autoresearch.submission.write import write_submission
from autoresearch.worker import device_class, versions
from bench.cards import cards
from bench.catalog import full_pick
from bench.config import Budget
from bench.data.choose import load_corpus
from bench.divisions import baseline
from bench.errors import ArtifactError, ConfigError, DataError, StoreError
from bench.records import Failure, Point, Reason
from bench.run import run
from bench.tracks import track_named
from studies.asked import Proposal
from studies.definitions import StudySpec
from studies.ownership import this_process
from studies.store import Store

BUDGET = Budget(steps=12, batch=4)
RESULT_FILES = {
    *("fighter.toml", "model.arena", "README.md", "curve.csv", "curve.svg", "submission.json", "train.py"),
}
LOG = 'Traceback\n  File "/home/someone/site-packages/torch/nn.py", line 1\n```\nRuntimeError: | oh'


def spec_named(name, data):
    corpus = load_corpus(data)
    return StudySpec(
        name=name, track_name="featherweight", division_name="optimizer", n_trials=2, budget=BUDGET,
        corpus_name=corpus.name, corpus_digest=corpus.digest, data=data, settings=("optimizer=adamw,lion",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    torch.set_num_threads(1)
    return tmp_path_factory.mktemp("submission")


@pytest.fixture(scope="module")
def data(home):
    """A small text of one's own."""
    rng = random.Random(3)
    words = ["the", "a", "cat", "dog", "ball", "tree", "sat", "ran", "saw", "took", "Tom", "Lily", "and", "home", "big"]
    for side, n in (("train", 160), ("valid", 17)):
        stories = (f"{side} {i} " + " ".join(rng.choice(words) for _ in range(170)) for i in range(n))
        (home / f"tiny_{side}.txt").write_text("\n<|endoftext|>\n".join(stories))
    return str(home)


@pytest.fixture(scope="module")
def store(home, data):
    """A ledger with a study of two real trials, and one by hand with a trial in every other state."""
    path = home / "arena.db"
    ledger = Store(path)
    real(ledger, data)
    by_hand(ledger, data)
    ledger.close()
    return path


class Here:
    """An executor's account of this machine."""

    device_class, threads = device_class(), 1


def real(ledger, data):
    """The baseline and another, trained in this process: a worker takes longer to load torch; the better is kept."""
    spec, corpus = spec_named("real", data), load_corpus(data)
    ledger.begin(spec, cards(), this_process())
    ledger.artifacts.mkdir(exist_ok=True)
    ended = []
    for number, proposer in enumerate(("baseline", "tpe")):
        config = baseline(BUDGET)
        if number:
            config = config.replaced("optimizer", [full_pick("optimizer", "lion", {})])
        ledger.propose(
            "real", Proposal(number=number, config=config, proposer=proposer, rule="r", reason="why", params={})
        )
        run_id, _ = ledger.start("real", number, run_key(spec.track, spec.seed, corpus, Here), versions())
        points = []
        finished = run(config, spec.seed, corpus, spec.track, points.append)
        ledger.add_points(run_id, points)
        ended.append((finished.result.val_loss, run_id, finished))
    best = min(ended)[1]
    for _, run_id, finished in ended:
        if run_id == best:
            (ledger.artifacts / "best.arena").write_bytes(finished.artifact)
        ledger.finish(run_id, finished.result, "best.arena" if run_id == best else None)
    ledger.release("real", "done")


def in_this_process(again, config, corpus, watch, pace):
    finished = run(config, again.seed, corpus, track_named(config.track), watch, recorded=pace)
    return Again(finished.result, finished.artifact, device_class())


def by_hand(ledger, data):
    spec, corpus = spec_named("by-hand", data), load_corpus(data)
    key = run_key(spec.track, spec.seed, corpus, Here)
    ledger.begin(spec, cards(), this_process())
    for number, lr in enumerate((0.02, 0.01, 0.005, 0.002)):
        config = baseline(BUDGET).replaced("optimizer", [full_pick("optimizer", "adamw", {"lr": lr})])
        proposal = Proposal(number=number, config=config, proposer="tpe", rule="r", reason="why | not", params={})
        if number == 1:
            ledger.refuse("by-hand", proposal, "it clashes")
            continue
        ledger.propose("by-hand", proposal)
        if number == 0:
            run_id, _ = ledger.start("by-hand", number, key, {"torch": "2"})
            ledger.add_points(run_id, [Point(10, 1.5, 9.25)])
            failure = Failure(
                fingerprint="", seed=spec.seed, reason=Reason.DIVERGED, step=11, message="no number", log_tail=LOG,
                train_seconds=1.75,
            )  # fmt: skip
            ledger.finish(run_id, failure)
        if number == 3:
            ledger.start("by-hand", number, key, {"torch": "2"})


@pytest.fixture(scope="module")
def exported(store, home):
    """The best trial, exported once; tests that tamper take a copy."""
    return write_submission(store, "real", None, home / "exports" / "best", None, lambda text: None)


@pytest.fixture(scope="module")
def negative(store, home):
    return write_submission(store, "by-hand", 0, home / "exports" / "negative", None, lambda text: None)


def tampered_with(folder, tmp_path):
    """A copy whose script is short: reading the whole one is most of a check."""
    copied = shutil.copytree(folder, tmp_path / "copy")
    (copied / "train.py").write_text("import torch\n")
    restate(copied, lambda plain: None)
    return copied


@pytest.fixture
def copy(exported, tmp_path):
    return tampered_with(exported, tmp_path)


# Scoring again costs most of a check, so tests that are not about it name no corpus.
NOWHERE = "/nowhere/at/all"


def looked_at(folder, data=NOWHERE):
    return {check.item: check for check in verify_submission(folder, data)}


def verdicts(folder, data=NOWHERE):
    return {item: check.verdict for item, check in looked_at(folder, data).items()}


def failing(folder, data=NOWHERE):
    return {item for item, verdict in verdicts(folder, data).items() if verdict == "fail"}


def restate(folder, change, seal=True):
    """Rewrite submission.json; sealed, with the checksums of what is there now."""
    plain = json.loads((folder / "submission.json").read_text())
    change(plain)
    if seal:
        for name in plain["files"]:
            raw = (folder / name).read_bytes()
            plain["files"][name] = {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    (folder / "submission.json").write_text(json.dumps(plain))


# the round trip


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
    monkeypatch.setattr(write, "run_again", in_this_process)
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
    monkeypatch.setattr(write, "run_again", lambda *args: Again(crashed, None, "cpu/other"))
    with pytest.raises(ArtifactError) as refusal:
        write_submission(tmp_path / "arena.db", "real", None, tmp_path / "out", data, lambda text: None)
    assert "can't be made again: recorded val_loss" in refusal.value.problem
    assert "now crashed: oh" in refusal.value.problem
    assert "cpu/other now" in refusal.value.hint
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_a_model_is_not_made_again_from_another_text(store, tmp_path):
    moved = shutil.copy(store, tmp_path / "arena.db")
    for side in ("train", "valid"):
        (tmp_path / f"x_{side}.txt").write_text("\n\n".join(f"{side} {i} {'word ' * 200}" for i in range(120)))
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


def test_no_text_file_names_a_place_on_this_machine(exported, negative, home):
    for folder in (exported, negative):
        for path in folder.iterdir():
            if path.name != "model.arena":
                assert str(home) not in path.read_text()
                assert "/home/" not in path.read_text()


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
    for side in ("train", "valid"):
        (tmp_path / f"x_{side}.txt").write_text("\n\n".join(f"{side} {i} {'word ' * 200}" for i in range(120)))
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


# a negative result


def test_a_failed_trial_is_exported_as_a_negative_result_and_passes(negative):
    assert {path.name for path in negative.iterdir()} == RESULT_FILES - {"model.arena"}
    found = verdicts(negative)
    assert set(found.values()) == {"pass"}
    assert "ending" in found
    assert "val_loss" not in found


def test_a_negative_result_says_why_it_ended_and_what_it_cost(negative):
    card = (negative / "README.md").read_text()
    for wanted in ("negative result", "**diverged** at step 11", "no number", "1.8 s", "RuntimeError: | oh"):
        assert wanted in card, wanted
    # the log holds three backticks of its own, so its fence is longer
    assert "````text\nTraceback" in card
    assert "why \\| not" in card
    ElementTree.parse(negative / "curve.svg")


@pytest.mark.parametrize(
    ("change", "item"),
    [
        (lambda plain: plain["failure"].update(reason="tired"), "ending"),
        (lambda plain: plain["failure"].update(reason="refused"), "ending"),
        (lambda plain: plain["failure"].update(message=" "), "ending"),
        (lambda plain: plain["failure"].update(step=3), "ending"),
        (lambda plain: plain.update(failure=None), "facts"),
        (lambda plain: plain["spent"].update(train_flops=1), "costs"),
        (lambda plain: plain["spent"].update(steps=5), "curve"),
    ],
)
def test_a_negative_result_that_hides_something_fails(negative, tmp_path, change, item):
    folder = tampered_with(negative, tmp_path)
    restate(folder, change)
    assert item in failing(folder)


def test_a_negative_result_holds_no_model(negative, tmp_path):
    folder = tampered_with(negative, tmp_path)
    (folder / "model.arena").write_bytes(b"x")
    assert failing(folder) == {"files"}


# tampering


def test_one_flipped_bit_in_the_artifact_fails(copy):
    raw = bytearray((copy / "model.arena").read_bytes())
    raw[len(raw) // 2] ^= 1
    (copy / "model.arena").write_bytes(raw)
    assert {"checksums", "artifact", "weights_bytes"} <= failing(copy)
    assert verdicts(copy)["val_loss"] == "can't tell"


def test_no_damage_to_an_artifact_ends_in_a_traceback(copy):
    sound = (copy / "model.arena").read_bytes()
    rng = random.Random(1)
    for _ in range(12):
        raw = bytearray(sound)
        raw[rng.randrange(200)] ^= 1 << rng.randrange(8)
        (copy / "model.arena").write_bytes(raw[: rng.choice((len(raw), 60, 3))])
        assert "checksums" in failing(copy)


def test_an_edited_val_loss_fails_though_all_else_agrees(copy, data):
    def flatter(plain):
        score = plain["score"]
        score["val_loss"] -= 0.25
        score["val_bpb"] = facts.bits(score["val_loss"])
        score["delta"] = score["val_loss"] - score["baseline_val_loss"]

    restate(copy, flatter)
    assert failing(copy, data) == {"val_loss"}


@pytest.mark.parametrize(
    ("change", "items"),
    [
        (lambda plain: plain["score"].update(val_loss=1.0), {"score"}),
        (lambda plain: plain["score"].update(delta=-9.0), {"score"}),
        (lambda plain: plain["score"].update(baseline_trial=None), {"score"}),
        (lambda plain: plain["score"].update(val_loss=float("nan")), {"facts"}),
        (lambda plain: plain["score"].update(weights_bytes=1), {"weights_bytes"}),
        (lambda plain: plain["score"].update(artifact_sha256="0"), {"weights_bytes"}),
        (lambda plain: plain.update(fingerprint="0" * 32), {"fingerprint"}),
        (lambda plain: plain.update(seed=1002), {"fingerprint"}),
        (lambda plain: plain.update(division="open"), {"division"}),
        (lambda plain: plain.update(exhibition=False), {"identity"}),
        (lambda plain: plain["identity"].update(steps=500), {"identity"}),
        (lambda plain: plain["spent"].update(parameters=1), {"costs", "artifact"}),
        (lambda plain: plain["spent"].update(steps=11), {"costs", "curve"}),
        (lambda plain: plain.update(n_seeds=8), {"identity"}),
        (lambda plain: plain["files"].clear(), {"checksums"}),
        (lambda plain: plain["files"].update({"../README.md": plain["files"]["README.md"]}), {"checksums"}),
    ],
)
def test_a_false_statement_fails_its_item(copy, change, items):
    restate(copy, change, seal=False)
    assert failing(copy) == items


@pytest.mark.parametrize("name", sorted(RESULT_FILES))
def test_a_missing_file_is_a_failed_check(copy, name):
    (copy / name).unlink()
    failed = failing(copy)
    assert ("facts" if name == "submission.json" else "files") in failed


@pytest.mark.parametrize("name", sorted(RESULT_FILES))
def test_a_link_is_never_followed(copy, name):
    (copy / name).rename(copy.parent / name)
    (copy / name).symlink_to(copy.parent / name)
    checks = verify_submission(copy, NOWHERE)
    assert f"{name} is a link" in " ".join(check.evidence for check in checks if check.verdict == "fail")


def test_a_pipe_a_folder_and_a_monster_are_not_read(copy):
    for name in ("curve.csv", "README.md", "model.arena"):
        (copy / name).unlink()
    os.mkfifo(copy / "curve.csv")
    (copy / "README.md").mkdir()
    with (copy / "model.arena").open("wb") as file:
        file.truncate(10**12)
    said = looked_at(copy)["files"].evidence
    assert "curve.csv is no plain file" in said
    assert "README.md is no plain file" in said
    assert "model.arena has 1,000,000,000,000 bytes" in said


def test_a_fighter_made_to_keep_the_parser_busy_is_not_parsed(copy):
    (copy / "fighter.toml").write_text(".".join(["a"] * 50_000) + " = 1")
    assert "10,000 is the most we read" in looked_at(copy)["fighter"].evidence


def test_other_files_are_named_and_not_opened(copy):
    os.mkfifo(copy / "pipe\x1b[2J")
    assert failing(copy) == set()
    assert "not opened: pipe [2J" in looked_at(copy)["files"].evidence


@pytest.mark.parametrize(
    ("old", "new", "item", "said"),
    [
        ("steps = 12", "steps = 1000000000000", "fighter", "steps is 1,000,000,000,000"),
        ("seq_len = 96", "seq_len = 1000000000", "fighter", "seq_len is 1,000,000,000"),
        ("batch = 4", "batch = 0", "fighter", "budget.batch = 0 is no whole number above zero"),
        ('track = "featherweight"', 'track = "golf"', "division", "there is no division named optimizer"),
        ('track = "featherweight"', 'track = "x"', "fighter", "there is no track named x"),
        ('division = "optimizer"', 'division = "x"', "division", "the fighter enters x"),
        ("[picks.mixer.softmax]", "[picks.mixer.secret]", "fighter", "no technique named secret"),
        ("mult = 4", "mult = 400", "fighter", "ffn.mult = 400 is outside"),
        ("mult = 4", "mult = 3", "division", "ffn is relu2(mult=3), but optimizer fixes it"),
        (
            "[picks.mixer_modifiers]",
            "[picks.mixer_modifiers.nope]\n[picks.mixer_modifiers.partial_rope]\nturned = 16",
            "builds",
            "clashes with nope",
        ),
    ],
)
def test_a_fighter_that_may_not_enter_fails(copy, old, new, item, said):
    text = (copy / "fighter.toml").read_text()
    assert old in text
    (copy / "fighter.toml").write_text(text.replace(old, new))
    restate(copy, lambda plain: None)
    check = looked_at(copy)[item]
    assert check.verdict == "fail"
    assert said in check.evidence


def test_broken_text_is_a_failed_check(copy):
    for name in ("fighter.toml", "curve.csv", "submission.json"):
        (copy / name).write_bytes(b"\xff\xfe{")
    assert {"facts", "fighter", "curve"} <= failing(copy)


# what can't be told


def test_without_the_corpus_the_score_cant_be_told(exported, tmp_path):
    found = looked_at(exported, str(tmp_path / "nowhere"))
    assert found["val_loss"].verdict == "can't tell"
    assert "text:tiny is not here" in found.pop("val_loss").evidence
    assert {check.verdict for check in found.values()} == {"pass"}


def test_another_corpus_cant_tell_the_score(exported, tmp_path):
    for side in ("train", "valid"):
        (tmp_path / f"x_{side}.txt").write_text("\n\n".join(f"{side} {i} {'word ' * 200}" for i in range(120)))
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


# requests that can't be honoured


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
