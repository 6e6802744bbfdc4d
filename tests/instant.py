"""An executor that answers at once, and a coordinator's whole life around it."""

import math
from dataclasses import dataclass, field, replace

from ledger_rows import KEY, SPEC, result

from autoresearch.executor import Ended, Job, Progress
from autoresearch.loop import Search
from autoresearch.watching import Watcher
from bench.cards import cards
from bench.config import fingerprint
from bench.records import Failure, Outcome, Point, Reason
from studies.asked import Proposal
from studies.ownership import this_process
from studies.store import Store


def made_up(job: Job) -> Outcome:
    """A smooth landscape over lr, so that a sampler has something to learn; Lion always diverges."""
    pick = job.config.pick("optimizer")
    if pick.name == "lion":
        return Failure(
            fingerprint=fingerprint(job.config), seed=job.seed, reason=Reason.DIVERGED, step=7, message="it is gone"
        )
    shape = Proposal(number=0, config=job.config, proposer="", rule="", reason="", params={})
    loss = 1.3 + abs(math.log10(float(pick.knobs["lr"])) + 2) * 0.1 + 0.05 * (pick.name != "muon")
    return replace(result(shape, loss), artifact_sha256=fingerprint(job.config) * 2)


@dataclass
class Instant:
    """An executor whose runs end when they are asked after."""

    slots: int = 1
    stop_after: int | None = None  # runs until the coordinator is interrupted
    jobs: list[Job] = field(default_factory=list)
    done: int = 0
    device_class: str = KEY.device_class
    threads: int = KEY.threads
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def free_slots(self) -> int:
        return self.slots - len(self.jobs)

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def poll(self, seconds: float) -> list[Progress | Ended]:
        if self.stop_after is not None and self.done >= self.stop_after:
            raise KeyboardInterrupt
        job = self.jobs.pop(0)
        self.done += 1
        outcome = made_up(job)
        if not isinstance(outcome, Failure):
            job.artifact.write_bytes(b"packed")
        return [Progress(job.run_id, Point(10, 1.0, 2.0)), Ended(job.run_id, outcome)]

    def cancel(self, run_id: int) -> None:
        self.jobs = [job for job in self.jobs if job.run_id != run_id]

    def close(self) -> None:
        self.jobs.clear()


def study(store: Store, spec=SPEC, executor: Instant | None = None, watcher: Watcher | None = None, run_key=KEY) -> str:
    """A coordinator's whole life; returns why the study ended."""
    store.begin(spec, cards(), this_process())
    why = "interrupted"
    try:
        search = Search(spec, store, executor or Instant(), run_key, {}, watcher or Watcher())
        why = search.run()
    finally:
        store.release(spec.name, why)
    return why
