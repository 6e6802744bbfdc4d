"""Fetching golf's shards, against a server of this machine that cuts connections and tells wrong sizes."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from tiny_vocabulary import model

from bench.data import fineweb
from bench.data.capitals import MARKS
from bench.data.fineweb_fetch import fetch_fineweb
from bench.data.shards import write_shard
from bench.errors import DataError
from bench.tracks import CASEOPS, SP8192


class Site:
    """Files by path, and what goes wrong with them."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cuts: dict[str, int] = {}  # how many answers to cut in the middle
        self.ranges: list[str] = []
        self.paths: list[str] = []
        self.ignores_ranges = False


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path / "cache"))
    found = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            found.paths.append(self.path)
            if name not in found.files:
                return self.send_error(404)
            whole = found.files[name]
            start = 0
            if (asked := self.headers.get("Range")) and not found.ignores_ranges:
                found.ranges.append(f"{name} {asked}")
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(whole):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(whole)}")
                    return self.end_headers()
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(whole) - start))
            self.end_headers()
            body = whole[start:]
            if found.cuts.get(name, 0) > 0:
                found.cuts[name] -= 1
                body = body[: len(body) // 2]
            self.wfile.write(body)
            return None

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    stats = {"name": "fineweb10B_sp1024", "stats": {"files_train": 3, "files_val": 1}}
    found.files["manifest.json"] = json.dumps({"datasets": [stats]}).encode()
    found.files["fineweb_1024_bpe.model"] = model()
    for number, name in enumerate(("val_000000", "train_000000", "train_000001", "train_000002")):
        write_shard(tmp_path / "shard", np.full(4_000 + number, 200, np.uint16))
        found.files[f"fineweb_{name}.bin"] = (tmp_path / "shard").read_bytes()
    yield found
    server.shutdown()
    server.server_close()


def official(url: str) -> fineweb.Export:
    return replace(fineweb.EXPORTS[0], source=url)


def fetch(site, n: int = 1, lines: list[str] | None = None):
    return fetch_fineweb(official(site.url), n, (lines if lines is not None else []).append)


def test_the_shards_asked_for_arrive_with_progress(site):
    lines: list[str] = []
    corpus = fetch(site, 2, lines)
    assert (len(corpus.train), len(corpus.valid)) == (4_001 + 4_002, 4_000)
    assert any("fineweb_train_000001.bin: 0.0 of 0.0 MB" in line for line in lines)
    assert fineweb.load_fineweb(fineweb.EXPORTS[0]).digest == corpus.digest


def test_what_is_there_is_not_fetched_again(site):
    fetch(site, 1)
    site.files["fineweb_train_000000.bin"] = b"changed"
    assert len(fetch(site, 2).train) == 4_001 + 4_002


def test_a_cut_connection_goes_on_where_it_stopped(site):
    site.cuts["fineweb_train_000000.bin"] = 2
    lines: list[str] = []
    assert len(fetch(site, 1, lines).train) == 4_001
    size = len(site.files["fineweb_train_000000.bin"])
    assert sum("cut off after" in line for line in lines) == 2
    assert site.ranges[0] == f"fineweb_train_000000.bin bytes={size // 2}-"


def test_a_connection_that_stays_cut_is_an_error_and_the_next_command_goes_on(site):
    site.cuts["fineweb_train_000000.bin"] = 3
    with pytest.raises(DataError, match=r"was cut off after [\d,]+ bytes") as refusal:
        fetch(site)
    assert "what has come is kept" in refusal.value.hint
    assert fineweb.load_fineweb(fineweb.EXPORTS[0]) is None
    site.ranges.clear()
    assert len(fetch(site).train) == 4_001
    assert len(site.ranges) == 1


def test_a_server_without_ranges_is_read_from_the_start(site):
    site.cuts["fineweb_train_000000.bin"] = 1
    site.ignores_ranges = True
    assert len(fetch(site).train) == 4_001


def test_a_whole_part_left_behind_is_taken_as_it_is(site):
    fineweb.cache_folder(fineweb.EXPORTS[0]).mkdir(parents=True)
    part = fineweb.cache_folder(fineweb.EXPORTS[0]) / "fineweb_train_000000.bin.part"
    part.write_bytes(site.files["fineweb_train_000000.bin"])
    assert len(fetch(site).train) == 4_001


def test_a_part_that_is_longer_than_the_file_is_thrown_away(site):
    fineweb.cache_folder(fineweb.EXPORTS[0]).mkdir(parents=True)
    part = fineweb.cache_folder(fineweb.EXPORTS[0]) / "fineweb_train_000000.bin.part"
    part.write_bytes(bytes(20_000))
    with pytest.raises(DataError, match="gave 20,000 bytes, announced were 9,026"):
        fetch(site)
    assert not part.exists()


def test_a_file_of_the_wrong_size_is_refused(site):
    site.files["fineweb_train_000000.bin"] = site.files["fineweb_train_000000.bin"][:-2]
    with pytest.raises(DataError, match="4,001 tokens, as its header says, need"):
        fetch(site)


def test_a_file_that_is_not_there_and_a_server_that_is_not_there(site):
    del site.files["fineweb_val_000000.bin"]
    with pytest.raises(DataError, match="the server says 404"):
        fetch(site)
    with pytest.raises(DataError, match="can't reach"):
        fetch_fineweb(official("http://127.0.0.1:9"), 1, print)


def test_more_shards_than_there_are_is_refused(site):
    with pytest.raises(DataError, match="--shards is 4") as refusal:
        fetch(site, 4)
    assert "3 train shards are published" in refusal.value.hint


def test_a_list_in_another_form_is_refused(site):
    site.files["manifest.json"] = b'{"datasets": []}'
    with pytest.raises(DataError, match="is no list of shards"):
        fetch(site)


def test_a_larger_vocabulary_is_fetched_under_its_own_names_into_its_own_folder(site):
    (larger,) = (export for export in fineweb.EXPORTS if export.tokenizer is SP8192)
    listed = [
        {"name": f"fineweb10B_{name}", "stats": {"files_train": n, "files_val": 1}}
        for name, n in (("sp1024", 3), ("sp8192", 1))
    ]
    site.files["manifest.json"] = json.dumps({"datasets": listed}).encode()
    site.files["fineweb_8192_bpe.model"] = model(tuple(f"~{n}" for n in range(200)))
    with pytest.raises(DataError, match="--shards is 2") as refusal:
        fetch_fineweb(replace(larger, source=site.url), 2, print)
    assert refusal.value.hint == "1 train shards are published; ask for 1 or more"
    corpus = fetch_fineweb(replace(larger, source=site.url), 1, print)
    assert corpus.folder.name == corpus.name == "fineweb-sp8192"
    assert {path.rpartition("/")[0] for path in site.paths} == {
        "", "/tokenizers", "/datasets/fineweb10B_sp8192",
    }  # fmt: skip
    assert fineweb.load_fineweb(larger).digest == corpus.digest
    assert fineweb.load_fineweb(fineweb.EXPORTS[0]) is None


def test_capitals_apart_are_fetched_with_the_bytes_of_each_validation_token(site, tmp_path):
    (export,) = (export for export in fineweb.EXPORTS if export.tokenizer is CASEOPS)
    listed = {
        "name": "fineweb10B_sp8192_lossless_caps_caseops_v1_reserved",
        "stats": {"files_train": 80, "files_val": 1},
    }
    site.files["manifest.json"] = json.dumps({"datasets": [listed]}).encode()
    site.files["fineweb_8192_bpe_lossless_caps_caseops_v1_reserved.model"] = model(symbols=MARKS)
    write_shard(tmp_path / "counts", np.ones(4_000, np.uint16))
    with pytest.raises(DataError, match="the server says 404"):
        fetch_fineweb(replace(export, source=site.url), 1, print)
    site.files["fineweb_val_bytes_000000.bin"] = (tmp_path / "counts").read_bytes()
    corpus = fetch_fineweb(replace(export, source=site.url), 1, print)
    assert (len(corpus.train), len(corpus.valid), corpus.byte_count(4_000)) == (4_001, 4_000, 3_999)
    assert site.paths[-2].endswith(
        "/datasets/fineweb10B_sp8192_lossless_caps_caseops_v1_reserved/fineweb_val_bytes_000000.bin"
    )
    assert corpus.folder.name == "fineweb-caseops8192"
