"""A run on several ranks of this machine, through torchrun's agent: it starts them, and ends all when one is lost.

`python -m autoresearch.launch N DEVICE JOBFILE` is the agent.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.config import fingerprint, from_json
from bench.records import Failure, Outcome, Reason

POLL_SECONDS = 0.1


def run_on_ranks(job: dict[str, Any], n: int, device: str, said: Callable[[dict[str, Any]], None]) -> Outcome:
    """Do one job on `n` ranks, `cuda` or `cpu`; whatever happens to them, an outcome comes back.

    `said` gets the lines of points.
    """
    # it spawns workers, which need this module
    from autoresearch.executor import outcome_from_json

    with tempfile.TemporaryDirectory(prefix="arena-ranks-") as folder:
        path = Path(folder) / "job.json"
        path.write_text(json.dumps(job))
        agent = subprocess.Popen(
            [sys.executable, "-m", "autoresearch.launch", str(n), device, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert agent.stdout is not None, "the agent is started with a pipe"
        done: Outcome | None = None
        lost: dict[str, int] = {}
        last: dict[str, Any] = {"step": 0, "seconds": 0.0}
        for line in agent.stdout:
            told: dict[str, Any] = json.loads(line)
            if "point" in told:
                last = told["point"]
                said(told)
            elif "done" in told:
                done = outcome_from_json(told["done"])
            else:
                lost = told["lost"]
        code = agent.wait()
        if done is not None and not lost:
            return done
        reason, message, tail = _cause(Path(folder), lost, n, code)
        return Failure(
            fingerprint=fingerprint(from_json(job["config"])),
            seed=job["seed"],
            reason=reason,
            step=last["step"],
            message=message,
            log_tail=tail,
            train_seconds=last["seconds"],
        )


def _cause(folder: Path, lost: dict[str, int], n: int, code: int) -> tuple[Reason, str, str]:
    """Which rank was the first to go, and why; the agent ends the others with SIGTERM."""
    killed = [(rank, -code) for rank, code in lost.items() if code < 0 and -code != signal.SIGTERM]
    if killed:
        rank, number = killed[0]
        return Reason.KILLED, f"rank {rank} of {n} was killed by {signal.Signals(number).name}", ""
    told = sorted(folder.glob("rank-*.json"), key=lambda path: path.stat().st_mtime_ns)
    if told:
        failure = json.loads(told[0].read_text())["failure"]
        rank = told[0].stem.removeprefix("rank-")
        return Reason(failure["reason"]), f"rank {rank} of {n}: {failure['message']}", failure["log_tail"]
    if lost:
        rank, code = next(iter(lost.items()))
        return Reason.CRASHED, f"rank {rank} of {n} ended by itself with exit code {code}", ""
    return Reason.CRASHED, f"the agent of {n} ranks ended by itself with exit code {code}", ""


def main() -> None:
    threading.Thread(target=_until_alone, daemon=True).start()
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    from autoresearch.worker import say

    n, device, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=n,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="localhost",
        max_restarts=0,
        monitor_interval=POLL_SECONDS,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "autoresearch.rank", path, device)
    except ChildFailedError as error:
        say(sys.stdout, {"lost": {rank: failure.exitcode for rank, failure in error.failures.items()}})
        raise SystemExit(1) from None


def _until_alone() -> None:
    """The worker that began it is gone: not even the ranks may outlive it."""
    sys.stdin.read()
    os._exit(3)


if __name__ == "__main__":
    main()
