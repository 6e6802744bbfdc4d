"""A study of golf in miniature: a ledger with a trial of every kind, each real one run in this process."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tiny_vocabulary import TRAIN, VALID
from tiny_vocabulary import model as tiny_model

from autoresearch.session import run_key
from autoresearch.worker import versions
from bench import tracks
from bench.cards import cards
from bench.catalog import full_pick
from bench.config import Budget, RunConfig
from bench.data.tokens import TokenCorpus, build
from bench.divisions import baseline
from bench.records import Failure, Point, Reason
from bench.run import run
from bench.tracks import GOLF_CPU
from studies.asked import Proposal
from studies.definitions import StudySpec
from studies.ownership import this_process
from studies.store import Store

TRACK = dataclasses.replace(GOLF_CPU, eval_bytes=16_385, rung_eval_bytes=4_097)


class Here:
    device_class, threads = "cpu/test", 1


@contextmanager
def miniature() -> Iterator[None]:
    """The track with little to score: every export, replay and check scores once more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracks, "TRACKS", (*(track for track in tracks.TRACKS if track is not GOLF_CPU), TRACK))
        yield


def shards(folder: Path) -> TokenCorpus:
    """As many pieces as the contest's vocabulary has, and as little to score as a corpus may have."""
    pieces = tiny_model(tuple(f"~{n}" for n in range(644)))
    return build("text:tiny", (TRAIN, VALID[:212]), pieces, folder, lambda line: None)


def ledger_of(path: Path, corpus: TokenCorpus) -> Path:
    """A baseline, a recipe that beats it, one that failed, one under way, a rung; and a study that a clock ended."""
    ledger = Store(path)
    spec = spec_named("golf", 5, Budget(steps=10, batch=4, seq_len=64), corpus)
    ledger.begin(spec, cards(), this_process())
    small = baseline(spec.budget, GOLF_CPU.name).replaced(
        "shape", [full_pick("shape", "sized", {"n_layer": 3, "n_head": 4, "head_width": 16})]
    )
    ledger.artifacts.mkdir(exist_ok=True)
    trial(ledger, "golf", 0, small, corpus)
    trial(ledger, "golf", 1, small.replaced("schedule", [full_pick("schedule", "warmdown", {"steps": 10})]), corpus)
    failed = started(ledger, "golf", 2, small.replaced("logits", []), corpus)
    ledger.finish(failed, Failure(fingerprint="", seed=1001, reason=Reason.DIVERGED, step=7, message="no number"))
    started(ledger, "golf", 3, small.replaced("ffn", [full_pick("ffn", "leaky_relu2", {})]), corpus)
    proposed(ledger, "golf", 4, dataclasses.replace(small, budget=dataclasses.replace(small.budget, short=True)))
    under_a_clock = Budget(steps=5_000, batch=2, seq_len=64, seconds=0.4)
    ledger.begin(spec_named("clock", 1, under_a_clock, corpus), cards(), this_process())
    trial(ledger, "clock", 0, dataclasses.replace(small, budget=under_a_clock), corpus, kept=False)
    ledger.close()
    return path


def spec_named(name: str, n_trials: int, budget: Budget, corpus: TokenCorpus) -> StudySpec:
    return StudySpec(
        name=name, track_name=GOLF_CPU.name, division_name="open", n_trials=n_trials, budget=budget,
        corpus_name=corpus.name, corpus_digest=corpus.digest, data=str(corpus.folder),
    )  # fmt: skip


def proposed(ledger: Store, study: str, number: int, config: RunConfig) -> None:
    ledger.propose(study, Proposal(number=number, config=config, proposer="tpe", rule="r", reason="why", params={}))


def started(ledger: Store, study: str, number: int, config: RunConfig, corpus: TokenCorpus) -> int:
    proposed(ledger, study, number, config)
    run_id, _ = ledger.start(study, number, run_key(TRACK, 1001, corpus, Here), versions())
    return run_id


def trial(ledger: Store, study: str, number: int, config: RunConfig, corpus: TokenCorpus, *, kept: bool = True) -> None:
    """Run it, and keep its model or not."""
    run_id = started(ledger, study, number, config, corpus)
    points: list[Point] = []
    finished = run(config, 1001, corpus, TRACK, points.append)
    ledger.add_points(run_id, points)
    if kept:
        (ledger.artifacts / f"{number}.arena").write_bytes(finished.artifact)
    ledger.finish(run_id, finished.result, f"{number}.arena" if kept else None)


def restate(folder: Path, **changes: object) -> None:
    """Say something else in an exported submission.json."""
    file = folder / "submission.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def run_alone(folder: Path, corpus: TokenCorpus) -> str:
    """What a folder's script prints, as a process of its own that can't see our packages."""
    paths = {"DATA_PATH": str(corpus.folder), "TOKENIZER_PATH": str(corpus.folder / "tokenizer.model")}
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SEED", "RUN_ID")}
    done = subprocess.run(
        [sys.executable, "-P", "train_gpt.py"], cwd=folder, env=inherited | paths, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
