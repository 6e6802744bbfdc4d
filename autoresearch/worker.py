"""One run at a time in a process of its own: jobs as JSON lines in, points and outcomes as JSON lines out.

Run as `python -m autoresearch.worker`. It alone turns any exception of a run into a Failure. When its
standard input ends, its coordinator is gone, and it leaves at once.
"""

import json
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TextIO

from bench.config import RunConfig, fingerprint, from_json
from bench.records import Failure, Outcome, Point, Reason

LOG_TAIL_LINES = 40


def main() -> None:
    out = _own_stdout()
    threads = int(sys.argv[1])
    # set before torch loads: it sizes its pools once
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
    jobs: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    import torch

    torch.set_num_threads(threads)
    _say(out, {"ready": True, "versions": versions(), "device_class": device_class()})
    for job in _forever(jobs):
        outcome = work(job, lambda point: _say(out, {"point": asdict(point)}))
        _say(out, {"sound": True} if outcome is None else {"done": outcome_to_json(outcome)})


def work(job: dict[str, Any], watch: Any) -> Outcome | None:
    """Do one job; whatever happens, an outcome comes back. None for an examination that finds nothing wrong."""
    from bench.data.choose import read_corpus
    from bench.errors import ArenaError, BreachError
    from bench.examine import examine
    from bench.run import run
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
        finished = run(config, job["seed"], corpus, track_named(config.track), seen)
        Path(job["artifact"]).write_bytes(finished.artifact)
        return finished.result
    except Diverged as wrong:
        last["step"] = wrong.step
        return failure(Reason.DIVERGED, str(wrong), "")
    except MemoryError as wrong:
        return failure(Reason.OUT_OF_MEMORY, f"no memory left: {wrong}", _tail())
    except BreachError as wrong:
        return failure(Reason.TOO_LARGE, wrong.problem, "")
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

    import numpy
    import torch
    import zstandard

    found = {"torch": torch.__version__, "numpy": numpy.__version__, "zstandard": zstandard.__version__}
    return {"python": platform.python_version(), **found}


def device_class() -> str:
    """The kind of processor, as finely as bits depend on it: `cpu/x86_64-avx2`."""
    import platform

    import torch

    return f"cpu/{platform.machine()}-{torch.backends.cpu.get_cpu_capability().lower()}"


def _own_stdout() -> TextIO:
    """Keep the pipe to the coordinator for ourselves: whatever else prints goes to the log."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return pipe


def _say(out: TextIO, line: dict[str, Any]) -> None:
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
