"""A golf folder with its script packed: it runs alike, and what it holds lies beside it, letter for letter."""

import json
import shutil

import pytest
from golf_study import miniature, run_alone
from submitted import failing, looked_at

from autoresearch.submission.write import write_submission
from bench.errors import ConfigError


@pytest.fixture(autouse=True)
def little_to_score():
    with miniature():
        yield


@pytest.fixture(scope="module")
def folder(golf_store):
    with miniature():
        return write_submission(golf_store, "golf", 1, golf_store.parent / "packed", None, lambda text: None, pack=True)


@pytest.fixture
def changed(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "changed")


def test_it_passes_runs_and_gives_the_same_weights_for_fewer_bytes(folder, golf_exported, golf_corpus, tmp_path):
    found = looked_at(folder, golf_corpus.folder)
    assert {check.item for check in found.values() if check.verdict == "fail"} == set()
    assert found["code A2"].verdict == "pass"
    assert found["script F3"].evidence.endswith("train_gpt_readable.py is what it runs, letter for letter")
    script, readable = ((folder / name).read_bytes() for name in ("train_gpt.py", "train_gpt_readable.py"))
    assert readable == (golf_exported / "train_gpt.py").read_bytes()
    assert len(script) < len(readable) / 2
    stated = json.loads((folder / "submission.json").read_text())
    assert stated["bytes_code"] == len(script)
    assert (folder / "requirements.txt").read_text() == (golf_exported / "requirements.txt").read_text()
    assert "train_gpt_readable.py" in (folder / "README.md").read_text()
    alone = shutil.copytree(folder, tmp_path / "alone")
    printed = run_alone(alone, golf_corpus)
    assert (alone / "logs" / "train_seed1001.arena").read_bytes() == (folder / "model.arena").read_bytes()
    assert f"Code size: {len(script)} bytes" in printed


def test_a_readable_copy_that_is_another_program_fails(changed):
    (changed / "train_gpt_readable.py").write_text("import torch\n")
    assert failing(changed) == {"script F3"}


def test_without_the_copy_or_with_more_code_beside_it_it_says_so(changed):
    (changed / "train_gpt_readable.py").unlink()
    assert looked_at(changed)["script F3"].evidence.endswith(", packed")
    (changed / "kernels.py").write_text("import torch\n")
    found = looked_at(changed)["code A2"]
    assert (found.verdict, "kernels.py" in found.evidence) == ("can't tell", True)


def test_where_no_code_is_counted_none_is_packed(store, tmp_path):
    with pytest.raises(ConfigError, match="where no code is counted"):
        write_submission(store, "real", None, tmp_path / "out", None, lambda text: None, pack=True)
    assert not (tmp_path / "out").exists()
