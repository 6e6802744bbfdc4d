"""`make gpu-check`: what a CUDA GPU makes of golf's stacks, as Markdown on stdout; without one it says so."""

from collections.abc import Iterator
from dataclasses import replace

import torch
import typer
from rich.console import Console

from bench.config import RunConfig
from bench.divisions import BASE, GOLF_BASE
from bench.golf_recipes import recipe_of
from bench.gpu_speed import StepCost, step_cost
from bench.ranks import Ranks, gpu
from bench.tracks import FEATHERWEIGHT, GOLF

HEAD = (
    "| what | step, ms | forward | backward | update | tokens/s | compiled in, s | memory, MB | loss, nats per token |"
    "\n|---|---|---|---|---|---|---|---|---|"
)
REPEATS = 20


def gpu_check() -> None:
    """Time the baseline and a stack of 21 March under torch.compile: the whole batch, and the part of one rank."""
    console = Console(stderr=True)
    if not torch.cuda.is_available():
        said = (
            "error: gpu-check needs a CUDA device, and this machine has none\nhint: run it on the machine with the GPU"
        )
        console.print(said, markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2)
    ranks = Ranks(device=gpu(0), compiles=True)
    typer.echo(f"{torch.cuda.get_device_name(0)}, torch {torch.__version__}\n\n{HEAD}")
    for name, config, pieces in cases():
        console.print(name, highlight=False)
        cost = step_cost(config, ranks, pieces, REPEATS)
        typer.echo(row(name, cost))
    # the last one timed is Featherweight's
    typer.echo(f"\n{trials_a_minute(cost):.2f} Featherweight trials a minute, evaluation left out")


def cases() -> Iterator[tuple[str, RunConfig, int]]:
    """Name, config and passes a step; Featherweight's baseline comes last."""
    for name, config in (("golf baseline", GOLF_BASE), ("stack of #315", recipe_of(315).config())):
        part = replace(config, budget=replace(config.budget, batch=config.budget.batch // GOLF.spans))
        yield f"{name}, whole batch in {GOLF.spans} passes", config, GOLF.spans
        yield f"{name}, one of {GOLF.spans} ranks", part, 1
    yield "Featherweight baseline", BASE, 1


def row(name: str, cost: StepCost) -> str:
    times = (cost.step_ms, cost.forward_ms, cost.backward_ms, cost.update_ms)
    rest = (
        f"{cost.tokens_per_second:,.0f}",
        f"{cost.compile_seconds:.0f}",
        f"{cost.peak_bytes / 1e6:,.0f}",
        f"{cost.first_loss:.3f} to {cost.last_loss:.3f}",
    )
    return f"| {' | '.join((name, *(f'{ms:.2f}' for ms in times), *rest))} |"


def trials_a_minute(cost: StepCost) -> float:
    """Whole Featherweight runs at this pace."""
    return 60 / (FEATHERWEIGHT.budget.steps * cost.step_ms / 1e3)


if __name__ == "__main__":
    typer.run(gpu_check)
