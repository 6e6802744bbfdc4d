"""One run, from config to outcome: data, model, training, pack, unpack, evaluation. The page that tells the story."""

import hashlib
import math
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bench.artifact import pack, unpack
from bench.batches import batches, generator
from bench.catalog import realise
from bench.config import Budget, RunConfig, fingerprint
from bench.data.corpus import Corpus
from bench.data.tokens import TokenCorpus
from bench.errors import BreachError, ConfigError, TooSlowError
from bench.estimate import estimate
from bench.layers import Cast, Params, as_is
from bench.ranks import ALONE, CPU, Ranks
from bench.records import Cost, Pace, Point, RunResult
from bench.skeleton import Model
from bench.stack import Init, Stack
from bench.tracks import Track
from bench.training import Diverged, Draw, Moment, Training, Work, advance, train


@dataclass(frozen=True)
class Finished:
    """A scored run and the bytes that were scored."""

    result: RunResult
    artifact: bytes


def run(
    config: RunConfig,
    seed: int,
    corpus: Corpus | TokenCorpus,
    track: Track,
    watch: Callable[[Point], None],
    ranks: Ranks = ALONE,
    recorded: Sequence[Pace] = (),
) -> Finished:
    """Train, pack, unpack, score. Deterministic for a config, seed, corpus, thread count and library version.

    A budget in seconds is repeated with the pace that was recorded of it. Several ranks train one model and end with
    the same result. Raises Diverged when the training loss is no number any more, BreachError when the packed model is
    too large, TooSlowError when the track's seconds did not do, ConfigError when the ranks can't share the work.
    """
    stack, budget, declared = realise(config), config.budget, estimate(config)
    model, training = trained(config, seed, corpus, track, watch, ranks, recorded)
    # what is repeated was in time once, and its machine may be another
    timed = track if not recorded else replace(track, overrun_seconds=None, evaluation_seconds=None)
    if budget.seconds is not None and timed.overrun_seconds is not None:
        in_time("training", training.train_seconds, budget.seconds + timed.overrun_seconds, track)

    def nats(scored: Model, n_tokens: int) -> float:
        return nats_per_byte(scored, stack, corpus, n_tokens, budget.seq_len, ranks)

    started = time.perf_counter()
    # number formats round and write on the CPU, the same bytes wherever training was
    artifact = pack(model.to(CPU), config)
    fits(len(artifact), track)
    shipped = unpack(artifact, config).to(ranks.device)
    model.to(ranks.device)
    loaded = time.perf_counter()
    val_loss = nats(shipped, track.scored_bytes(budget))
    if not math.isfinite(val_loss):
        raise Diverged("val_loss", training.steps)
    if timed.evaluation_seconds is not None:
        in_time("evaluation", ranks.slowest(time.perf_counter() - loaded), timed.evaluation_seconds, track)
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
        pace=training.pace,
    )
    return Finished(result, artifact)


def trained(
    config: RunConfig,
    seed: int,
    corpus: Corpus | TokenCorpus,
    track: Track,
    watch: Callable[[Point], None],
    ranks: Ranks = ALONE,
    recorded: Sequence[Pace] = (),
) -> tuple[Model, Training]:
    """The config's model after its budget, as it goes to packing, and what training used; raises as `run` does."""
    stack, budget = realise(config), config.budget
    check_shared(stack, budget, ranks)
    model = stack.model(budget.seq_len)
    initialise(Params(model), stack.init, seed)
    params = Params(model.to(ranks.device))
    work = Work(model, ranks, track.spans // ranks.size)

    def drawn() -> Draw:
        return batches(corpus, budget, stack.plan, seed, track.spans, ranks, stack.visits())

    if budget.seconds is not None:
        warm_up(stack, model, drawn(), work)
    # what trains is nats per token; curves are drawn in the unit of scores
    per_byte = corpus.tokens_per_byte(track.probe_bytes)
    optimizer = stack.optimizer_of(params)
    training = train(
        model,
        optimizer,
        stack.schedule.lr_scale,
        stack.hooks(params, optimizer),
        drawn(),
        generator(seed, "noise", ranks.device),
        budget.steps,
        lambda: nats_per_byte(model, stack, corpus, track.probe_bytes, budget.seq_len, ranks),
        track.probe_every,
        lambda point: watch(replace(point, train_loss=point.train_loss * per_byte)),
        math.inf if budget.seconds is None else budget.seconds,
        recorded,
        work,
    )
    return model, training


def nats_per_byte(
    model: Model, stack: Stack, corpus: Corpus | TokenCorpus, n_tokens: int, seq_len: int, ranks: Ranks = ALONE
) -> float:
    """Over the first tokens of validation, by the stack's evaluator."""
    text: npt.NDArray[np.uint8 | np.uint16] = corpus.valid[:n_tokens]
    return stack.evaluator.nats(model, text, seq_len, ranks) * corpus.tokens_per_byte(n_tokens)


def check_shared(stack: Stack, budget: Budget, ranks: Ranks) -> None:
    """Raises ConfigError for a batch that can't be cut evenly, or for passes whose gradients nobody would average."""
    spans = stack.track.spans
    if budget.batch % spans or spans % ranks.size:
        raise ConfigError(
            f"{budget.batch} sequences can't be cut into {spans} spans for {ranks.size} ranks",
            f"take a batch that {spans} divides, and a number of ranks that divides {spans}",
        )
    if ranks.size > 1 and stack.extra_passes():
        raise ConfigError(
            f"this stack makes passes of its own, and {ranks.size} ranks share only those of the step",
            "train it on one device",
        )


def initialise(params: Params, init: Init, seed: int) -> None:
    """Starting weights. Each tensor has a stream of its own, so a part added elsewhere leaves it as it was."""
    with torch.no_grad():
        for param in params.all:
            init.fill(param, generator(seed, param.name))


# Steps that let compilers and caches settle before the clock of a budget in seconds starts (techniques.md 1.4).
WARM_UP_STEPS = 20


def warm_up(stack: Stack, model: Model, drawn: Draw, work: Work) -> None:
    """Train on the first batches and take it all back: weights as they were, and an optimizer and hooks thrown away.

    What sets in late is compiled here too: the steps are spread over all of training.
    """
    params = Params(model)
    before = [p.detach().clone() for p in params.tensors]
    optimizer = stack.optimizer_of(params)
    hooks = stack.hooks(params, optimizer)
    for step in range(WARM_UP_STEPS):
        noise = generator(0, "warm-up", work.ranks.device)
        advance(Moment(step, WARM_UP_STEPS, model, *drawn(step, WARM_UP_STEPS), noise), optimizer, hooks, work)
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


def in_time(what: str, seconds: float, cap: float, track: Track) -> None:
    """Raises TooSlowError for more seconds than the cap."""
    if seconds > cap:
        raise TooSlowError(
            f"{what} took {seconds:,.2f} s, and {track.name} allows {cap:,.2f} s",
            "take fewer calibration batches" if what == "training" else "take a larger stride or a smaller model",
        )


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


def peak_bytes() -> int:
    """Resident memory of this process at its highest."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
