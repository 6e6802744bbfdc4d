"""One run, from config to outcome: data, model, training, pack, unpack, evaluation. The page that tells the story."""

import hashlib
import math
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bench.artifact import pack, unpack
from bench.catalog import realise
from bench.config import Budget, RunConfig, fingerprint
from bench.data.corpus import Corpus
from bench.estimate import estimate
from bench.layers import Cast, Params, as_is
from bench.records import Cost, Point, RunResult
from bench.skeleton import Model
from bench.stack import Init
from bench.tracks import Track
from bench.training import Diverged, train


@dataclass(frozen=True)
class Finished:
    """A scored run and the bytes that were scored."""

    result: RunResult
    artifact: bytes


def run(config: RunConfig, seed: int, corpus: Corpus, track: Track, watch: Callable[[Point], None]) -> Finished:
    """Train, pack, unpack, score. Deterministic for a config, seed, corpus, thread count and library version.

    Raises Diverged when the training loss is no number any more.
    """
    stack, budget, declared = realise(config), config.budget, estimate(config)
    model = stack.model(budget.seq_len)
    params = Params(model)
    initialise(params, stack.init, seed)
    optimizer = stack.optimizer_of(params)
    training = train(
        model,
        optimizer,
        stack.schedule.lr_scale,
        stack.hooks(params, optimizer),
        batches(corpus, budget, lambda step: stack.plan(step, budget), seed),
        generator(seed, "noise"),
        budget.steps,
        lambda: stack.evaluator.nats(model, corpus.valid[: track.probe_bytes], budget.seq_len),
        track.probe_every,
        watch,
    )
    started = time.perf_counter()
    artifact = pack(model, config)
    shipped = unpack(artifact, config)
    val_loss = stack.evaluator.nats(shipped, corpus.valid[: track.scored_bytes(budget)], budget.seq_len)
    if not math.isfinite(val_loss):
        raise Diverged("val_loss", budget.steps)
    result = RunResult(
        fingerprint=fingerprint(config),
        seed=seed,
        val_loss=val_loss,
        quant_gap=quant_gap(
            model, shipped, lambda m: stack.evaluator.nats(m, rung_text(corpus, track), budget.seq_len)
        ),
        weights_bytes=len(artifact),
        artifact_sha256=hashlib.sha256(artifact).hexdigest(),
        steps=budget.steps,
        cost=Cost(
            parameters=params.count,
            train_flops=declared.train_flops,
            train_tokens=declared.train_tokens,
            train_seconds=training.train_seconds,
            probe_seconds=training.probe_seconds,
            eval_seconds=time.perf_counter() - started,
            peak_bytes=peak_bytes(),
        ),
    )
    return Finished(result, artifact)


def initialise(params: Params, init: Init, seed: int) -> None:
    """Starting weights. Each tensor has a stream of its own, so a part added elsewhere leaves it as it was."""
    with torch.no_grad():
        for param in params.all:
            init.fill(param, generator(seed, param.name))


def batches(
    corpus: Corpus, budget: Budget, plan: Callable[[int], tuple[int, int]], seed: int
) -> Callable[[int], tuple[Tensor, Tensor]]:
    """Windows drawn uniformly from the train bytes; the same draw for every config with this seed.

    Where the plan asks for shorter sequences a window is cut in pieces, for fewer the first ones are taken.
    """
    drawing = generator(seed, "batches")
    train_bytes = torch.tensor(corpus.train)
    offsets = torch.arange(budget.seq_len + 1)
    last_start = len(corpus.train) - budget.seq_len

    def draw(step: int) -> tuple[Tensor, Tensor]:
        starts = torch.randint(last_start, (budget.batch, 1), generator=drawing)
        window_BT = train_bytes[starts + offsets].long()
        x_BT, y_BT = window_BT[:, :-1], window_BT[:, 1:]
        batch, seq_len = plan(step)
        if seq_len < budget.seq_len:
            x_BT, y_BT = pieces(x_BT, seq_len), pieces(y_BT, seq_len)
        return x_BT[:batch], y_BT[:batch]

    return draw


def pieces(x_BT: Tensor, seq_len: int) -> Tensor:
    """Each row cut into sequences of that length; what is left over at a row's end is dropped."""
    whole = x_BT.size(1) // seq_len * seq_len
    return x_BT[:, :whole].reshape(-1, seq_len)


def quant_gap(trained: Model, shipped: Model, nats: Callable[[Model], float]) -> float:
    """What packing cost, nats/byte; nothing, and at no cost, when it changed no effective weight."""
    same = all(torch.equal(cast(trained, p.name), cast(shipped, p.name)) for p in Params(trained).all)
    return 0.0 if same else nats(shipped) - nats(trained)


def cast(model: Model, name: str) -> Tensor:
    """A weight as the forward pass sees it."""
    prefix, _, _ = name.rpartition(".")
    weight: Tensor = model.get_parameter(name).detach()
    module = model.get_submodule(prefix)
    number_format: Cast = getattr(module, "cast", as_is)
    return number_format(weight) if name.endswith(".weight") else weight


def rung_text(corpus: Corpus, track: Track) -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    return corpus.valid[: track.rung_eval_bytes]


def generator(seed: int, purpose: str) -> torch.Generator:
    """A stream of random numbers of its own for each seed and purpose."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def peak_bytes() -> int:
    """Resident memory of this process at its highest."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
