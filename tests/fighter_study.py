"""A study of two real trials on a small text, and one by hand with a trial in every other state; for exports."""

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoresearch.replaying import Again
from autoresearch.session import run_key
from autoresearch.worker import device_class, versions
from bench.cards import cards
from bench.catalog import full_pick
from bench.config import Budget, RunConfig
from bench.data.choose import load_corpus
from bench.data.corpus import Corpus
from bench.divisions import baseline
from bench.records import Failure, Pace, Point, Reason
from bench.run import run
from bench.tracks import track_named
from studies.asked import Proposal
from studies.definitions import StudySpec
from studies.ownership import this_process
from studies.store import Store
from studies.views import RunView

BUDGET = Budget(steps=12, batch=2)
RESULT_FILES = {
    *("fighter.toml", "model.arena", "README.md", "curve.csv", "curve.svg", "submission.json", "train.py"),
}
LOG = 'Traceback\n  File "/home/someone/site-packages/torch/nn.py", line 1\n```\nRuntimeError: | oh'


class Here:
    """An executor's account of this machine."""

    device_class, threads = device_class(), 1


def write_text(folder: Path) -> str:
    """A small text of one's own."""
    rng = random.Random(3)
    words = ["the", "a", "cat", "dog", "ball", "tree", "sat", "ran", "saw", "took", "Tom", "Lily", "and", "home", "big"]
    for side, n in (("train", 140), ("valid", 15)):
        stories = (f"{side} {i} " + " ".join(rng.choice(words) for _ in range(170)) for i in range(n))
        (folder / f"tiny_{side}.txt").write_text("\n<|endoftext|>\n".join(stories))
    return str(folder)


def write_other_text(folder: Path) -> str:
    """One that nothing was trained or scored on."""
    for side in ("train", "valid"):
        (folder / f"x_{side}.txt").write_text("\n\n".join(f"{side} {i} {'word ' * 200}" for i in range(120)))
    return str(folder)


def spec_named(name: str, data: str, corpus: Corpus) -> StudySpec:
    return StudySpec(
        name=name, track_name="featherweight", division_name="optimizer", n_trials=2, budget=BUDGET,
        corpus_name=corpus.name, corpus_digest=corpus.digest, data=data, settings=("optimizer=adamw,lion",),
    )  # fmt: skip


def real(ledger: Store, data: str) -> None:
    """The baseline and another, trained in this process: a worker takes longer to load torch; the better is kept."""
    corpus = load_corpus(data)
    spec = spec_named("real", data, corpus)
    ledger.begin(spec, cards(), this_process())
    ledger.artifacts.mkdir(exist_ok=True)
    ended = []
    for number, proposer in enumerate(("baseline", "tpe")):
        config = baseline(BUDGET)
        if number:
            config = config.replaced("optimizer", [full_pick("optimizer", "lion", {})])
        ledger.propose(
            "real", Proposal(number=number, config=config, proposer=proposer, rule="r", reason="why", params={})
        )
        run_id, _ = ledger.start("real", number, run_key(spec.track, spec.seed, corpus, Here), versions())
        points: list[Point] = []
        finished = run(config, spec.seed, corpus, spec.track, points.append)
        ledger.add_points(run_id, points)
        ended.append((finished.result.val_loss, run_id, finished))
    best = min(ended)[1]
    for _, run_id, finished in ended:
        if run_id == best:
            (ledger.artifacts / "best.arena").write_bytes(finished.artifact)
        ledger.finish(run_id, finished.result, "best.arena" if run_id == best else None)
    ledger.release("real", "done")


def by_hand(ledger: Store, data: str) -> None:
    corpus = load_corpus(data)
    spec = spec_named("by-hand", data, corpus)
    key = run_key(spec.track, spec.seed, corpus, Here)
    ledger.begin(spec, cards(), this_process())
    for number, lr in enumerate((0.02, 0.01, 0.005, 0.002)):
        config = baseline(BUDGET).replaced("optimizer", [full_pick("optimizer", "adamw", {"lr": lr})])
        proposal = Proposal(number=number, config=config, proposer="tpe", rule="r", reason="why | not", params={})
        if number == 1:
            ledger.refuse("by-hand", proposal, "it clashes")
            continue
        ledger.propose("by-hand", proposal)
        if number == 0:
            run_id, _ = ledger.start("by-hand", number, key, {"torch": "2"})
            ledger.add_points(run_id, [Point(10, 1.5, 9.25)])
            failure = Failure(
                fingerprint="", seed=spec.seed, reason=Reason.DIVERGED, step=11, message="no number", log_tail=LOG,
                train_seconds=1.75,
            )  # fmt: skip
            ledger.finish(run_id, failure)
        if number == 3:
            ledger.start("by-hand", number, key, {"torch": "2"})


def in_this_process(
    again: RunView, config: RunConfig, corpus: Corpus, watch: Callable[[Point], None], pace: tuple[Pace, ...]
) -> Again:
    """What `run_again` does, without a worker."""
    finished = run(config, again.seed, corpus, track_named(config.track), watch, recorded=pace)
    return Again(finished.result, finished.artifact, device_class())


def tampered_with(folder: Path, to: Path) -> Path:
    """A copy whose script is short: reading the whole one is most of a check."""
    copied = shutil.copytree(folder, to / "copy")
    (copied / "train.py").write_text("import torch\n")
    restate(copied, lambda plain: None)
    return copied


def restate(folder: Path, change: Callable[[dict[str, Any]], object], seal: bool = True) -> None:
    """Rewrite submission.json; sealed, with the checksums of what is there now."""
    plain = json.loads((folder / "submission.json").read_text())
    change(plain)
    if seal:
        for name in plain["files"]:
            raw = (folder / name).read_bytes()
            plain["files"][name] = {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    (folder / "submission.json").write_text(json.dumps(plain))
