"""An executor whose fights are fixed: each update rule has its scores, one a published seed."""

from dataclasses import dataclass, field, replace

from instant import Instant
from ledger_rows import result

from autoresearch.executor import Ended
from bench.config import fingerprint
from bench.records import Failure, Reason
from bench.tracks import PUBLISHED_SEEDS
from studies.asked import Proposal

LOSSES = {
    "adamw": [1.240, 1.242, 1.238, 1.241, 1.239],
    "muon": [1.020, 1.018, 1.019],
    "lion": [1.236, 1.244, 1.237],
    "sophia": [1.501, 1.502, 1.500],
}


@dataclass
class Ring(Instant):
    """Scores by optimizer and seed; a list gives one score a seed, in the track's order, and None is a failure."""

    losses: dict[str, list[float | None]] = field(default_factory=dict)

    def poll(self, seconds):
        if self.stop_after is not None and self.done >= self.stop_after:
            raise KeyboardInterrupt
        job = self.jobs.pop(0)
        self.done += 1
        job.artifact.write_bytes(b"packed")
        of = Proposal(number=0, config=job.config, proposer="", rule="", reason="", params={})
        loss = self.losses[job.config.pick("optimizer").name][PUBLISHED_SEEDS.index(job.seed)]
        if loss is None:
            lost = Failure(
                fingerprint=fingerprint(job.config), seed=job.seed, reason=Reason.DIVERGED, step=9, message="gone"
            )
            return [Ended(job.run_id, lost)]
        scored = replace(result(of, loss), seed=job.seed, artifact_sha256=f"{job.run_id:064d}")
        return [Ended(job.run_id, scored)]
