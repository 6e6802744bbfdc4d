"""One run, from config to outcome: data, model, training, pack, unpack, evaluation. The page that tells the story."""

import hashlib
import math
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bench.artifact import pack, unpack
from bench.catalog import realise
from bench.config import Budget, RunConfig, fingerprint
from bench.data.corpus import Corpus
from bench.data.shards import rank_span
from bench.data.tokens import TokenCorpus
from bench.errors import BreachError
from bench.estimate import estimate
from bench.layers import Cast, Params, as_is
from bench.records import Cost, Point, RunResult
from bench.skeleton import Model
from bench.stack import Init, Stack
from bench.tracks import Track
from bench.training import Diverged, Moment, Training, advance, train


@dataclass(frozen=True)
class Finished:
    """A scored run and the bytes that were scored."""

    result: RunResult
    artifact: bytes


def run(
    config: RunConfig, seed: int, corpus: Corpus | TokenCorpus, track: Track, watch: Callable[[Point], None]
) -> Finished:
    """Train, pack, unpack, score. Deterministic for a config, seed, corpus, thread count and library version.

    Raises Diverged when the training loss is no number any more, BreachError when the packed model is too large.
    """
    stack, budget, declared = realise(config), config.budget, estimate(config)
    model, training = trained(config, seed, corpus, track, watch)

    def nats(scored: Model, n_tokens: int) -> float:
        return nats_per_byte(scored, stack, corpus, n_tokens, budget.seq_len)

    started = time.perf_counter()
    artifact = pack(model, config)
    fits(len(artifact), track)
    shipped = unpack(artifact, config)
    val_loss = nats(shipped, track.scored_bytes(budget))
    if not math.isfinite(val_loss):
        raise Diverged("val_loss", training.steps)
    result = RunResult(
        fingerprint=fingerprint(config),
        seed=seed,
        val_loss=val_loss,
        quant_gap=quant_gap(model, shipped, lambda m: nats(m, track.rung_eval_bytes)),
        weights_bytes=len(artifact),
        artifact_sha256=hashlib.sha256(artifact).hexdigest(),
        steps=training.steps,
        cost=Cost(
            parameters=Params(model).count,
            train_flops=declared.train_flops,
            train_tokens=declared.train_tokens,
            train_seconds=training.train_seconds,
            probe_seconds=training.probe_seconds,
            eval_seconds=time.perf_counter() - started,
            peak_bytes=peak_bytes(),
        ),
    )
    return Finished(result, artifact)


def trained(
    config: RunConfig, seed: int, corpus: Corpus | TokenCorpus, track: Track, watch: Callable[[Point], None]
) -> tuple[Model, Training]:
    """The config's model after its budget, as it goes to packing, and what training used; raises Diverged."""
    stack, budget = realise(config), config.budget
    model = stack.model(budget.seq_len)
    params = Params(model)
    initialise(params, stack.init, seed)
    drawn = batches(corpus, budget, lambda step: stack.plan(step, budget), seed)
    if budget.seconds is not None:
        warm_up(stack, model, drawn)
    # what trains is nats per token; curves are drawn in the unit of scores
    probed: npt.NDArray[np.uint8 | np.uint16] = corpus.valid[: track.probe_bytes]
    per_byte = corpus.tokens_per_byte(probed)
    optimizer = stack.optimizer_of(params)
    training = train(
        model,
        optimizer,
        stack.schedule.lr_scale,
        stack.hooks(params, optimizer),
        drawn,
        generator(seed, "noise"),
        budget.steps,
        lambda: nats_per_byte(model, stack, corpus, track.probe_bytes, budget.seq_len),
        track.probe_every,
        lambda point: watch(replace(point, train_loss=point.train_loss * per_byte)),
        math.inf if budget.seconds is None else budget.seconds,
    )
    return model, training


def nats_per_byte(model: Model, stack: Stack, corpus: Corpus | TokenCorpus, n_tokens: int, seq_len: int) -> float:
    """Over the first tokens of validation, by the stack's evaluator."""
    text: npt.NDArray[np.uint8 | np.uint16] = corpus.valid[:n_tokens]
    return stack.evaluator.nats(model, text, seq_len) * corpus.tokens_per_byte(text)


def initialise(params: Params, init: Init, seed: int) -> None:
    """Starting weights. Each tensor has a stream of its own, so a part added elsewhere leaves it as it was."""
    with torch.no_grad():
        for param in params.all:
            init.fill(param, generator(seed, param.name))


# Steps that let compilers and caches settle before the clock of a budget in seconds starts (techniques.md 1.4).
WARM_UP_STEPS = 20


def warm_up(stack: Stack, model: Model, drawn: Callable[[int], tuple[Tensor, Tensor]]) -> None:
    """Train on the first batches and take it all back: weights as they were, and an optimizer and hooks thrown away."""
    params = Params(model)
    before = [p.detach().clone() for p in params.tensors]
    optimizer = stack.optimizer_of(params)
    hooks = stack.hooks(params, optimizer)
    for step in range(WARM_UP_STEPS):
        advance(Moment(step, WARM_UP_STEPS, model, *drawn(step), generator(0, "warm-up")), optimizer, hooks)
    with torch.no_grad():
        for p, start in zip(params.tensors, before, strict=True):
            p.copy_(start)
            p.grad = None


def fits(weights_bytes: int, track: Track) -> None:
    """Raises BreachError when the packed weights and what is set aside for the code are over the track's cap."""
    cap = track.max_artifact_bytes
    if cap is not None and weights_bytes + track.code_bytes > cap:
        raise BreachError(
            f"{weights_bytes:,} bytes of weights and {track.code_bytes:,} for code are over {track.name}'s {cap:,}",
            "take a smaller shape or fewer bits",
        )


def batches(
    corpus: Corpus | TokenCorpus, budget: Budget, plan: Callable[[int], tuple[int, int]], seed: int
) -> Callable[[int], tuple[Tensor, Tensor]]:
    """Inputs and targets [batch, seq_len] of a step, the same for every config with this seed.

    Where the plan asks for shorter sequences one is cut in pieces, for fewer the first ones are taken.
    """
    drawn = spans(corpus, budget) if isinstance(corpus, TokenCorpus) else windows(corpus, budget, seed)

    def draw(step: int) -> tuple[Tensor, Tensor]:
        x_BT, y_BT = drawn(step)
        batch, seq_len = plan(step)
        if seq_len < budget.seq_len:
            x_BT, y_BT = pieces(x_BT, seq_len), pieces(y_BT, seq_len)
        return x_BT[:batch], y_BT[:batch]

    return draw


def spans(corpus: TokenCorpus, budget: Budget) -> Callable[[int], tuple[Tensor, Tensor]]:
    """The shards in order, a step after the other, whatever the seed (techniques.md 1.5)."""

    def draw(step: int) -> tuple[Tensor, Tensor]:
        span = torch.from_numpy(rank_span(corpus.train, step, 0, 1, budget.batch * budget.seq_len))
        return span[:-1].view(budget.batch, -1), span[1:].view(budget.batch, -1)

    return draw


def windows(corpus: Corpus, budget: Budget, seed: int) -> Callable[[int], tuple[Tensor, Tensor]]:
    """Windows drawn uniformly from the train bytes."""
    drawing = generator(seed, "batches")
    train_bytes = torch.tensor(corpus.train)
    offsets = torch.arange(budget.seq_len + 1)
    last_start = len(corpus.train) - budget.seq_len

    def draw(step: int) -> tuple[Tensor, Tensor]:
        starts = torch.randint(last_start, (budget.batch, 1), generator=drawing)
        window_BT = train_bytes[starts + offsets].long()
        return window_BT[:, :-1], window_BT[:, 1:]

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


def generator(seed: int, purpose: str) -> torch.Generator:
    """A stream of random numbers of its own for each seed and purpose."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def peak_bytes() -> int:
    """Resident memory of this process at its highest."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
