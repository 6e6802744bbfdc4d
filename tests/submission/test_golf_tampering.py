"""Every way to tamper with a golf folder, and weights that are hostile."""

import hashlib
import json
import os
import re
import struct
import zlib
from pathlib import Path

import pytest
import zstandard
from golf_study import miniature, restate
from submitted import failing, looked_at

from bench.catalog import CATALOG
from bench.tracks import GOLF


@pytest.fixture(autouse=True)
def little_to_score():
    with miniature():
        yield


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
def test_a_false_statement_fails_its_item(golf_copy, change, item, said):
    restate(golf_copy, **change)
    check = looked_at(golf_copy)[item]
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
def test_a_record_whose_log_breaks_a_rule_fails(golf_copy, line, item, said):
    restate(golf_copy, track="10min_16mb")
    log = golf_copy / "train_seed1001.log"
    log.write_text(f"{line}\n{log.read_text()}{line}\n")
    check = looked_at(golf_copy)[item]
    assert check.verdict == "fail"
    assert said in check.evidence


def test_one_changed_bit_in_the_weights_fails(golf_copy):
    raw = bytearray((golf_copy / "model.arena").read_bytes())
    for at, said in ((len(raw) // 2, "the compressed part "), (20, "does not match its checksum")):
        raw[at] ^= 1
        (golf_copy / "model.arena").write_bytes(raw)
        check = looked_at(golf_copy)["weights A5"]
        raw[at] ^= 1
        assert check.verdict == "fail"
        assert said in check.evidence


def test_weights_one_byte_over_the_cap_fail(golf_copy):
    room = GOLF.max_artifact_bytes - (golf_copy / "train_gpt.py").stat().st_size
    for size, fails in ((room, False), (room + 1, True)):
        with (golf_copy / "model.arena").open("wb") as file:
            file.truncate(size)
        assert ("size A1" in failing(golf_copy)) is fails


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
def test_a_script_that_may_not_be_fails(golf_copy, line, item, said):
    script = golf_copy / "train_gpt.py"
    script.write_text(f"{script.read_text()}\n{line}\n")
    check = looked_at(golf_copy)[item]
    assert check.verdict == "fail"
    assert said in check.evidence


def test_links_pipes_and_what_leads_out_of_the_folder_are_not_read(golf_copy):
    (golf_copy / "train_seed7.log").symlink_to("/etc/passwd")
    os.mkfifo(golf_copy / "train_seed8.log")
    (golf_copy / "deep").symlink_to("/")
    said = looked_at(golf_copy)["files F2"].evidence
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
def test_weights_that_ask_for_too_much_or_bring_code_are_not_built(golf_copy, change, verdict, said):
    packed = (golf_copy / "model.arena").read_bytes()
    assert with_header(packed, lambda config: None)[:10] == packed[:10]
    (golf_copy / "model.arena").write_bytes(with_header(packed, change))
    log = golf_copy / "train_seed1001.log"
    log.write_text(re.sub(r" sha256:\w+", "", log.read_text()))
    check = looked_at(golf_copy)["weights A5"]
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
def test_hostile_weights_are_refused(golf_copy, kind, said):
    (golf_copy / "model.arena").write_bytes(hostile(kind))
    check = looked_at(golf_copy)["weights A5"]
    assert check.verdict == "fail"
    assert said in check.evidence
    assert not Path("/tmp/executed-by-pickle").exists()


def test_pickled_weights_beside_ours_are_never_opened(golf_copy):
    (golf_copy / "model.arena").rename(golf_copy / "final_model.pt")
    check = looked_at(golf_copy)["weights A5"]
    assert check.verdict == "can't tell"
    assert "not opened, for it may be pickle: final_model.pt" in check.evidence


def test_every_codec_of_the_catalog_is_known_by_its_name_in_the_clear(golf_copy):
    raw = (golf_copy / "model.arena").read_bytes()
    assert raw[50:66].rstrip(b"\x00").decode() in {codec.name for codec in CATALOG["codec"]}
    assert hashlib.sha256(raw).hexdigest() in (golf_copy / "train_seed1001.log").read_text()
