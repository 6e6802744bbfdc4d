"""One run at a time in a process of its own: jobs as JSON lines in, points and outcomes as JSON lines out.

Run as `python -m autoresearch.worker THREADS DEVICES`. It alone turns any exception of a run into a Failure. When its
standard input ends, its coordinator is gone, and it leaves at once.
"""

import json
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TextIO

from autoresearch.launch import run_on_ranks
from bench.config import RunConfig, fingerprint, from_json
from bench.records import Failure, Outcome, Pace, Point, Reason

if TYPE_CHECKING:
    from bench.ranks import Ranks

LOG_TAIL_LINES = 40


def main() -> None:
    out = own_stdout()
    threads, devices = int(sys.argv[1]), int(sys.argv[2])
    # set before torch loads: it sizes its pools once
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
    jobs: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    import torch

    torch.set_num_threads(threads)
    say(out, {"ready": True, "versions": versions(), "device_class": device_class(devices)})
    for job in _forever(jobs):
        if devices > 1 and "corpus_folder" in job:
            outcome: Outcome | None = run_on_ranks(job, devices, "cuda", lambda line: say(out, line))
        else:
            outcome = work(job, lambda point: say(out, {"point": asdict(point)}), alone_on(devices))
        say(out, {"sound": True} if outcome is None else {"done": outcome_to_json(outcome)})


def alone_on(devices: int) -> "Ranks":
    """The one process of a run, on the GPU where the track has one, compiled there."""
    from bench.ranks import ALONE, Ranks, gpu

    return Ranks(device=gpu(0), compiles=True) if devices else ALONE


def work(job: dict[str, Any], watch: Any, ranks: "Ranks | None" = None) -> Outcome | None:
    """Do one job; whatever happens, an outcome comes back. None for an examination that finds nothing wrong."""
    from bench.data.choose import read_corpus
    from bench.errors import ArenaError, BreachError, TooSlowError
    from bench.examine import examine
    from bench.ranks import ALONE
    from bench.run import run
    from bench.sizes import sizes_of
    from bench.tracks import track_named
    from bench.training import Diverged

    config: RunConfig = from_json(job["config"])
    last = {"step": 0, "seconds": 0.0}

    def seen(point: Point) -> None:
        last.update(step=point.step, seconds=point.seconds)
        watch(point)

    def failure(reason: Reason, message: str, log_tail: str) -> Failure:
        return Failure(
            fingerprint=fingerprint(config),
            seed=job["seed"],
            reason=reason,
            step=int(last["step"]),
            message=message,
            log_tail=log_tail,
            train_seconds=last["seconds"],
        )

    try:
        if config.brings_code:
            examine(config, track_named(config.track))
        if "corpus_folder" not in job:
            return None
        corpus = read_corpus(Path(job["corpus_folder"]), job["corpus_name"])
        if corpus is None or corpus.digest != job["corpus_digest"]:
            raise RuntimeError(f"the corpus in {job['corpus_folder']} is not the study's")
        recorded = [Pace(*step) for step in job.get("pace", ())]
        finished = run(config, job["seed"], corpus, track_named(config.track), seen, ranks or ALONE, recorded)
        Path(job["artifact"]).write_bytes(finished.artifact)
        return replace(finished.result, sizes=sizes_of(finished.artifact, config))
    except Diverged as wrong:
        last["step"] = wrong.step
        return failure(Reason.DIVERGED, str(wrong), "")
    except MemoryError as wrong:
        return failure(Reason.OUT_OF_MEMORY, f"no memory left: {wrong}", _tail())
    except BreachError as wrong:
        return failure(Reason.TOO_LARGE, wrong.problem, "")
    except TooSlowError as wrong:
        return failure(Reason.TOO_SLOW, wrong.problem, "")
    except ArenaError as wrong:
        return failure(Reason.CRASHED, wrong.problem, _tail())
    except RuntimeError as wrong:
        # torch says so in words only
        short = "can't allocate memory" in str(wrong) or "out of memory" in str(wrong)
        return failure(Reason.OUT_OF_MEMORY if short else Reason.CRASHED, f"RuntimeError: {wrong}", _tail())
    except Exception as wrong:
        return failure(Reason.CRASHED, f"{type(wrong).__name__}: {wrong}", _tail())


def _tail() -> str:
    return "".join(traceback.format_exc().splitlines(keepends=True)[-LOG_TAIL_LINES:])


def versions() -> dict[str, str]:
    """What a score may depend on besides the config."""
    import platform

    import brotli
    import numpy
    import torch
    import zstandard

    found = {module.__name__: module.__version__ for module in (torch, numpy, zstandard, brotli)}
    return {"python": platform.python_version(), **found}


def device_class(devices: int = 0) -> str:
    """The kind of processor, as finely as bits depend on it: `cpu/x86_64-avx2`; GPUs by name and number."""
    import platform

    import torch

    if devices:
        return f"cuda/{torch.cuda.get_device_name(0).lower().replace(' ', '-')}-x{devices}"
    return f"cpu/{platform.machine()}-{torch.backends.cpu.get_cpu_capability().lower()}"


def own_stdout() -> TextIO:
    """Keep the pipe to the coordinator for ourselves: whatever else prints goes to the log."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return pipe


def say(out: TextIO, line: dict[str, Any]) -> None:
    print(json.dumps(line, allow_nan=False), file=out, flush=True)


def _listen(jobs: "SimpleQueue[dict[str, Any]]") -> None:
    for line in sys.stdin:
        jobs.put(json.loads(line))
    # the coordinator is gone: not even a run under way may outlive it
    os._exit(3)


def _forever(jobs: "SimpleQueue[dict[str, Any]]") -> Iterator[dict[str, Any]]:
    while True:
        yield jobs.get()


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    kind = "failure" if isinstance(outcome, Failure) else "result"
    return {kind: asdict(outcome)}


if __name__ == "__main__":
    main()
