"""Golf in a larger vocabulary: a track of its own, from the tokens to the exported script's defaults."""

import math
import random
import shutil
from dataclasses import replace

import pytest
import torch
from bundled import GOLF_ENTRY, loaded
from tiny_vocabulary import TRAIN, VALID, cased
from tiny_vocabulary import model as tiny_model

from autoresearch.submission.recipe import Recorded, script
from bench.catalog import full_pick, realise
from bench.config import Budget
from bench.data import fineweb
from bench.data.capitals import MARKS, together
from bench.data.choose import available, corpus_for
from bench.data.tokens import build
from bench.divisions import BASES, GOLF_BASE, baseline, division_named
from bench.errors import DataError
from bench.estimate import estimate
from bench.layers import Params
from bench.run import nats_per_byte, run
from bench.skeleton import Model
from bench.tracks import (
    CONTESTS,
    GOLF,
    GOLF_CPU,
    GOLFS,
    SP1024,
    TRACKS,
    in_vocabulary,
    served_on,
    track_named,
)

LARGER = [track for track in TRACKS if track.tokenizer not in (None, SP1024)]
every = pytest.mark.parametrize("track", LARGER, ids=lambda t: t.name)


def pieces(n):
    """A vocabulary of so many pieces, most of them of no use."""
    spare = n - (1024 - 644)
    return tiny_model(tuple(f"~{i}" for i in range(spare)))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return build("text:tiny", (TRAIN, VALID), pieces(8192), tmp_path_factory.mktemp("golf") / "tiny", lambda line: None)


def test_each_contest_is_there_in_each_vocabulary():
    assert len(LARGER) == 9
    assert [track.name for track in CONTESTS] == ["golf", "golf-sp4096", "golf-sp8192", "golf-caseops8192"]
    assert served_on(track_named("golf-sp8192"), "cpu").name == "golf-cpu-sp8192"
    assert served_on(track_named("golf-sp4096"), "1xgpu").name == "golf-1xgpu-sp4096"
    assert served_on(GOLF, "cpu") is GOLF_CPU
    assert served_on(track_named("golf-cpu-sp8192"), "8xh100").name == "golf-cpu-sp8192"


@every
def test_a_track_is_the_small_one_but_for_what_counts_tokens(track):
    small = GOLFS[0]["cpu" if not track.devices else "1xgpu" if track.devices == 1 else "8xh100"]
    told = {"name", "title", "vocab", "tokenizer", "rules", "eval_bytes", "max_artifact_bytes"}
    kept = {name: getattr(small, name) for name in vars(small) if name not in told}
    assert {name: getattr(track, name) for name in kept} == kept
    assert BASES[track.name].picks == BASES[small.name].picks
    assert division_named("open", track.name).fixed.track == track.name
    strict, progression = track.rules
    assert strict.margin == 0.005 * track.tokenizer.tokens_per_byte
    assert progression.margin == 0.0


def test_the_whole_split_is_scored_and_the_contests_cap_stays():
    large = track_named("golf-sp8192")
    assert (large.eval_bytes, large.max_artifact_bytes) == (40_540_161, 16_000_000)
    assert track_named("golf-caseops8192").eval_bytes == 47_851_521
    # in miniature a byte for each number more of the embedding
    assert track_named("golf-cpu-sp8192").max_artifact_bytes == 1_000_000 + 7_168 * 128
    assert in_vocabulary(GOLF, GOLF.tokenizer) is GOLF


def test_the_baseline_grows_by_its_embedding_alone():
    budget = Budget(steps=1, batch=8, seq_len=16)
    counts = {t.vocab: estimate(baseline(budget, t.name)).parameters for t in CONTESTS}
    assert counts == {1024: 17_059_912, 4096: 17_059_912 + 3_072 * 512, 8192: 17_059_912 + 7_168 * 512}
    assert estimate(baseline(budget, "golf-caseops8192")).parameters == counts[8192]
    with torch.device("meta"):
        model = realise(baseline(budget, "golf-sp8192")).model(16)
    assert Params(model).count == counts[8192]
    assert model.embedding.weight.shape == (8192, 512)


def test_no_earlier_run_changed_its_name():
    assert GOLF_BASE.track == "golf"
    assert [t.name for t in TRACKS[:4]] == ["featherweight", "golf", "golf-1xgpu", "golf-cpu"]


def test_a_corpus_of_another_vocabulary_is_refused_with_the_track_it_fits(corpus):
    with pytest.raises(DataError) as refusal:
        corpus_for(GOLF_CPU, str(corpus.folder))
    assert refusal.value.problem.endswith("was made with 8,192 pieces, golf-cpu takes 1,024")
    assert refusal.value.hint == "build it again with fineweb_1024_bpe.model, or play on the track golf-cpu-sp8192"
    assert corpus_for(track_named("golf-cpu-sp8192"), str(corpus.folder)).digest == corpus.digest


def test_a_folder_of_text_is_made_with_the_vocabulary_of_the_track(tmp_path, monkeypatch):
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "text"
    folder.mkdir()
    (folder / "train.txt").write_text("\n\n".join(TRAIN))
    (folder / "valid.txt").write_text("\n\n".join(VALID))
    for n in (1024, 8192):
        (folder / f"fineweb_{n}_bpe.model").write_bytes(pieces(n))
    for name, n in (("golf-cpu", 1024), ("golf-cpu-sp8192", 8192)):
        assert len(corpus_for(track_named(name), str(folder)).vocabulary) == n


def test_shards_that_are_not_here_are_asked_for_in_the_vocabulary_of_the_track(tmp_path, monkeypatch):
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path))
    for vocabulary in ("sp8192", "caseops8192"):
        for wanted in ("auto", "fineweb", f"fineweb-{vocabulary}"):
            with pytest.raises(DataError, match="not on this machine") as refusal:
                corpus_for(track_named(f"golf-{vocabulary}"), wanted)
            assert f"autoresearch data get fineweb-{vocabulary}" in refusal.value.hint
    assert {export.name for export in fineweb.EXPORTS} <= dict(available()).keys()


def test_bytes_are_counted_by_the_larger_tables(corpus):
    assert len(corpus.vocabulary.bytes_of) == 8192
    # every document begins with a boundary, which stands for nothing
    assert corpus.byte_count(len(corpus.valid)) == len(corpus.vocabulary.decode(corpus.valid))
    late = corpus.valid.copy()
    late[7] = 8191
    assert corpus.vocabulary.byte_count(late) == len(corpus.vocabulary.decode(late))


SMALL = {"eval_bytes": 600, "rung_eval_bytes": 300, "probe_bytes": 200, "probe_every": 2}


def tiny(track="golf-cpu-sp8192"):
    config = baseline(Budget(steps=2, batch=2, seq_len=24), track)
    return config.replaced("shape", [full_pick("shape", "sized", {"n_layer": 2, "n_head": 4, "head_width": 16})])


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """A corpus whose vocabulary keeps capitals apart, with the bytes of its tokens beside it."""
    rng = random.Random(3)
    cases = [[cased(text, rng) for text in side] for side in (TRAIN[:400], VALID[:100])]
    capitals = tiny_model(tuple(f"~{i}" for i in range(8192 - 384)), symbols=MARKS)
    return build("text:cased", (cases[0], cases[1]), capitals, tmp_path_factory.mktemp("golf") / "c", lambda line: None)


CONTESTS_NAMES = {
    "golf-cpu-sp8192": ("fineweb10B_sp8192", "fineweb_8192_bpe.model"),
    "golf-cpu-caseops8192": (
        "fineweb10B_sp8192_lossless_caps_caseops_v1_reserved",
        "fineweb_8192_bpe_lossless_caps_caseops_v1_reserved.model",
    ),
}


@pytest.mark.parametrize("name", CONTESTS_NAMES)
def test_it_trains_packs_and_scores_and_its_script_does_the_same(corpus, apart, name):
    config, track = tiny(name), replace(track_named(name), **SMALL)
    corpus = apart if track.tokenizer.capitals_apart else corpus
    finished = run(config, 5, corpus, track, lambda point: None)
    # hardly trained, it is about as far from a guess among all pieces as the tokens are long
    guess = math.log(8192) * corpus.tokens_per_byte(600)
    assert 0.3 * guess < finished.result.val_loss < guess
    alone = loaded(script(Recorded(config, 5, 1), GOLF_ENTRY))
    read = alone.golf_corpus(corpus.folder, corpus.folder / "tokenizer.model")
    repeated = alone.run(alone.CONFIG, 5, read, replace(alone.TRACK, **SMALL), lambda point: None)
    assert repeated.artifact == finished.artifact
    assert repeated.result.val_loss == finished.result.val_loss
    asked = alone.from_environment(alone.CONFIG, alone.TRACK, 5)
    assert (str(asked.data), str(asked.tokenizer)) == tuple(
        f"data/{kind}/{name}" for kind, name in zip(("datasets", "tokenizers"), CONTESTS_NAMES[name], strict=True)
    )


def test_a_script_refuses_capitals_apart_without_the_bytes_beside_them(apart, tmp_path):
    alone = loaded(script(Recorded(tiny("golf-cpu-caseops8192"), 5, 1), GOLF_ENTRY))
    shutil.copytree(apart.folder, tmp_path / "bare")
    (counts,) = (tmp_path / "bare").glob("*_val_bytes_*.bin")
    read = alone.golf_corpus(tmp_path / "bare", apart.folder / "tokenizer.model")
    assert (read.valid == apart.valid).all()
    assert read.byte_count(900) == apart.byte_count(900)
    counts.unlink()
    with pytest.raises(alone.DataError, match=r"no \*_val_bytes_\*.bin is beside the shards"):
        alone.golf_corpus(tmp_path / "bare", apart.folder / "tokenizer.model")


def test_a_model_of_the_larger_vocabulary_scores_each_piece(corpus):
    model = realise(tiny()).model(24)
    assert isinstance(model, Model)
    loss = nats_per_byte(model, realise(tiny()), corpus, 600, 24)
    # with every weight at zero each piece is as likely as any other
    assert loss == pytest.approx(math.log(8192) * corpus.tokens_per_byte(600), rel=1e-6)


def test_capitals_apart_are_scored_over_the_bytes_of_the_text_itself(apart):
    config = tiny("golf-cpu-caseops8192")
    documents = [[]]
    for token in apart.valid[1:600].tolist():
        documents.append([]) if token == apart.vocabulary.bos else documents[-1].append(token)
    whole = documents[:-1]
    n_tokens = 1 + len(whole) + sum(map(len, whole))
    n_bytes = sum(len(together(apart.vocabulary.decode(document).decode()).encode()) for document in whole)
    loss = nats_per_byte(realise(config).model(24), realise(config), apart, n_tokens, 24)
    # the boundary behind the last of them is predicted and stands for nothing
    assert loss == pytest.approx(math.log(8192) * (n_tokens - 1) / n_bytes, rel=1e-6)
