"""How fast the baseline trains and evaluates here, against the matrix-product peak measured in the same minute."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from bench.catalog import realise
from bench.divisions import BASE
from bench.estimate import estimate
from bench.layers import Params
from bench.run import generator, initialise
from bench.tracks import FEATHERWEIGHT, VOCAB
from bench.training import mean_nats


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


def measure(threads: int, repeats: int = 15) -> Speed:
    """Measure on a number of threads; the process keeps its own afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return _measured(threads, repeats)
    finally:
        torch.set_num_threads(before)


def _measured(threads: int, repeats: int) -> Speed:
    stack, budget = realise(BASE), BASE.budget
    model = stack.model(budget.seq_len)
    params = Params(model)
    initialise(params, stack.init, 0)
    optimizer = stack.optimizer_of(params)
    x_BT = torch.randint(VOCAB, (budget.batch, budget.seq_len), generator=generator(0, "speed"))

    def step() -> None:
        mean_nats(model(x_BT), x_BT).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()

    square = torch.rand(1024, 1024)
    # in turn, so that a machine that slows down meanwhile slows both
    steps, products = [], []
    for _ in range(repeats):
        products.append(_seconds(lambda: square @ square))
        steps.append(_seconds(step))
    step_seconds = statistics.median(steps[1:])
    n_windows = 256
    text = torch.randint(VOCAB, (n_windows * budget.seq_len + 1,), dtype=torch.uint8).numpy()
    scored = statistics.median(_seconds(lambda: stack.evaluator.nats(model, text, budget.seq_len)) for _ in range(3))
    seconds_a_byte = scored / (n_windows * budget.seq_len)
    n_probes = budget.steps // FEATHERWEIGHT.probe_every
    evaluating = seconds_a_byte * (FEATHERWEIGHT.eval_bytes + n_probes * FEATHERWEIGHT.probe_bytes)
    return Speed(
        threads=threads,
        peak_gflops=2 * 1024**3 / statistics.median(products[1:]) / 1e9,
        step_ms=1e3 * step_seconds,
        tokens_per_second=x_BT.numel() / step_seconds,
        step_gflops=estimate(BASE).train_flops / budget.steps / step_seconds / 1e9,
        eval_seconds=seconds_a_byte * FEATHERWEIGHT.eval_bytes,
        eval_share=evaluating / (evaluating + budget.steps * step_seconds),
    )


def _seconds(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started
