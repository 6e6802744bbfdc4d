"""Golf's shipped measurement: twenty configs that can all be run, on a corpus made once of the sample's text."""

import pytest
from tiny_vocabulary import TRAIN, VALID
from tiny_vocabulary import model as tiny_model

from autoresearch.objections import objections
from autoresearch.space import Space
from bench.data.choose import load_tokens
from bench.data.fineweb import EXPORTS
from bench.divisions import GOLF_CPU_BASE, differences
from bench.errors import DataError
from bench.tracks import GOLF_CPU
from studies.measurements import measurements_named

(GOLF,) = measurements_named("golf")
SPEC = GOLF.spec("text:tinystories", "d" * 64, GOLF.data)


def test_it_is_golf_in_miniature_with_twenty_trials_and_more():
    assert (SPEC.track, SPEC.division_name, SPEC.budget) == (GOLF_CPU, "open", GOLF_CPU.budget)
    assert SPEC.n_trials >= 20


def test_its_openings_are_the_baseline_and_one_technique_of_the_records_each():
    space = Space(SPEC)
    first, *others = [space.recall(opening.params)[0] for opening in space.openings()]
    assert first == GOLF_CPU_BASE
    assert len(others) + 1 < SPEC.n_trials
    assert [objections(config, SPEC) for config in others] == [[]] * len(others)
    told = {name for config in others for _, text in differences(config) for name in [text.partition("(")[0]]}
    assert {"xsa", "leaky_relu2", "depth_recurrence", "polar_express", "int6_ste", "bigram_hash", "ema"} <= told


@pytest.fixture
def text_folder(tmp_path, monkeypatch):
    """A folder of text with the official vocabulary's name beside it, and a cache of its own."""
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "sample"
    folder.mkdir()
    for name, stories in (("train", TRAIN), ("valid", VALID)):
        (folder / f"tiny_{name}.txt").write_text("\n<|endoftext|>\n".join(stories))
    (folder / EXPORTS[0].tokenizer.model_file).write_bytes(tiny_model())
    return folder


def test_a_text_beside_its_vocabulary_is_made_into_tokens_once(text_folder):
    first = load_tokens(str(text_folder))
    made = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    assert load_tokens(str(text_folder)).digest == first.digest
    assert {path: path.stat().st_mtime_ns for path in first.folder.iterdir()} == made
    assert first.vocabulary.decode(first.valid[:40].tolist()).decode().strip()[:20] == VALID[0][:20]


def test_another_text_is_another_corpus(text_folder):
    first = load_tokens(str(text_folder))
    (text_folder / "tiny_train.txt").write_text("\n<|endoftext|>\n".join(TRAIN[:-1]))
    second = load_tokens(str(text_folder))
    assert (second.folder != first.folder, second.digest != first.digest) == (True, True)


def test_a_text_alone_is_no_golf_corpus(text_folder):
    (text_folder / EXPORTS[0].tokenizer.model_file).unlink()
    with pytest.raises(DataError, match="is no golf corpus"):
        load_tokens(str(text_folder))
