"""A mixer of the user's own, from the page that explains it to a verified folder; and files that misbehave."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from brought_files import GOOD, after_mean
from commands import command

from autoresearch.executor import Limits
from autoresearch.starting import examine_start, read_fighter
from bench.data.choose import load_corpus
from bench.errors import ConfigError
from studies.reading import Reader

PAGE = Path(__file__).parents[2] / "docs" / "bring-your-own-fighter.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """What the page says to write, as files."""
    made = tmp_path_factory.mktemp("own")
    for kind, name in (("python", "my_mixer.py"), ("toml", "fighter.toml")):
        (text,) = re.findall(f"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)
        (made / name).write_text(text)
    return made


@pytest.fixture(scope="module")
def fought(folder, tiny_text) -> "subprocess.CompletedProcess[str]":
    """The page's own command, with few steps on a tiny text."""
    (line,) = re.findall(r"^autoresearch (--division community --from .*) --trials 20$", PAGE.read_text(), re.M)
    few = ("--trials", "2", "--steps", "3", "--jobs", "1", "--study", "own")
    return command(*line.split(), *few, "--data", str(tiny_text), "--store", "arena.db", folder=folder)


def test_the_pages_example_fights(fought, folder):
    assert fought.returncode == 0, fought.stderr
    trials = Reader(folder / "arena.db").trials("own")
    assert [(t.proposer, t.state.value) for t in trials] == [("baseline", "complete"), ("user", "complete")]
    assert trials[1].config.pick("mixer").shown == {"window": 6}


def test_no_line_that_is_printed_holds_the_mixers_text(fought, folder):
    shown = command("show", "own", "--store", "arena.db", folder=folder)
    assert "brought:windowed_mean(window=6)" in shown.stdout
    for said in (fought.stdout, fought.stderr, shown.stdout):
        assert "import" not in said
        assert "class" not in said


def test_an_export_holds_the_mixer_and_verify_runs_it_only_when_told(fought, folder, tiny_text):
    data = ("--data", str(tiny_text))
    done = command("export", "own", "--trial", "1", "--to", "sub", "--store", "arena.db", *data, folder=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "sub" / "mixer.py").read_text() == (folder / "my_mixer.py").read_text()
    assert read_fighter(folder / "sub" / "fighter.toml").config == Reader(folder / "arena.db").trials("own")[1].config
    careful = json.loads(command("verify", "sub", "--json", *data, folder=folder).stdout)
    open_ = {check["item"] for check in careful if check["verdict"] == "can't tell"}
    assert open_ == {"builds", "caps", "costs", "artifact", "val_loss"}
    assert {c["evidence"] for c in careful if c["item"] in open_} == {
        "this fighter brings code of its own; --run-code runs it"
    }
    assert not [check for check in careful if check["verdict"] == "fail"]
    trusting = json.loads(command("verify", "sub", "--json", "--run-code", *data, folder=folder).stdout)
    assert {check["verdict"] for check in trusting} == {"pass"}


def test_a_run_of_a_brought_mixer_repeats_to_the_bit(fought, folder, tiny_text):
    (run,) = [t.run.id for t in Reader(folder / "arena.db").trials("own") if t.number == 1]
    again = command("replay", str(run), "--store", "arena.db", "--data", str(tiny_text), folder=folder)
    assert "the same, to the bit" in again.stdout, again.stderr


def test_a_mixer_that_looks_ahead_is_refused_before_anything_is_written(folder, tiny_text):
    (folder / "ahead.py").write_text(after_mean("mean_BTD = mean_BTD.flip(1)"))
    refused = command("--from", "ahead.py", "--store", "none.db", "--data", str(tiny_text), folder=folder)
    assert refused.returncode == 2
    assert "error: brought:recent_mean looks ahead: bytes that come later move what it says" in refused.stderr
    assert not (folder / "none.db").exists()


def examined(code: str, tmp_path: Path, tiny_text: Path, limits: Limits) -> None:
    (tmp_path / "mixer.py").write_text(code)
    examine_start(read_fighter(tmp_path / "mixer.py").config, load_corpus(str(tiny_text)), limits)


ROOMY = Limits(seconds=120.0)
MISBEHAVING = {
    "hangs": ("while True: pass", Limits(seconds=1.0), "ended after 1 s"),
    "leaves for good": ("__import__('os')._exit(7)", ROOMY, "the worker process ended by itself with exit code 7"),
    "eats memory": (
        "eaten = []\n        while True: eaten.append(bytearray(b'x' * 10_000_000))",
        Limits(seconds=120.0, memory_bytes=1_000_000_000),
        "ended above 1,000,000,000 bytes of memory",
    ),
}


@pytest.mark.parametrize(("line", "limits", "problem"), MISBEHAVING.values(), ids=MISBEHAVING)
def test_a_mixer_that_misbehaves_takes_only_its_worker_with_it(line, limits, problem, tmp_path, tiny_text):
    with pytest.raises(ConfigError) as wrong:
        examined(after_mean(line), tmp_path, tiny_text, limits)
    assert wrong.value.problem.startswith(problem)


def test_what_a_mixer_prints_does_not_reach_the_coordinator(tmp_path, tiny_text):
    noisy = "import os\nprint('{\"done\": 1}')\nos.write(1, b'not json\\n')\n" + GOOD
    examined(noisy.replace(GOOD, after_mean("print('again', flush=True)")), tmp_path, tiny_text, ROOMY)
