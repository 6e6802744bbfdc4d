"""Featherweight's training script: text in, curve and artifact out. Bundled with what it uses, one file."""

import os
import sys
from pathlib import Path

import torch

from autoresearch.submission.curve import to_csv
from bench.config import RunConfig
from bench.data.corpus import TRAIN_FILE, Corpus, read_cached
from bench.data.textfiles import load_text
from bench.errors import ArenaError, ConfigError
from bench.records import Point
from bench.run import run
from bench.tracks import Track
from bench.training import Diverged

LOGS = Path("logs")


def train_fighter(config: RunConfig, track: Track, seed: int, threads: int, digest: str) -> None:
    """Train, pack, score; writes logs/seed<SEED>.csv and .arena. Reads DATA_PATH and SEED; `digest` is the corpus'."""
    points: list[Point] = []

    def watch(point: Point) -> None:
        points.append(point)
        probe = "" if point.probe_loss is None else f" probe_loss:{point.probe_loss:.4f}"
        say(f"step:{point.step}/{config.budget.steps} train_loss:{point.train_loss:.4f}{probe}")

    try:
        torch.set_num_threads(threads)
        if not (asked := os.environ.get("SEED", str(seed))).isdecimal():
            raise ConfigError(f"SEED={asked} is no seed", f"leave it out for {seed}")
        corpus = text_corpus(os.environ.get("DATA_PATH", "."), digest)
        finished = run(config, int(asked), corpus, track, watch)
        LOGS.mkdir(exist_ok=True)
        (LOGS / f"seed{asked}.csv").write_text(to_csv(points), encoding="utf-8")
        (LOGS / f"seed{asked}.arena").write_bytes(finished.artifact)
        result = finished.result
        say(f"val_loss:{result.val_loss!r} val_bpb:{result.val_bpb!r} quant_gap:{result.quant_gap!r}")
        say(f"weights_bytes:{result.weights_bytes} sha256:{result.artifact_sha256}")
    except ArenaError as wrong:
        print(f"error: {wrong.problem}\nhint: {wrong.hint}", file=sys.stderr)  # noqa: T201 - for people
        sys.exit(2)
    except Diverged as wrong:
        sys.exit(f"error: {wrong}")


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the log is our output


def text_corpus(path: str, digest: str) -> Corpus:
    """The corpus of a folder of prepared bytes (train.bin, valid.bin) or of text files; ConfigError for another one."""
    folder = Path(path)
    kept = read_cached(folder, folder.name) if (folder / TRAIN_FILE).is_file() else None
    corpus = load_text(path) if kept is None else kept
    if corpus.digest != digest:
        raise ConfigError(
            f"{path} has the digest {corpus.digest[:8]}, the recorded run was on {digest[:8]}",
            "set DATA_PATH to the text that this submission was scored on",
        )
    return corpus
