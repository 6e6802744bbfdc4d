"""How fast a config trains here: the baseline against the matrix-product peak, any other against the baseline."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from bench.batches import generator
from bench.catalog import realise
from bench.config import RunConfig
from bench.divisions import BASE, baseline
from bench.estimate import estimate
from bench.layers import Params
from bench.run import initialise, peak_bytes
from bench.tracks import FEATHERWEIGHT
from bench.training import Moment, advance


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Medians on one thread count; GFLOP/s of the declared FLOPs, three times forward a step."""

    threads: int
    peak_gflops: float  # 1024 x 1024 x 1024 products in fp32
    step_ms: float
    tokens_per_second: float
    step_gflops: float
    eval_seconds: float  # the track's evaluation bytes, scored once
    eval_share: float  # of a full run: probes and the final evaluation, over them and the training steps

    @property
    def peak_share(self) -> float:
        return self.step_gflops / self.peak_gflops


@contextmanager
def on_threads(wanted: int) -> Iterator[None]:
    """torch on so many threads, as far as there are cores; the process keeps its own afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(wanted, os.cpu_count() or 1)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def measure(threads: int, repeats: int = 15) -> Speed:
    with on_threads(threads):
        return _measured(threads, repeats)


def stepper(config: RunConfig) -> Callable[[], None]:
    """A training step of a config on random bytes: forward, backward, hooks, update."""
    stack, budget = realise(config), config.budget
    model = stack.model(budget.seq_len)
    params = Params(model)
    initialise(params, stack.init, 0)
    optimizer = stack.optimizer_of(params)
    hooks = stack.hooks(params, optimizer)
    x_BT = torch.randint(stack.track.vocab, (budget.batch, budget.seq_len), generator=generator(0, "speed"))
    done = 0

    def step() -> None:
        nonlocal done
        # the schedule's far end, so that what acts late is part of the step too
        moment = Moment(budget.steps - 1 - done % 20, budget.steps, model, x_BT, x_BT, generator(0, "noise"))
        advance(moment, optimizer, hooks)
        done += 1

    return step


@dataclass(frozen=True, kw_only=True)
class Weight:
    """What a config costs here; the baseline was timed in turn with it."""

    step_ms: float  # median, of processor time: other work on the machine does not count
    step_ratio: float  # of the baseline's step: medians of one run
    peak_bytes: int  # of a process that did nothing before


def weigh(config: RunConfig, repeats: int) -> Weight:
    """On one thread. To be called in a fresh process: memory is the process's."""
    torch.set_num_threads(1)
    step = stepper(config)
    for _ in range(2):
        step()
    peak = peak_bytes()
    base = stepper(baseline(config.budget))
    base()
    mine, others = [], []
    for _ in range(repeats):
        mine.append(_seconds(step, time.process_time))
        others.append(_seconds(base, time.process_time))
    own = statistics.median(mine)
    return Weight(step_ms=1e3 * own, step_ratio=own / statistics.median(others), peak_bytes=peak)


def _measured(threads: int, repeats: int) -> Speed:
    stack, budget = realise(BASE), BASE.budget
    model, step = stack.model(budget.seq_len), stepper(BASE)
    tokens = budget.batch * budget.seq_len
    square = torch.rand(1024, 1024)
    # in turn, so that a machine that slows down meanwhile slows both
    steps, products = [], []
    for _ in range(repeats):
        products.append(_seconds(lambda: square @ square))
        steps.append(_seconds(step))
    step_seconds = statistics.median(steps[1:])
    n_windows = 256
    text = torch.randint(stack.track.vocab, (n_windows * budget.seq_len + 1,), dtype=torch.uint8).numpy()
    scored = statistics.median(_seconds(lambda: stack.evaluator.nats(model, text, budget.seq_len)) for _ in range(3))
    seconds_a_byte = scored / (n_windows * budget.seq_len)
    n_probes = budget.steps // FEATHERWEIGHT.probe_every
    evaluating = seconds_a_byte * (FEATHERWEIGHT.eval_bytes + n_probes * FEATHERWEIGHT.probe_bytes)
    return Speed(
        threads=threads,
        peak_gflops=2 * 1024**3 / statistics.median(products[1:]) / 1e9,
        step_ms=1e3 * step_seconds,
        tokens_per_second=tokens / step_seconds,
        step_gflops=estimate(BASE).train_flops / budget.steps / step_seconds / 1e9,
        eval_seconds=seconds_a_byte * FEATHERWEIGHT.eval_bytes,
        eval_share=evaluating / (evaluating + budget.steps * step_seconds),
    )


def _seconds(do: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    do()
    return clock() - started
