"""The table of every fighter's cost, as Markdown on stdout: `python -m autoresearch.fighters`, or `make fighters`.

Each technique stands alone on the baseline at its defaults, in a process of its own, its step timed in turn with the
baseline's. Beside it what it scored so in `make measure fighters`.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Annotated

import typer
from rich.console import Console

from autoresearch.listing import number
from bench.catalog import CATALOG, alone
from bench.config import RunConfig
from bench.divisions import OPEN, baseline
from bench.estimate import estimate
from bench.speed import Weight, weigh
from bench.tracks import FEATHERWEIGHT
from studies.reading import Reader
from studies.shipped import shipped_store

HEAD = (
    "| slot | technique | parameters | MFLOP a byte, forward | training FLOPs, of the baseline's "
    "| step, ms | of the baseline's | memory, MB | val_loss |\n|---|---|---|---|---|---|---|---|---|"
)
REPEATS = 7
STUDY = "measured-fighters"


def fighters(
    slot: Annotated[str | None, typer.Option(help="one slot instead of all")] = None,
) -> None:
    """Weigh every technique and print the table."""
    progress = Console(stderr=True)
    store = shipped_store()
    scores = recorded(Reader(store)) if store else {}
    typer.echo(HEAD)
    # a process each, so that its peak of memory is its own
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for slot_name, name in chosen(slot):
            config = alone(slot_name, name, FEATHERWEIGHT.budget)
            progress.print(f"{slot_name} {name}", highlight=False)
            weight = pool.submit(weigh, config, REPEATS).result()
            typer.echo(row(slot_name, name, config, weight, scores.get((slot_name, name))))


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


def recorded(reader: Reader) -> dict[tuple[str, str], float]:
    """val_loss in nats per byte by slot and name; what the baseline is made of has the baseline's."""
    found: dict[tuple[str, str], float] = {}
    for trial in reader.trials(STUDY):
        for slot, picks in trial.config.picks.items():
            for pick in picks:
                own = trial.proposer == "baseline" or trial.reason.startswith(f"{pick.name} at its defaults")
                if own and trial.val_loss is not None:
                    found[slot, pick.name] = trial.val_loss
    return found


def row(slot: str, name: str, config: RunConfig, weight: Weight, val_loss: float | None) -> str:
    measured = (f"{weight.step_ms:.0f}", f"{weight.step_ratio:.2f}", f"{weight.peak_bytes / 1e6:,.0f}")
    return f"| {' | '.join((slot, name, *declared(config), *measured, number(val_loss)))} |"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    typer.run(fighters)
