"""Golf's training script, from environment to log and weights; the bundler makes one file of it and what it uses."""

import math
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from bench.config import RunConfig
from bench.data.shards import Stream, open_shard
from bench.data.tokens import TokenCorpus
from bench.data.vocabulary import read_vocabulary
from bench.errors import ArenaError, ConfigError, DataError
from bench.records import Point, RunResult
from bench.run import run
from bench.tracks import Track
from bench.training import Diverged

DATA, TOKENIZER = "./data/datasets/fineweb10B_sp1024", "./data/tokenizers/fineweb_1024_bpe.model"
LOGS = Path("logs")
RULE = "=" * 100


def train_gpt(config: RunConfig, track: Track, seed: int, threads: int) -> None:
    """Train, pack, score; writes logs/RUN_ID.txt and logs/RUN_ID.arena. Exits 2 on what the caller can put right."""
    try:
        torch.set_num_threads(threads)
        asked = from_environment(config, seed)
        corpus = golf_corpus(asked.data, asked.tokenizer)
        LOGS.mkdir(exist_ok=True)
        with (LOGS / f"{asked.run_id}.txt").open("w", encoding="utf-8") as log:
            code = Path(__file__).read_text(encoding="utf-8")
            log.write(f"{code}\n{RULE}\n")

            def say(line: str) -> None:
                for out in (log, sys.stdout):
                    print(line, file=out, flush=True)

            for line in opening(asked, track, corpus):
                say(line)
            steps, per_byte = asked.config.budget.steps, corpus.tokens_per_byte(corpus.valid[: track.probe_bytes])

            def watch(point: Point) -> None:
                for line in step_lines(point, steps, per_byte, track.probe_bytes):
                    say(line)

            finished = run(asked.config, asked.seed, corpus, track, watch)
            (LOGS / f"{asked.run_id}.arena").write_bytes(finished.artifact)
            scored = corpus.valid[: track.scored_bytes(asked.config.budget)]
            for line in closing(finished.result, asked.config, len(code.encode()), corpus.tokens_per_byte(scored)):
                say(line)
    except ArenaError as wrong:
        print(f"error: {wrong.problem}\nhint: {wrong.hint}", file=sys.stderr)  # noqa: T201 - for people
        sys.exit(2)
    except Diverged as wrong:
        sys.exit(f"error: {wrong}")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the environment asks for."""

    config: RunConfig
    seed: int
    run_id: str
    data: Path
    tokenizer: Path


def from_environment(config: RunConfig, seed: int) -> Asked:
    """The recipe, with what the contest's variables change of it; ConfigError for what makes no run."""
    budget = config.budget
    steps, seq_len = int(number("ITERATIONS", budget.steps)), int(number("TRAIN_SEQ_LEN", budget.seq_len))
    tokens = int(number("TRAIN_BATCH_TOKENS", budget.batch * budget.seq_len))
    # the contest's script writes 0 where there is no limit
    seconds = number("MAX_WALLCLOCK_SECONDS", budget.seconds or 0.0)
    if min(steps, seq_len, tokens) < 1 or tokens % seq_len or not 0 <= seconds < math.inf:
        raise ConfigError(
            f"ITERATIONS={steps} TRAIN_BATCH_TOKENS={tokens} TRAIN_SEQ_LEN={seq_len} MAX_WALLCLOCK_SECONDS={seconds:g} "
            "make no run",
            "give numbers above zero, and a batch of whole sequences",
        )
    if (ranks := int(number("WORLD_SIZE", 1))) != 1:
        raise ConfigError(f"WORLD_SIZE is {ranks}, and this recipe trains in one process", "give --nproc_per_node=1")
    seed = int(number("SEED", seed))
    budget = replace(budget, steps=steps, batch=tokens // seq_len, seq_len=seq_len, seconds=seconds or None)
    return Asked(
        config=replace(config, budget=budget),
        seed=seed,
        run_id=os.environ.get("RUN_ID", f"train_seed{seed}"),
        data=Path(os.environ.get("DATA_PATH", DATA)),
        tokenizer=Path(os.environ.get("TOKENIZER_PATH", TOKENIZER)),
    )


def number(name: str, default: float) -> float:
    """A variable as a number, whole where its default is; ConfigError says which one is none."""
    text = os.environ.get(name, str(default))
    try:
        return int(text) if isinstance(default, int) else float(text)
    except ValueError as wrong:
        raise ConfigError(f"{name}={text} is no number", f"leave it out for {default}") from wrong


def golf_corpus(data: Path, tokenizer: Path) -> TokenCorpus:
    """The shards of a folder, `*_train_*.bin` and `*_val_*.bin`, with the vocabulary they were made with."""
    sides = [[open_shard(path) for path in sorted(data.glob(f"*_{side}_*.bin"))] for side in ("train", "val")]
    if not all(any(map(len, shards)) for shards in sides) or not tokenizer.is_file():
        raise DataError(
            f"{data} holds no train or no validation shards, or there is no file {tokenizer}",
            "set DATA_PATH to the folder of shards and TOKENIZER_PATH to their .model file",
        )
    vocabulary = read_vocabulary(tokenizer.read_bytes(), tokenizer.name)
    train, valid = sides
    return TokenCorpus(data.name, Stream(train), np.concatenate(valid), "", vocabulary, None, data)


def opening(asked: Asked, track: Track, corpus: TokenCorpus) -> Iterator[str]:
    """What the run has before its first step."""
    budget = asked.config.budget
    yield f"Running Python {platform.python_version()}"
    yield f"Running PyTorch {torch.__version__}"
    yield f"train_loader:dataset:{corpus.name} train_shards:{len(corpus.train.shards)}"
    yield f"val_loader:dataset:{corpus.name} tokens:{min(len(corpus.valid), track.scored_bytes(budget)) - 1}"
    yield (
        f"train_batch_tokens:{budget.batch * budget.seq_len} train_seq_len:{budget.seq_len} "
        f"iterations:{budget.steps} max_wallclock_seconds:{budget.seconds or 0:.3f}"
    )
    yield f"seed:{asked.seed} threads:{torch.get_num_threads()}"


def step_lines(point: Point, steps: int, tokens_per_byte: float, probe_tokens: int) -> Iterator[str]:
    """Losses in nats per token, as the contest's logs have them; a probe is on the first tokens of validation."""
    step, milliseconds = f"step:{point.step}/{steps}", 1000 * point.seconds
    clock = f"train_time:{milliseconds:.0f}ms step_avg:{milliseconds / point.step:.2f}ms"
    yield f"{step} train_loss:{point.train_loss / tokens_per_byte:.4f} {clock}"
    if point.probe_loss is not None:
        nats, bits = point.probe_loss / tokens_per_byte, point.probe_loss / math.log(2)
        yield f"{step} val_loss:{nats:.4f} val_bpb:{bits:.4f} {clock} first_tokens:{probe_tokens - 1}"


def closing(result: RunResult, config: RunConfig, code_bytes: int, tokens_per_byte: float) -> Iterator[str]:
    """Sizes, then the score of the unpacked weights: nats per token and bits per byte."""
    packing = f"{config.pick('precision').name}+{config.pick('codec').name}"
    cost = result.cost
    if result.steps < config.budget.steps:
        yield (
            f"stopping_early: wallclock_cap train_time:{1000 * cost.train_seconds:.0f}ms "
            f"step:{result.steps}/{config.budget.steps}"
        )
    yield f"model_params:{cost.parameters}"
    yield f"peak memory allocated: {cost.peak_bytes // 2**20} MiB"
    yield f"Code size: {code_bytes} bytes"
    yield f"Serialized model {packing}: {result.weights_bytes} bytes sha256:{result.artifact_sha256}"
    yield f"Total submission size {packing}: {result.weights_bytes + code_bytes} bytes"
    yield f"quantization_gap val_bpb:{result.quant_gap / math.log(2):.8f}"
    nats, bits, clock = result.val_loss / tokens_per_byte, result.val_bpb, f"eval_time:{1000 * cost.eval_seconds:.0f}ms"
    # the name that reviewers search for, whatever the codec
    yield f"final_int8_zlib_roundtrip val_loss:{nats:.4f} val_bpb:{bits:.4f} {clock}"
    yield f"final_int8_zlib_roundtrip_exact val_loss:{nats:.8f} val_bpb:{bits:.8f}"
