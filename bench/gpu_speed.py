"""What a step costs on a GPU and where its time goes; any device will do, so that this can be tried without one.

Shapes: B batch, T time.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from bench.batches import generator
from bench.catalog import realise
from bench.config import RunConfig
from bench.layers import Params
from bench.ranks import Ranks
from bench.run import initialise, peak_bytes
from bench.training import Moment, Work, advance, gradients


@dataclass(frozen=True, kw_only=True)
class StepCost:
    """Medians of one step; forward, backward and update are its parts."""

    step_ms: float
    forward_ms: float
    backward_ms: float  # of all passes, the forward ones taken out
    update_ms: float  # optimizer and hooks
    tokens_per_second: float
    compile_seconds: float  # the first step, which compiles
    peak_bytes: int  # of the GPU's memory, or of this process
    first_loss: float  # nats per token
    last_loss: float


def step_cost(config: RunConfig, ranks: Ranks, pieces: int, repeats: int) -> StepCost:
    """Of a batch passed through in so many pieces, on random tokens that it learns by heart: its loss must fall."""
    stack, budget, device = realise(config), config.budget, ranks.device
    model = stack.model(budget.seq_len)
    initialise(Params(model), stack.init, 0)
    params = Params(model.to(device))
    optimizer = stack.optimizer_of(params)
    hooks, work = stack.hooks(params, optimizer), Work(model, ranks, pieces)
    drawn = torch.randint(stack.track.vocab, (budget.batch, budget.seq_len + 1), generator=generator(0, "speed"))
    x_BT, y_BT = drawn[:, :-1].to(device), drawn[:, 1:].to(device)
    moment = Moment(budget.steps // 2, budget.steps, model, x_BT, y_BT, generator(0, "noise", device))
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()

    def forward() -> None:
        for piece_BT in x_BT.chunk(pieces):
            work.forward(piece_BT, moment.progress)

    def passes() -> None:
        gradients(moment, hooks, work)
        optimizer.zero_grad()

    losses: list[torch.Tensor] = []
    first = seconds(lambda: losses.append(advance(moment, optimizer, hooks, work)), device)
    whole, there, both = [], [], []
    # in turn, so that a machine that slows down meanwhile slows all
    for _ in range(repeats):
        whole.append(seconds(lambda: losses.append(advance(moment, optimizer, hooks, work)), device))
        there.append(seconds(forward, device))
        both.append(seconds(passes, device))
    step, out, back = (statistics.median(times) for times in (whole, there, both))
    return StepCost(
        step_ms=1e3 * step,
        forward_ms=1e3 * out,
        backward_ms=1e3 * (back - out),
        update_ms=1e3 * (step - back),
        tokens_per_second=x_BT.numel() / step,
        compile_seconds=first,
        peak_bytes=torch.cuda.max_memory_allocated() if device.type == "cuda" else peak_bytes(),
        first_loss=losses[0].item(),
        last_loss=losses[-1].item(),
    )


def seconds(do: Callable[[], object], device: torch.device) -> float:
    """How long it takes, to the end of what it left a GPU to do."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    do()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started
