"""A shipped study, run in resumable pieces: `python -m autoresearch.measure NAME [--seconds S]`, or `make measure`.

What earlier pieces finished is read from studies/measured/NAME.jsonl, and written back there as the runs end.
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autoresearch.grading.grade import settled
from autoresearch.researcher.squares import without
from autoresearch.session import default_jobs, run_study
from autoresearch.space import Space
from autoresearch.starting import begun_with
from bench.data.choose import corpus_for
from bench.divisions import BASES
from bench.errors import ArenaError, DataError
from studies.definitions import StudySpec
from studies.measurements import REAL_SAMPLE, Measurement, measurements_named
from studies.shipped import FOLDER, export_measured, import_measured, shipped_files
from studies.store import Store

SCRATCH = Path(".measure")


def measure(
    name: Annotated[str, typer.Argument(help="a measurement, e.g. optimizer")],
    seconds: Annotated[float | None, typer.Option(help="begin no further run after so many seconds")] = None,
    jobs: Annotated[int | None, typer.Option(help="runs at a time")] = None,
) -> None:
    """Go on with a measurement, or with a family of them in turn; safe to stop at any moment."""
    console = Console(stderr=True)
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        for measurement in measurements_named(name):
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                break
            go_on(measurement, left, jobs or default_jobs(), console)
    except ArenaError as wrong:
        console.print(f"error: {wrong.problem}\nhint: {wrong.hint}", markup=False, highlight=False)
        raise typer.Exit(2) from wrong
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def go_on(measurement: Measurement, seconds: float | None, jobs: int, console: Console) -> None:
    """From where its record ends to its end, or to the time's; the record is written however it ends."""
    corpus = corpus_for(measurement.track, data_of(measurement))
    spec = begun(measurement, measurement.spec(corpus.name, corpus.digest, measurement.data))
    record = FOLDER / f"{measurement.name}.jsonl"
    path = SCRATCH / f"{measurement.name}.db"
    store = Store(path)
    # the other measurements too: a run that one of them has made is never paid for twice
    for file in shipped_files():
        import_measured(path, file, shipped=file != record)
    try:
        why = run_study(spec, store, corpus, jobs, console, seconds)
        console.print(f"{measurement.name}: {why}", highlight=False)
        if measurement.fighter and not measurement.without and (graded := settled(store, spec)):
            console.print(f"{graded.fighter}: {graded.said}", highlight=False)
    finally:
        store.close()
        n = export_measured(path, measurement.name, record)
        console.print(f"{n} trials in {record.name}", highlight=False)


def begun(measurement: Measurement, spec: StudySpec) -> StudySpec:
    """Its study, begun with its fighter or with what is left of it."""
    if not measurement.fighter:
        return spec
    spec = begun_with(spec, Path(measurement.fighter), measurement.steps)
    assert spec.start is not None, "it was given"
    if not measurement.without:
        return spec
    space = Space(spec)
    rest = without(spec.start, [measurement.without], BASES[spec.track_name])
    # as a study builds it: a modifier goes with its host
    rest, _ = space.recall(space.params_for(rest))
    return replace(spec, start=rest, start_file=f"{spec.start_file} without {measurement.without}")


def data_of(measurement: Measurement) -> str:
    if measurement.data != REAL_SAMPLE:
        return measurement.data
    if folder := os.environ.get("ARENA_REALDATA"):
        return folder
    raise DataError(f"{measurement.name} needs the real sample", "set ARENA_REALDATA to the folder that holds it")


if __name__ == "__main__":
    sys.argv[0] = "measure"
    typer.run(measure)
