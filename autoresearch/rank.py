"""One of the ranks that train a model together, begun by torchrun's agent: `python -m autoresearch.rank JOB DEVICE`.

The first says what happens, as JSON lines on stdout. One that fails leaves its reason beside the job and ends, upon
which the agent ends the others.
"""

import json
import os
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autoresearch.worker import outcome_to_json, own_stdout, say, work
from bench.records import OVER_A_CAP, Failure, Point, Reason

# What every rank finds alike, and none needs to be ended for.
SHARED = (Reason.DIVERGED, *OVER_A_CAP)
# Neighbours of a lost rank fail too, within milliseconds; by then the agent must have seen which was first.
LAST_SECONDS = 1.0


def main() -> None:
    out = own_stdout()
    threading.Thread(target=_until_alone, daemon=True).start()
    import torch
    import torch.distributed as dist

    from bench.ranks import CPU, Ranks, gpu

    path, kind = Path(sys.argv[1]), sys.argv[2]
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    job: dict[str, Any] = json.loads(path.read_text())
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    device = gpu(int(os.environ["LOCAL_RANK"])) if kind == "cuda" else CPU
    dist.init_process_group("nccl" if kind == "cuda" else "gloo")

    def watch(point: Point) -> None:
        if rank == 0:
            say(out, {"point": asdict(point)})

    outcome = work(
        job if rank == 0 else job | {"artifact": os.devnull}, watch, Ranks(rank, size, device, kind == "cuda")
    )
    assert outcome is not None, "an examination needs no ranks"
    if isinstance(outcome, Failure) and outcome.reason not in SHARED:
        path.with_name(f"rank-{rank}.json").write_text(json.dumps(outcome_to_json(outcome)))
        time.sleep(LAST_SECONDS)
        # without waiting for neighbours, as a proper end would
        os._exit(1)
    if rank == 0:
        say(out, {"done": outcome_to_json(outcome)})
    dist.destroy_process_group()


def _until_alone() -> None:
    """Nothing is ever written to a rank: its input ends when the worker that began it all is gone."""
    sys.stdin.read()
    os._exit(3)


if __name__ == "__main__":
    main()
