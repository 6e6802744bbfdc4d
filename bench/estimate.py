"""What a config will cost, before a second is spent on it."""

from dataclasses import dataclass

import torch

from bench.catalog import realise
from bench.config import RunConfig
from bench.divisions import baseline
from bench.layers import Params
from bench.skeleton import N_LAYER
from bench.stack import Stack, site
from bench.tracks import Track


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Declared costs. FLOPs count a multiply-add as two."""

    parameters: int  # numbers the optimizer moves
    forward_flops: int  # per token
    train_flops: int  # the whole run: three times forward, extra passes included
    raw_bytes: int  # weights in their number format, before compression


def estimate(config: RunConfig) -> Estimate:
    """From what each technique declares; tests hold the declarations against torch's own counter."""
    stack = realise(config)
    parameters = forward = 0
    here = site(config.budget.seq_len)
    parameters += here.vocab * here.width  # the embedding, looked up at no cost
    for part in (*stack.features, stack.head):
        parameters += part.parameters(here)
        forward += part.flops(here)
    for layer in range(N_LAYER):
        here = site(config.budget.seq_len, layer)
        for inner in (stack.mixer, stack.ffn, *stack.mixer_modifiers, *stack.block_modifiers):
            parameters += inner.parameters(here)
            forward += inner.flops(here)
    tokens = config.budget.steps * config.budget.batch * config.budget.seq_len
    return Estimate(
        parameters=parameters,
        forward_flops=forward,
        train_flops=round(3 * forward * tokens * (1 + stack.extra_passes())),
        raw_bytes=raw_bytes(stack, config.budget.seq_len),
    )


def raw_bytes(stack: Stack, seq_len: int) -> int:
    """Exact, from the tensors' shapes; nothing is allocated for them."""
    with torch.device("meta"):
        params = Params(stack.model(seq_len)).all
    return sum(stack.precision.encoded_bytes(tuple(p.tensor.shape), p.role) for p in params)


def over_caps(config: RunConfig, track: Track) -> list[str]:
    """The track's caps that a config breaks, each with the number and the limit; empty when it keeps them."""
    found = []
    cost = estimate(config)
    if track.max_parameters is not None and cost.parameters > track.max_parameters:
        found.append(f"{cost.parameters:,} parameters, and {track.name} caps them at {track.max_parameters:,}")
    if track.flops_ratio is not None:
        ratio = cost.train_flops / estimate(baseline(config.budget)).train_flops
        if ratio > track.flops_ratio:
            found.append(
                f"{ratio:.3f} times the baseline's training FLOPs, and {track.name} caps them at {track.flops_ratio:g}"
            )
    return found
