"""What a golf folder may state and what its logs show, without a folder of ours."""

import json

import pytest
from submitted import looked_at

from autoresearch.submission import golf_schema
from autoresearch.submission.golf_logs import logs_behind, read_log
from bench.errors import ConfigError

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
