"""The table of golf's artifacts: the same weights in every way, each row what packing and scoring give."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from autoresearch import artifacts
from autoresearch.artifacts import CODECS, HEAD, OFFICIAL, WAYS, Way
from bench.artifact import pack, unpack
from bench.catalog import full_pick, realise, refusals
from bench.config import Budget
from bench.data.tokens import load
from bench.divisions import GOLF_CPU_OPEN

PAGE = (Path(__file__).parents[2] / "docs" / "golf.md").read_text()


@pytest.fixture
def tiny(token_corpus, monkeypatch):
    """A folder of shards; the command trains two steps and packs in three ways with two codecs."""
    base = artifacts.BASE.replaced(
        "shape", [full_pick("shape", "sized", {"n_layer": 1, "n_head": 4, "head_width": 16})]
    )
    monkeypatch.setattr(artifacts, "BASE", replace(base, budget=Budget(steps=2, batch=2, seq_len=16)))
    monkeypatch.setattr(artifacts, "SCORED", 201)
    # its vocabulary is too small for the track
    monkeypatch.setattr(artifacts, "corpus_for", lambda track, folder: load(Path(folder)))
    monkeypatch.setattr(
        artifacts, "WAYS", (OFFICIAL, Way("int_rows", {"bits": 3}), Way("sdclip", modifiers={"gptq": {}}))
    )
    monkeypatch.setattr(artifacts, "CODECS", {name: CODECS[name] for name in ("zlib", "lzma")})
    return token_corpus.folder


def test_a_row_says_what_packing_and_scoring_give(tiny, capsys, monkeypatch):
    kept = []
    honest = artifacts.trained
    monkeypatch.setattr(artifacts, "trained", lambda *given: kept.append(honest(*given)) or kept[-1])
    artifacts.artifacts(str(tiny))
    said, _, _, _, *rows = capsys.readouterr().out.splitlines()
    assert re.match(
        r"text:tiny \w{8}, 2 steps, \d\.\d{4} bits per byte before packing on 200 tokens; device class", said
    )
    assert [row.split(" | ")[0] for row in rows] == ["| int8_clipped", "| int_rows(bits=3)", "| sdclip + gptq"]
    (model, _), corpus = kept[0], load(tiny)
    for way, row in zip(artifacts.WAYS, rows, strict=True):
        config = way.config(artifacts.BASE)
        _, gap, *sizes = row.strip("| ").split(" | ")
        files = [
            pack(model, config.replaced("codec", [full_pick("codec", c, dict(k))]))
            for c, k in CODECS.items()
            if c in ("zlib", "lzma")
        ]
        assert sizes == [f"{len(file):,}" for file in files]
        scores = [artifacts.bits_per_byte(m, config, corpus) for m in (unpack(files[0], config), model)]
        assert float(gap) == pytest.approx(1000 * (scores[0] - scores[1]), abs=0.006)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.label)
def test_every_way_is_one_that_the_division_admits(way):
    config = way.config(artifacts.BASE)
    assert refusals(config) == GOLF_CPU_OPEN.breaches(config) == []
    assert realise(config).precision.name == way.precision


def test_the_page_has_the_table_of_these_ways():
    rows = re.findall(rf"^\| (.+?) \| [+-]\d+\.\d\d(?: \| [\d,]+){{{len(CODECS)}}} \|$", PAGE, re.MULTILINE)
    assert rows == [way.label for way in WAYS], "run `python -m autoresearch.artifacts`"
    assert f"| {HEAD} |" in PAGE
