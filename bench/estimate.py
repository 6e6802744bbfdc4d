"""What a config will cost, before a second is spent on it."""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from bench.catalog import realise
from bench.config import Budget, RunConfig
from bench.divisions import baseline
from bench.layers import Params
from bench.packing import Packing
from bench.skeleton import Site
from bench.stack import Costed, Stack
from bench.tracks import Track


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Declared costs. FLOPs count a multiply-add as two."""

    parameters: int  # numbers the optimizer moves
    forward_flops: int  # per token
    train_flops: int  # the whole run: three times forward, extra passes included
    train_tokens: int  # the budget's, or less where a curriculum uses less


def estimate(config: RunConfig) -> Estimate:
    """From what each technique declares, no model built; tests hold the declarations against torch's own counter."""
    stack, budget = realise(config), config.budget
    embedding = stack.track.vocab * stack.embedding_width
    planned = Counter(
        (*stack.plan(step, budget.steps, budget), stack.order(step / budget.steps)) for step in range(budget.steps)
    )
    trained = sum(
        steps * batch * seq_len * forward_flops(stack, seq_len, order)
        for (batch, seq_len, order), steps in planned.items()
    )
    return Estimate(
        parameters=embedding + sum(part.parameters(here) for part, here in stack.costed(budget.seq_len)),
        forward_flops=forward_flops(stack, budget.seq_len, stack.order(1.0)),
        train_flops=round(3 * trained * (1 + stack.extra_passes())) + calibration_flops(stack, budget),
        train_tokens=sum(steps * batch * seq_len for (batch, seq_len, _), steps in planned.items()),
    )


def calibration_flops(stack: Stack, budget: Budget) -> int:
    """Of the forward passes after training that something is measured on; what is added up there is not counted."""
    tokens = stack.calibration_batches(budget.steps) * budget.batch * budget.seq_len
    return tokens * forward_flops(stack, budget.seq_len, stack.order(1.0))


def forward_flops(stack: Stack, seq_len: int, order: tuple[int, ...]) -> int:
    """Per token: products, and what recurrences do element by element; blocks that run again count again."""
    return sum(part.flops(here) + unseen_flops(part, here) for part, here in stack.costed(seq_len, order))


def unseen_flops(part: Costed, here: Site) -> int:
    """Multiply-adds outside matrix products; few parts have enough of them to declare any."""
    declared: Any = getattr(part, "unseen_flops", lambda site: 0)
    return int(declared(here))


def raw_bytes(stack: Stack, seq_len: int) -> int:
    """Weights in their number format, before compression: exact, from the tensors' shapes, without corrections.

    Nothing is allocated for them, but the first model of a process has torch import 1.5 s of itself, which is why it
    is no part of an estimate.
    """
    with torch.device("meta"):
        params = Params(stack.model(seq_len)).all
    return Packing(stack).encoded_bytes(params)


def over_caps(config: RunConfig, track: Track) -> list[str]:
    """The track's caps that a config breaks, each with the number and the limit; empty when it keeps them."""
    found = []
    cost = estimate(config)
    if track.max_parameters is not None and cost.parameters > track.max_parameters:
        found.append(f"{cost.parameters:,} parameters, and {track.name} caps them at {track.max_parameters:,}")
    if track.flops_ratio is not None:
        ratio = cost.train_flops / _baseline_flops(config.budget, config.track)
        if ratio > track.flops_ratio:
            found.append(
                f"{ratio:.3f} times the baseline's training FLOPs, and {track.name} caps them at {track.flops_ratio:g}"
            )
    return found


@cache
def _baseline_flops(budget: Budget, track: str) -> int:
    return estimate(baseline(budget, track)).train_flops
