"""A golf folder: export, verify, run the script, verify again; every way to tamper with it, and hostile weights."""

import dataclasses
import hashlib
import json
import math
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import zstandard
from bundled import loaded
from tiny_vocabulary import TRAIN, VALID
from tiny_vocabulary import model as tiny_model

from autoresearch.replaying import Again
from autoresearch.session import run_key
from autoresearch.submission import golf_schema, write
from autoresearch.submission.golf_facts import compliance
from autoresearch.submission.golf_logs import logs_behind, read_log
from autoresearch.submission.golf_write import check_size
from autoresearch.submission.verify import verify_submission
from autoresearch.submission.write import write_submission
from autoresearch.worker import versions
from bench import tracks
from bench.cards import cards
from bench.catalog import CATALOG, full_pick
from bench.config import Budget
from bench.data.tokens import build
from bench.divisions import baseline
from bench.errors import BreachError, ConfigError, StoreError
from bench.records import Failure, Reason
from bench.run import run
from bench.techniques.evaluator.windows import Windows
from bench.tracks import GOLF, GOLF_CPU
from studies.asked import Proposal
from studies.definitions import StudySpec
from studies.ownership import this_process
from studies.store import Store

FILES = {"README.md", "submission.json", "train_gpt.py", "requirements.txt", "model.arena", "train_seed1001.log"}
NOWHERE = "/nowhere/at/all"
TRACK = dataclasses.replace(GOLF_CPU, eval_bytes=16_385, rung_eval_bytes=4_097)


class Here:
    device_class, threads = "cpu/test", 1


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", autouse=True)
def miniature():
    """The track with little to score: every export, replay and check scores once more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracks, "TRACKS", (*(track for track in tracks.TRACKS if track is not GOLF_CPU), TRACK))
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("golf")


@pytest.fixture(scope="module")
def corpus(home):
    """As many pieces as the contest's vocabulary has, and as little to score as a corpus may have."""
    pieces = tiny_model(tuple(f"~{n}" for n in range(644)))
    return build("text:tiny", (TRAIN, VALID[:212]), pieces, home / "shards", lambda line: None)


@pytest.fixture(scope="module")
def store(home, corpus):
    """A baseline, a recipe that beats it, one that failed, one under way; each real one run in this process."""
    ledger = Store(home / "arena.db")
    spec = StudySpec(
        name="golf", track_name=GOLF_CPU.name, division_name="open", n_trials=5,
        budget=Budget(steps=10, batch=4, seq_len=64), corpus_name=corpus.name, corpus_digest=corpus.digest,
        data=str(corpus.folder),
    )  # fmt: skip
    ledger.begin(spec, cards(), this_process())
    small = baseline(spec.budget, GOLF_CPU.name).replaced(
        "shape", [full_pick("shape", "sized", {"n_layer": 3, "n_head": 4, "head_width": 16})]
    )
    faster = small.replaced("schedule", [full_pick("schedule", "warmdown", {"steps": 10})])
    ledger.artifacts.mkdir(exist_ok=True)
    for number, config in enumerate((small, faster, small.replaced("logits", []), small.replaced("features", []))):
        if number == 3:
            config = small.replaced("ffn", [full_pick("ffn", "leaky_relu2", {})])
        ledger.propose(
            "golf", Proposal(number=number, config=config, proposer="tpe", rule="r", reason="why", params={})
        )
        run_id, _ = ledger.start("golf", number, run_key(TRACK, 1001, corpus, Here), versions())
        if number == 2:
            failure = Failure(fingerprint="", seed=1001, reason=Reason.DIVERGED, step=7, message="no number")
            ledger.finish(run_id, failure)
        if number < 2:
            points = []
            finished = run(config, 1001, corpus, TRACK, points.append)
            ledger.add_points(run_id, points)
            (ledger.artifacts / f"{number}.arena").write_bytes(finished.artifact)
            ledger.finish(run_id, finished.result, f"{number}.arena")
    rung = dataclasses.replace(small, budget=dataclasses.replace(small.budget, short=True))
    ledger.propose("golf", Proposal(number=4, config=rung, proposer="tpe", rule="r", reason="why", params={}))
    under_a_clock(ledger, small, corpus)
    ledger.close()
    return home / "arena.db"


def under_a_clock(ledger, config, corpus):
    """A study of one run that its budget in seconds ended, whose model was not kept."""
    config = dataclasses.replace(config, budget=Budget(steps=5_000, batch=2, seq_len=64, seconds=0.4))
    spec = StudySpec(
        name="clock", track_name=GOLF_CPU.name, division_name="open", n_trials=1, budget=config.budget,
        corpus_name=corpus.name, corpus_digest=corpus.digest, data=str(corpus.folder),
    )  # fmt: skip
    ledger.begin(spec, cards(), this_process())
    ledger.propose("clock", Proposal(number=0, config=config, proposer="tpe", rule="r", reason="why", params={}))
    run_id, _ = ledger.start("clock", 0, run_key(TRACK, 1001, corpus, Here), versions())
    points = []
    finished = run(config, 1001, corpus, TRACK, points.append)
    ledger.add_points(run_id, points)
    ledger.finish(run_id, finished.result)


@pytest.fixture(scope="module")
def spoken():
    return []


@pytest.fixture(scope="module")
def exported(store, home, spoken):
    return write_submission(store, "golf", 1, home / "out" / "entry", None, spoken.append)


@pytest.fixture
def copy(exported, tmp_path):
    """For tampering; its script is short, for reading the whole one is most of a check."""
    folder = shutil.copytree(exported, tmp_path / "copy")
    (folder / "train_gpt.py").write_text("import torch\n")
    return folder


def looked_at(folder, data=NOWHERE):
    return {check.item: check for check in verify_submission(folder, str(data))}


def failing(folder, data=NOWHERE):
    return {item for item, check in looked_at(folder, data).items() if check.verdict == "fail"}


def restate(folder, **changes):
    file = folder / "submission.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


# the round trip


def test_export_verify_run_verify(exported, corpus, tmp_path):
    """The script alone, as a process of its own that can't see our packages."""
    assert {path.name for path in exported.iterdir()} == FILES
    found = looked_at(exported, corpus.folder)
    assert {check.item for check in found.values() if check.verdict == "fail"} == set()
    assert "scored again" in found["weights A5"].evidence
    folder = shutil.copytree(exported, tmp_path / "alone")
    paths = {"DATA_PATH": str(corpus.folder), "TOKENIZER_PATH": str(corpus.folder / "tokenizer.model")}
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SEED", "RUN_ID")}
    done = subprocess.run(
        [sys.executable, "-P", "train_gpt.py"], cwd=folder, env=inherited | paths, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "logs" / "train_seed1001.arena").read_bytes() == (folder / "model.arena").read_bytes()
    logged = read_log("train_seed1001.log", (folder / "logs" / "train_seed1001.txt").read_text())
    recorded = read_log("train_seed1001.log", (folder / "train_seed1001.log").read_text())
    untimed = {"train_seconds": 0, "eval_seconds": 0}
    assert vars(logged) | untimed == vars(recorded) | untimed
    assert losses(done.stdout) == losses((folder / "train_seed1001.log").read_text())
    shutil.copy(folder / "logs" / "train_seed1001.txt", folder / "train_seed1001.log")
    again = looked_at(folder, corpus.folder)
    assert {item: check.verdict for item, check in again.items()} == {i: c.verdict for i, c in found.items()}


def test_a_run_that_a_clock_ended_is_repeated_at_its_recorded_pace(store, corpus, home, tmp_path, monkeypatch, capsys):
    def again(run_view, config, corpus, watch, pace):
        assert len(pace) == run_view.step < config.budget.steps
        finished = run(config, run_view.seed, corpus, TRACK, watch, recorded=pace)
        return Again(finished.result, finished.artifact, "cpu/test")

    monkeypatch.setattr(write, "run_again", again)
    folder = write_submission(store, "clock", None, tmp_path / "clock", None, lambda text: None)
    assert {path.name for path in folder.iterdir()} == FILES | {"pace_seed1001.csv"}
    assert failing(folder) == set()
    assert "PACE_PATH=pace_seed1001.csv DATA_PATH=" in (folder / "README.md").read_text()
    recorded = (folder / "train_seed1001.log").read_text()
    assert "stopping_early: wallclock_cap" in recorded
    monkeypatch.chdir(folder)
    for name, value in (("DATA_PATH", "."), ("TOKENIZER_PATH", "tokenizer.model")):
        monkeypatch.setenv(name, str(corpus.folder / value))
    monkeypatch.setenv("PACE_PATH", "pace_seed1001.csv")
    loaded(Path("train_gpt.py").read_text(), "train_gpt.py").main()
    assert losses(capsys.readouterr().out) == losses(recorded)
    assert Path("logs/train_seed1001.arena").read_bytes() == Path("model.arena").read_bytes()


def losses(text):
    return re.findall(r"^step:\d+/\d+ (?:train_loss:\S+|val_loss:\S+ val_bpb:\S+)", text, re.MULTILINE)


def test_the_numbers_are_in_the_contests_units(exported, corpus, store):
    plain = json.loads((exported / "submission.json").read_text())
    assert golf_schema.flaws(plain) == []
    ledger = Store(store)
    trial = next(t for t in ledger.read.trials("golf") if t.number == 1)
    ledger.close()
    per_byte = corpus.tokens_per_byte(corpus.valid[: TRACK.eval_bytes])
    assert plain["val_bpb"] == pytest.approx(trial.val_loss / math.log(2))
    assert plain["val_loss"] * per_byte == pytest.approx(trial.val_loss)
    sizes = [(exported / name).stat().st_size for name in ("train_gpt.py", "model.arena")]
    assert (plain["bytes_code"], plain["bytes_total"]) == (sizes[0], sum(sizes))


def test_one_seed_is_exported_as_non_record_and_says_so(exported, spoken):
    assert "exported as non-record: it has 1 seed where a record needs 3" in spoken
    assert json.loads((exported / "submission.json").read_text())["track"] == "non-record-16mb"
    page = (exported / "README.md").read_text()
    for wanted in ("**Non-record.**", "golf-cpu, which is not the contest", "1 seed where a record needs 3"):
        assert wanted in page


def test_the_page_has_each_change_with_its_delta(exported, store):
    page = (exported / "README.md").read_text()
    ledger = Store(store)
    base, better = [t.val_loss for t in ledger.read.trials("golf")][:2]
    ledger.close()
    assert f"| schedule | `warmdown(steps=10)` | {(better - base) / math.log(2):+.5f} |" in page
    assert "| shape | `sized(head_width=16)` | not measured |" in page
    assert "torchrun --standalone --nproc_per_node=1 train_gpt.py" in page
    assert str(store.parent) not in page


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
def test_a_trial_without_a_score_is_no_golf_submission(store, tmp_path, trial, problem):
    with pytest.raises(StoreError, match=problem):
        write_submission(store, "golf", trial, tmp_path / "out", None, lambda text: None)
    assert list(tmp_path.iterdir()) == []


def test_a_pruned_trial_is_no_golf_submission(store, tmp_path):
    shutil.copy(store, tmp_path / "arena.db")
    with sqlite3.connect(tmp_path / "arena.db") as ledger:
        ledger.execute("UPDATE trial SET state = 'pruned' WHERE number = 3")
    with pytest.raises(StoreError) as refusal:
        write_submission(tmp_path / "arena.db", "golf", 3, tmp_path / "out", None, lambda text: None)
    assert refusal.value.problem == "trial 3 was pruned: it was stopped before it had a score"
    assert refusal.value.hint == "export a trial that ran to its end; leave --trial out for the best one"
    assert not (tmp_path / "out").exists()


def test_an_evaluator_that_breaks_a_rule_is_not_exported(store, tmp_path, monkeypatch):
    monkeypatch.setattr(Windows, "breaks", "C4: it scores a token twice", raising=False)
    with pytest.raises(BreachError) as refusal:
        write_submission(store, "golf", 1, tmp_path / "out", None, lambda text: None)
    assert refusal.value.problem == "evaluator is windows, which breaks a rule of golf: C4: it scores a token twice"


def test_a_recipe_that_learns_at_evaluation_states_that_it_scores_first():
    seeds = [SimpleNamespace(run=SimpleNamespace(train_seconds=1.0, eval_seconds=1.0))] * 3
    config = baseline(GOLF.budget, GOLF.name)
    entry = SimpleNamespace(config=config, seeds=seeds, shipped=SimpleNamespace(artifact_bytes=1))
    assert "score_first_ttt" not in compliance(entry)
    entry.config = config.replaced("evaluator", [full_pick("evaluator", "score_first_sgd", {})])
    assert compliance(entry)["score_first_ttt"] is True


def test_a_target_that_exists_is_left_alone(store, exported):
    with pytest.raises(ConfigError, match="an export overwrites nothing"):
        write_submission(store, "golf", 1, exported, None, lambda text: None)


# tampering


@pytest.mark.parametrize(
    ("change", "item", "said"),
    [
        ({"val_bpb": 0.9}, "score as logged", "val_bpb is 0.9, the logs have "),
        ({"val_bpb": 0.91234}, "page", "the page names no val_bpb of 0.91234"),
        ({"val_bpb": "0.9"}, "submission.json", "val_bpb is no number above zero"),
        ({"bytes_total": 16_000_001}, "submission.json", "bytes_total is 16,000,001, over 16,000,000"),
        ({"bytes_total": 12_345}, "sizes as logged", "bytes_total is 12,345, the logs have "),
        ({"date": "yesterday"}, "submission.json", "date"),
        ({"track": "mine"}, "submission.json", "track"),
        ({"seeds": [1, 2]}, "submission.json", "seeds has others"),
        ({"compliance": {"no_slot": False}}, "submission.json", "does not say true for no_slot"),
        ({"track": "10min_16mb"}, "seeds S2", "1 seed with a log where 3 are usual"),
    ],
)
def test_a_false_statement_fails_its_item(copy, change, item, said):
    restate(copy, **change)
    check = looked_at(copy)[item]
    assert check.verdict == "fail"
    assert said in check.evidence


@pytest.mark.parametrize(
    ("line", "item", "said"),
    [
        ("final_int8_zlib_roundtrip_exact val_loss:2.0 val_bpb:1.1", "score as logged", "the logs have 1.1 "),
        ("stopping_early: wallclock_cap train_time:600300ms step:9/10", "training time T1", "600.300 s at most"),
        (
            "final_int8_zlib_roundtrip val_loss:2.0 val_bpb:1.1 eval_time:600001ms",
            "evaluation time E1",
            "600.0 s, the ",
        ),
        (
            "train_loader:dataset:fineweb10B_sp1024\nval_tokens:63779840",
            "validation split E3",
            "where sp1024 has 62,021,632",
        ),
        ("train_loader:dataset:x train_shards:1499", "shards", "trains on validation documents"),
        ("Code size: 7 bytes", "sizes as logged", "train_seed1001.log: 7 of code and "),
    ],
)
def test_a_record_whose_log_breaks_a_rule_fails(copy, line, item, said):
    restate(copy, track="10min_16mb")
    log = copy / "train_seed1001.log"
    log.write_text(f"{line}\n{log.read_text()}{line}\n")
    check = looked_at(copy)[item]
    assert check.verdict == "fail"
    assert said in check.evidence


def test_one_changed_bit_in_the_weights_fails(copy):
    raw = bytearray((copy / "model.arena").read_bytes())
    for at, said in ((len(raw) // 2, "the compressed part "), (20, "does not match its checksum")):
        raw[at] ^= 1
        (copy / "model.arena").write_bytes(raw)
        check = looked_at(copy)["weights A5"]
        raw[at] ^= 1
        assert check.verdict == "fail"
        assert said in check.evidence


def test_weights_one_byte_over_the_cap_fail(copy):
    room = GOLF.max_artifact_bytes - (copy / "train_gpt.py").stat().st_size
    for size, fails in ((room, False), (room + 1, True)):
        with (copy / "model.arena").open("wb") as file:
            file.truncate(size)
        assert ("size A1" in failing(copy)) is fails


@pytest.mark.parametrize(
    ("line", "item", "said"),
    [
        ("from bench.run import run", "code A2", "it imports bench"),
        ("import importlib; importlib.import_module('autoresearch.cli')", "code A2", "it imports autoresearch"),
        ("import requests", "network E2", "requests"),
        ("import subprocess; subprocess.run(['curl', 'x'])", "network E2", "curl"),
        ("train_files = sorted(glob('fineweb_val_*.bin'))", "validation data V1", "goes into train_files"),
        ("loader = DistributedTokenLoader(args.val_files, 0)", "validation data V1", "DistributedTokenLoader"),
        ("def broken(:", "script F3", "does not compile"),
        pytest.param("x = " + "(" * 5_000, "script F3", "does not compile", id="nested"),
    ],
)
def test_a_script_that_may_not_be_fails(copy, line, item, said):
    script = copy / "train_gpt.py"
    script.write_text(f"{script.read_text()}\n{line}\n")
    check = looked_at(copy)[item]
    assert check.verdict == "fail"
    assert said in check.evidence


def test_links_pipes_and_what_leads_out_of_the_folder_are_not_read(copy):
    (copy / "train_seed7.log").symlink_to("/etc/passwd")
    os.mkfifo(copy / "train_seed8.log")
    (copy / "deep").symlink_to("/")
    said = looked_at(copy)["files F2"].evidence
    assert "train_seed7.log is a link" in said
    assert "train_seed8.log is no plain file" in said


# hostile weights: refused by what they say of themselves


def head(codec, raw_bytes, body):
    return struct.pack("<8sHQ32s", b"ARENAFW\x00", 1, raw_bytes, bytes(32)) + codec.ljust(16, b"\x00") + body


class Evil:
    def __reduce__(self):
        return (Path.touch, (Path("/tmp/executed-by-pickle"),))


def hostile(kind):
    import pickle

    match kind:
        case "pickle":
            return pickle.dumps(Evil())
        case "petabytes":
            return head(b"zlib", 2**53, zlib.compress(b"x"))
        case "zstandard bomb":
            # the frame holds 20 MB, its header says 9
            return head(b"zstd", 9_000_000, zstandard.ZstdCompressor().compress(bytes(20_000_000)))
        case "zlib bomb":
            return head(b"zlib", 1_000, zlib.compress(bytes(5_000_000)))
        case "path as codec":
            return head(b"../../etc/passwd", 10, b"x")


def with_header(packed, change):
    """A packed model that says something else of itself, with a checksum that fits."""
    raw = zlib.decompress(packed[66:])
    (length,) = struct.unpack_from("<I", raw)
    header = json.loads(raw[4 : 4 + length])
    change(header["config"])
    changed = json.dumps(header).encode()
    raw = struct.pack("<I", len(changed)) + changed + raw[4 + length :]
    return (
        packed[:10] + struct.pack("<Q32s", len(raw), hashlib.sha256(raw).digest()) + packed[50:66] + zlib.compress(raw)
    )


@pytest.mark.parametrize(
    ("change", "verdict", "said"),
    [
        (lambda config: config["budget"].update(seq_len=10**9), "fail", "1,000,000,000"),
        (lambda config: config["picks"]["shape"][0]["knobs"].update(n_layer=10**9), "fail", "n_layer = 1000000000"),
        (lambda config: config.update(track="../../etc/passwd"), "fail", "there is no track named ../../etc/passwd"),
        (lambda config: config.update(track="featherweight"), "fail", "its header says featherweight"),
        (
            lambda config: config["picks"].update(
                mixer=[{"name": "brought", "knobs": {"title": "x", "code": "1 / 0"}}]
            ),
            "can't tell",
            "its header brings code, which is not run",
        ),
    ],
)
def test_weights_that_ask_for_too_much_or_bring_code_are_not_built(copy, change, verdict, said):
    packed = (copy / "model.arena").read_bytes()
    assert with_header(packed, lambda config: None)[:10] == packed[:10]
    (copy / "model.arena").write_bytes(with_header(packed, change))
    log = copy / "train_seed1001.log"
    log.write_text(re.sub(r" sha256:\w+", "", log.read_text()))
    check = looked_at(copy)["weights A5"]
    assert said in check.evidence
    assert check.verdict == verdict


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("pickle", "which we do not have"),
        ("petabytes", "claims 9,007,199,254,740,992 bytes"),
        ("zstandard bomb", "claims another size than its header"),
        ("zlib bomb", "another size than its header says"),
        ("path as codec", "the codec '../../etc/passwd', which we do not have"),
    ],
)
def test_hostile_weights_are_refused(copy, kind, said):
    (copy / "model.arena").write_bytes(hostile(kind))
    check = looked_at(copy)["weights A5"]
    assert check.verdict == "fail"
    assert said in check.evidence
    assert not Path("/tmp/executed-by-pickle").exists()


def test_pickled_weights_beside_ours_are_never_opened(copy):
    (copy / "model.arena").rename(copy / "final_model.pt")
    check = looked_at(copy)["weights A5"]
    assert check.verdict == "can't tell"
    assert "not opened, for it may be pickle: final_model.pt" in check.evidence


# what the schema accepts

GOOD = {
    "author": "A", "github_id": "a", "name": "n", "date": "2026-03-18T14:56:29Z", "val_loss": 2.07269931,
    "val_bpb": 1.2243657, "bytes_total": 15_863_489, "bytes_code": 47_642, "blurb": "b",
}  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"track": "10min_16mb", "val_bpb_std": 0.0004, "seeds": [1], "seed_results": {"1": {"val_bpb": 1.2243657}}},
        {"seeds": {"42": {"val_bpb": 1.22436}}},
        {"track": "non-record-16mb", "compliance": {"no_slot": True, "three_seeds": False}},
    ],
)
def test_the_good_models_pass_the_schema(more):
    assert golf_schema.flaws(GOOD | more) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"github_id": None}, "github_id missing"),
        ({"bytes_code": 15_863_489}, "bytes_code is 15,863,489 of 15,863,489 in all"),
        ({"bytes_total": 16_638_468}, "bytes_total is 16,638,468, over 16,000,000"),
        ({"seeds": [1, 2], "seed_results": {"1": {"val_bpb": 1.2}, "2": {"val_bpb": 1.3}}}, "the seeds' mean is 1.25"),
        ({"seeds": [1, 2], "seed_results": {"1": {}}}, "seeds has others"),
        ({"compliance": {"three_seeds": False}}, "does not say true for three_seeds"),
        ({"val_bpb": float("inf")}, "val_bpb is no number above zero"),
    ],
)
def test_the_bad_ones_are_flagged(change, said):
    assert said in "; ".join(golf_schema.flaws(GOOD | change))


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "[]", '{"val_bpb": NaN}'])
def test_what_is_no_table_is_refused(text):
    with pytest.raises(ConfigError):
        golf_schema.read(text)


# logs, as the contest's scripts write them

LINES = """print(f"final_int8_zlib_roundtrip_exact val_loss:{x:.8f}")
train_shards: 80
val_tokens: 40540160
step:100/200 val_loss:3.0000 val_bpb:1.3000
stopping_early: wallclock_cap train_time: 588138ms step: 4988/20000
Code size: 15516 bytes
Serialized model quantized+brotli: 15972031 bytes
Total submission size: 99999999 bytes
Total submission size quantized+brotli: 15987547 bytes
final_sliding_window_eval_exact stride:64 val_loss:2.9 val_bpb:1.2
1776144156.999 quantized_ttt_phased val_loss:2.76951521 val_bpb:1.07216564 eval_time:500104ms
"""


def test_the_lines_that_count_are_read():
    log = read_log("train_seed7.log", LINES)
    assert (log.seed, log.score_line, log.val_bpb) == (7, "quantized_ttt_phased", 1.07216564)
    assert (log.train_seconds, log.eval_seconds) == (588.138, 500.104)
    assert (log.code_bytes, log.model_bytes, log.total_bytes) == (15_516, 15_972_031, 15_987_547)
    assert (log.train_shards, log.valid_tokens) == (80, 40_540_160)
    assert log.scores["final_sliding_window_eval_exact"] == 1.2


def test_of_two_logs_with_one_seed_the_one_behind_the_score_is_found():
    logs = [read_log(f"train_seed{seed}{kind}.log", f"quantized_ttt val_loss:2.0 val_bpb:{score}\n")
            for seed, kind, score in ((1, "a", 1.10001), (1, "b", 1.20001), (2, "", 1.40001))]  # fmt: skip
    assert [log.name for log in logs_behind(1.30001, "quantized_ttt", logs)] == ["train_seed1b.log", "train_seed2.log"]
    assert logs_behind(1.05001, "quantized_ttt", logs) == ()


def test_significance_is_judged_by_both_rules(tmp_path):
    """Three seeds against the record that is dated before it."""
    track = tmp_path / "track_10min_16mb"
    for name, scores in (("2026-03-18_Old", (1.2,)), ("2026-03-20_New", (1.1961, 1.1962, 1.1963))):
        (track / name).mkdir(parents=True)
        plain = GOOD | {"val_bpb": sum(scores) / len(scores), "date": name[:10]}
        (track / name / "submission.json").write_text(json.dumps(plain))
        for seed, score in enumerate(scores):
            text = f"val_loader:x tokens:62021632\nfinal_int8_zlib_roundtrip_exact val_loss:2.0 val_bpb:{score}\n"
            (track / name / f"train_seed{seed}.log").write_text(text)
    found = looked_at(track / "2026-03-20_New")
    for item in ("significance S1", "progression"):
        assert found[item].verdict == "pass"
        assert "against 1.2 (2026-03-18_Old)" in found[item].evidence
    assert "p = 0.00" in found["significance S1"].evidence


def test_every_codec_of_the_catalog_is_known_by_its_name_in_the_clear(copy):
    raw = (copy / "model.arena").read_bytes()
    assert raw[50:66].rstrip(b"\x00").decode() in {codec.name for codec in CATALOG["codec"]}
    assert hashlib.sha256(raw).hexdigest() in (copy / "train_seed1001.log").read_text()
