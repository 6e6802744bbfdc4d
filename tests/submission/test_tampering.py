"""Every way to tamper with a folder, of a scored run or of a negative result."""

import os
import random
from xml.etree import ElementTree

import pytest
from fighter_study import RESULT_FILES, restate, tampered_with
from submitted import NOWHERE, failing, looked_at, verdicts

from autoresearch.submission import facts
from autoresearch.submission.verify import verify_submission

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
        ("batch = 2", "batch = 0", "fighter", "budget.batch = 0 is no whole number above zero"),
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
