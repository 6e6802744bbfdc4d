"""The golf script by itself: its environment, its ranks and the pace it is given."""

import dataclasses
import multiprocessing
import os
import socket

import pytest
import torch
from bundled import GOLF_ENTRY, loaded

from autoresearch.submission.golf_logs import read_log
from autoresearch.submission.golf_script import PACE_HEAD, pace_text, read_pace
from autoresearch.submission.recipe import Recorded, script
from bench.catalog import full_pick
from bench.config import Budget
from bench.divisions import baseline
from bench.errors import ConfigError
from bench.records import Pace
from bench.tracks import GOLF_1XGPU


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The script of a recipe whose batch is cut into eight spans, as the contest's is."""
    config = baseline(Budget(steps=4, batch=8, seq_len=16), GOLF_1XGPU.name)
    config = config.replaced("shape", [full_pick("shape", "sized", {"n_layer": 2, "n_head": 4, "head_width": 16})])
    text = script(Recorded(config, 1001, 1), GOLF_ENTRY)
    place = tmp_path_factory.mktemp("script") / "train_gpt.py"
    place.write_text(text)
    module = loaded(text, str(place))
    module.TRACK = dataclasses.replace(module.TRACK, eval_bytes=200, rung_eval_bytes=100, probe_bytes=100)
    return module


@pytest.fixture
def here(alone, token_corpus, monkeypatch, tmp_path):
    """An environment in which the script runs, on the CPU."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_PATH", str(token_corpus.folder))
    monkeypatch.setenv("TOKENIZER_PATH", str(token_corpus.folder / "tokenizer.model"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return tmp_path


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ITERATIONS": "many"}, "ITERATIONS=many is no number"),
        ({"ITERATIONS": "0"}, "make no run"),
        ({"TRAIN_BATCH_TOKENS": "100"}, "a batch of whole sequences"),
        ({"MAX_WALLCLOCK_SECONDS": "nan"}, "make no run"),
        ({"WORLD_SIZE": "3"}, "8 spans for 3 ranks"),
        ({"WORLD_SIZE": "0"}, "make no run"),
        ({"PACE_PATH": "nowhere.csv"}, "PACE_PATH=nowhere.csv is no recorded pace"),
        ({"DATA_PATH": "/nowhere"}, "set DATA_PATH"),
    ],
)
def test_an_environment_that_makes_no_run_is_one_error_and_one_hint(alone, variables, said, monkeypatch, capsys, here):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="2"):
        alone.main()
    error, hint = capsys.readouterr().err.strip().split("\n")
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    assert said in error + hint
    assert list(here.iterdir()) == []


def test_a_second_rank_leaves_the_error_to_the_first(alone, here, monkeypatch, capsys):
    for name, value in (("RANK", "1"), ("WORLD_SIZE", "2"), ("ITERATIONS", "0")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(alone, "LAST_SECONDS", 0.0)
    with pytest.raises(SystemExit, match="2"):
        alone.main()
    assert capsys.readouterr().err == ""


def test_ranks_do_not_share_a_gpu(alone, here, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SystemExit, match="2"):
        alone.main()
    said = capsys.readouterr().err
    assert "error: 2 ranks need a CUDA device each, and this machine has 1\nhint: give --nproc_per_node=1\n" in said


def one_of_two(alone, rank, port):
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "localhost"}
    os.environ |= {"MASTER_PORT": port, "RUN_ID": "two"}
    trains = alone.run

    def together(*given):
        assert alone.Ranks(rank, 2) in given
        return trains(*given)

    alone.run = together
    alone.main()
    os._exit(0)


def test_two_ranks_train_as_one_does_and_the_first_writes(alone, here):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    # forked, because torch takes seconds to load; torchrun sets the same variables
    ranks = [multiprocessing.get_context("fork").Process(target=one_of_two, args=(alone, r, port)) for r in (0, 1)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(120)
    assert [process.exitcode for process in ranks] == [0, 0]
    alone.main()
    assert sorted(path.name for path in (here / "logs").iterdir()) == [
        *("train_seed1001.arena", "train_seed1001.txt", "two.arena", "two.txt"),
    ]
    two, one = (read_log(name, (here / "logs" / name).read_text()) for name in ("two.txt", "train_seed1001.txt"))
    assert two.val_loss == pytest.approx(one.val_loss, rel=1e-4)
    assert two.model_bytes == pytest.approx(one.model_bytes, rel=1e-2)


def test_a_pace_is_read_back_to_the_bit(tmp_path):
    pace = (Pace(1.0, 5_000), Pace(0.1 + 0.2, 1234.5678901234567), Pace(0.0, 3.0))
    (tmp_path / "pace.csv").write_text(pace_text(pace))
    assert read_pace(tmp_path / "pace.csv", 3) == pace


@pytest.mark.parametrize(
    "text",
    ["", "x", PACE_HEAD, f"{PACE_HEAD}\n1.0", f"{PACE_HEAD}\n1.0,2,3", f"{PACE_HEAD}\nnan,2", f"{PACE_HEAD}\n1.0,0",
     f"{PACE_HEAD}\n1.0,9\n1.0,9\n1.0,9", "lr\n1.0,2"],
)  # fmt: skip
def test_what_is_no_recorded_pace_is_refused(tmp_path, text):
    (tmp_path / "pace.csv").write_text(text)
    with pytest.raises(ConfigError, match="is no recorded pace"):
        read_pace(tmp_path / "pace.csv", 2)
