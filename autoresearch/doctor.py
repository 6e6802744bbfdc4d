"""What this machine can do, and whether what is needed is in order."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import ArenaError

MIN_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    subject: str
    fine: bool
    said: str


def examine(store: Path, speed: bool) -> list[Finding]:
    return [*_machine(), *_disk(store), *_ledger(store), *_corpora(), *(_speed() if speed else ())]


def _machine() -> Iterator[Finding]:
    import torch

    from autoresearch.session import THREADS_PER_RUN, default_jobs
    from autoresearch.worker import device_class

    yield Finding("python", sys.version_info >= (3, 11), platform.python_version())
    yield Finding("torch", True, torch.__version__)
    yield Finding("device class", True, device_class())
    jobs = default_jobs()
    yield Finding("cores", True, f"{os.cpu_count()}: {jobs} runs at a time with {THREADS_PER_RUN} thread each")
    yield Finding(
        "cuda devices", True, f"{torch.cuda.device_count() or 'none'}; budgets 1xgpu and 8xh100 are not served yet"
    )


def _disk(store: Path) -> Iterator[Finding]:
    folder = next(p for p in (store, *store.absolute().parents) if os.path.exists(p))
    free = shutil.disk_usage(folder).free
    yield Finding("disk", free > MIN_FREE_BYTES, f"{free / 1e9:.1f} GB free under {folder}")


def _ledger(store: Path) -> Iterator[Finding]:
    from studies.reading import Reader

    if not os.path.exists(store):
        yield Finding("ledger", True, f"{store} does not exist yet; the first study makes it")
        return
    try:
        reader = Reader(store)
        said = reader.check()
        yield Finding("ledger", said == "ok", f"{store}: {said}, {len(reader.studies())} studies")
        reader.close()
    except ArenaError as wrong:
        yield Finding("ledger", False, f"{wrong.problem} ({wrong.hint})")


def _corpora() -> Iterator[Finding]:
    from bench.data.choose import available

    for name, state in available():
        yield Finding(f"corpus {name}", True, state)


def _speed() -> Iterator[Finding]:
    from bench.speed import measure

    for threads in sorted({1, os.cpu_count() or 1}):
        found = measure(threads)
        yield Finding(
            f"speed, {threads} thread(s)",
            True,
            f"step {found.step_ms:.0f} ms, {found.tokens_per_second:,.0f} tokens/s, {found.step_gflops:.0f} GFLOP/s = "
            f"{found.peak_share:.0%} of the {found.peak_gflops:.0f} a matrix product reaches; "
            f"evaluation {found.eval_seconds:.1f} s, {found.eval_share:.0%} of a full run",
        )
