"""The table of every fighter's cost, as Markdown on stdout: `python -m autoresearch.fighters`, or `make fighters`.

Each technique stands alone on the baseline at its defaults, in a process of its own, its step timed in turn with the
baseline's.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Annotated

import typer
from rich.console import Console

from bench.catalog import CATALOG, alone
from bench.config import RunConfig
from bench.divisions import OPEN, baseline
from bench.estimate import estimate
from bench.speed import Weight, weigh
from bench.tracks import FEATHERWEIGHT

HEAD = (
    "| slot | technique | parameters | MFLOP a byte, forward | training FLOPs, of the baseline's "
    "| step, ms | of the baseline's | memory, MB |\n|---|---|---|---|---|---|---|---|"
)
REPEATS = 7


def fighters(
    slot: Annotated[str | None, typer.Option(help="one slot instead of all")] = None,
) -> None:
    """Weigh every technique and print the table."""
    progress = Console(stderr=True)
    typer.echo(HEAD)
    # a process each, so that its peak of memory is its own
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for slot_name, name in chosen(slot):
            config = alone(slot_name, name, FEATHERWEIGHT.budget)
            progress.print(f"{slot_name} {name}", highlight=False)
            typer.echo(row(slot_name, name, config, pool.submit(weigh, config, REPEATS).result()))


def chosen(slot: str | None) -> Iterator[tuple[str, str]]:
    for name, techniques in CATALOG.items():
        # neither is part of a training step
        if name not in ("shape", "codec", "evaluator") and slot in (None, name):
            yield from ((name, t.name) for t in techniques if OPEN.enters(name, t.name))


def declared(config: RunConfig) -> tuple[str, str, str]:
    """The columns that do not depend on the machine."""
    cost = estimate(config)
    ratio = cost.train_flops / estimate(baseline(config.budget)).train_flops
    return f"{cost.parameters:,}", f"{cost.forward_flops / 1e6:.3f}", f"{ratio:.3f}"


def row(slot: str, name: str, config: RunConfig, weight: Weight) -> str:
    measured = (f"{weight.step_ms:.0f}", f"{weight.step_ratio:.2f}", f"{weight.peak_bytes / 1e6:,.0f}")
    return f"| {' | '.join((slot, name, *declared(config), *measured))} |"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    typer.run(fighters)
