"""Golf's training script, from environment to log and weights; the bundler makes one file of it and what it uses."""

import math
import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from bench.catalog import realise
from bench.config import RunConfig
from bench.data.shards import Stream, open_shard
from bench.data.tokens import TokenCorpus, side_of, whole
from bench.data.vocabulary import read_vocabulary
from bench.errors import ArenaError, ConfigError, DataError
from bench.ranks import CPU, Ranks, gpu
from bench.records import Pace, Point, RunResult
from bench.run import check_shared, run
from bench.tracks import Track
from bench.training import Diverged

LOGS = Path("logs")
RULE = "=" * 100
# The first rank finds the same and says so; by then its neighbours must not have ended it.
LAST_SECONDS = 10.0
PACE_HINT = "take the pace_seed<SEED>.csv that came with this script, or leave PACE_PATH out"


def train_gpt(config: RunConfig, track: Track, seed: int, threads: int) -> None:
    """Train, pack, score, on as many ranks as torchrun starts; the first writes logs/RUN_ID.txt and logs/RUN_ID.arena.

    Exits 2 on what the caller can put right.
    """
    first = os.environ.get("RANK", "0") == "0"
    try:
        torch.set_num_threads(threads)
        asked = from_environment(config, track, seed)
        corpus = golf_corpus(asked.data, asked.tokenizer)
        ranks = joined(asked.size, track)
        if first:
            LOGS.mkdir(exist_ok=True)
        with Path(LOGS / f"{asked.run_id}.txt" if first else os.devnull).open("w", encoding="utf-8") as log:
            outs = (log, sys.stdout) if first else (log,)
            code = Path(__file__).read_text(encoding="utf-8")
            log.write(f"{code}\n{RULE}\n")

            def say(lines: Iterable[str]) -> None:
                for line in lines:
                    for out in outs:
                        print(line, file=out, flush=True)

            say(opening(asked, track, corpus))
            steps, per_byte = asked.config.budget.steps, corpus.tokens_per_byte(track.probe_bytes)

            def watch(point: Point) -> None:
                say(step_lines(point, steps, per_byte, track.probe_bytes))

            finished = run(asked.config, asked.seed, corpus, track, watch, ranks, asked.pace)
            if first:
                (LOGS / f"{asked.run_id}.arena").write_bytes(finished.artifact)
            per_byte = corpus.tokens_per_byte(track.scored_bytes(asked.config.budget))
            say(closing(finished.result, asked.config, len(code.encode()), per_byte))
        if ranks.size > 1:
            dist.destroy_process_group()
    except (ArenaError, Diverged) as wrong:
        if not first:
            time.sleep(LAST_SECONDS)
        elif isinstance(wrong, ArenaError):
            print(f"error: {wrong.problem}\nhint: {wrong.hint}", file=sys.stderr)  # noqa: T201 - for people
        else:
            print(f"error: {wrong}", file=sys.stderr)  # noqa: T201 - for people
        sys.exit(2 if isinstance(wrong, ArenaError) else 1)


def joined(size: int, track: Track) -> Ranks:
    """This process among those that torchrun started: on a GPU of its own, compiled, where the track is for GPUs and
    there are any, else on the CPU. ConfigError where ranks would have to share a GPU."""
    on_gpu = bool(track.devices) and torch.cuda.is_available()
    here = int(number("LOCAL_WORLD_SIZE", size))
    if on_gpu and here > torch.cuda.device_count():
        raise ConfigError(
            f"{here} ranks need a CUDA device each, and this machine has {torch.cuda.device_count()}",
            f"give --nproc_per_node={torch.cuda.device_count()}",
        )
    device = gpu(int(number("LOCAL_RANK", 0))) if on_gpu else CPU
    if size > 1:
        dist.init_process_group("nccl" if on_gpu else "gloo")
    return Ranks(int(number("RANK", 0)), size, device, on_gpu)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the environment asks for."""

    config: RunConfig
    seed: int
    run_id: str
    data: Path
    tokenizer: Path
    size: int  # ranks
    pace: tuple[Pace, ...]  # of a run that a clock ended, to repeat it step for step


def from_environment(config: RunConfig, track: Track, seed: int) -> Asked:
    """The recipe, with what the contest's variables change of it; ConfigError for what makes no run."""
    budget = config.budget
    steps, seq_len = int(number("ITERATIONS", budget.steps)), int(number("TRAIN_SEQ_LEN", budget.seq_len))
    tokens = int(number("TRAIN_BATCH_TOKENS", budget.batch * budget.seq_len))
    # the contest's script writes 0 where there is no limit
    seconds = number("MAX_WALLCLOCK_SECONDS", budget.seconds or 0.0)
    seed, size = int(number("SEED", seed)), int(number("WORLD_SIZE", 1))
    if min(steps, seq_len, tokens, size) < 1 or tokens % seq_len or not 0 <= seconds < math.inf:
        raise ConfigError(
            f"ITERATIONS={steps} TRAIN_BATCH_TOKENS={tokens} TRAIN_SEQ_LEN={seq_len} MAX_WALLCLOCK_SECONDS={seconds:g} "
            f"WORLD_SIZE={size} make no run",
            "give numbers above zero, and a batch of whole sequences",
        )
    budget = replace(budget, steps=steps, batch=tokens // seq_len, seq_len=seq_len, seconds=seconds or None)
    check_shared(realise(config), budget, Ranks(size=size))
    return Asked(
        config=replace(config, budget=budget),
        seed=seed,
        run_id=os.environ.get("RUN_ID", f"train_seed{seed}"),
        data=Path(os.environ.get("DATA_PATH", data_path(track))),
        tokenizer=Path(os.environ.get("TOKENIZER_PATH", tokenizer_path(track))),
        size=size,
        pace=read_pace(Path(os.environ["PACE_PATH"]), steps) if os.environ.get("PACE_PATH") else (),
    )


def data_path(track: Track) -> str:
    """Where the contest's own script has the shards."""
    assert track.tokenizer is not None, "golf's tracks have a vocabulary"
    return f"./data/datasets/{track.tokenizer.dataset}"


def tokenizer_path(track: Track) -> str:
    """Where it has their vocabulary."""
    assert track.tokenizer is not None, "golf's tracks have a vocabulary"
    return f"./data/tokenizers/{track.tokenizer.model_file}"


PACE_HEAD = "lr_scale,steps_expected"


def pace_text(pace: Iterable[Pace]) -> str:
    """A line a step, with every digit: what `read_pace` gives back."""
    return "\n".join([PACE_HEAD, *(f"{step.lr_scale!r},{step.n_steps!r}" for step in pace)]) + "\n"


def read_pace(path: Path, most: int) -> tuple[Pace, ...]:
    """The pace that a file holds; ConfigError for one that is no recording of a run of so many steps at most."""
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        pace = tuple(Pace(*map(float, line.split(","))) for line in lines)
    except (OSError, ValueError, TypeError) as wrong:
        raise ConfigError(f"PACE_PATH={path} is no recorded pace: {wrong}", PACE_HINT) from wrong
    sound = head == PACE_HEAD and 1 <= len(pace) <= most
    if not sound or not all(0 <= step.lr_scale < math.inf and 0 < step.n_steps < math.inf for step in pace):
        raise ConfigError(f"PACE_PATH={path} is no recorded pace of 1 to {most} steps", PACE_HINT)
    return pace


def number(name: str, default: float) -> float:
    """A variable as a number, whole where its default is; ConfigError says which one is none."""
    text = os.environ.get(name, str(default))
    try:
        return int(text) if isinstance(default, int) else float(text)
    except ValueError as wrong:
        raise ConfigError(f"{name}={text} is no number", f"leave it out for {default}") from wrong


def golf_corpus(data: Path, tokenizer: Path) -> TokenCorpus:
    """The shards of a folder, `*_train_*.bin` and `*_val_*.bin`, with the vocabulary they were made with.

    Beside them `*_val_bytes_*.bin`, where that keeps capitals apart.
    """
    train, valid, counts = (
        [open_shard(path) for path in sorted(data.glob(f"*_{side}_*.bin")) if side_of(path.name) == side]
        for side in ("train", "val", "val_bytes")
    )
    if not (any(map(len, train)) and any(map(len, valid))) or not tokenizer.is_file():
        raise DataError(
            f"{data} holds no train or no validation shards, or there is no file {tokenizer}",
            "set DATA_PATH to the folder of shards and TOKENIZER_PATH to their .model file",
        )
    vocabulary = read_vocabulary(tokenizer.read_bytes(), tokenizer.name)
    valid_bytes = whole(counts) if counts else None
    return TokenCorpus(data.name, Stream(train), np.concatenate(valid), "", vocabulary, None, data, valid_bytes)


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
