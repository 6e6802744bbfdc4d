"""The published findings put to the test: every arm alike, verdicts from the ledger alone, a stop loses nothing."""

from dataclasses import dataclass, replace

import pytest
from instant import Instant, study
from ledger_rows import SPEC, result

from autoresearch.claims.plan import ClaimsPlan, known_runs
from autoresearch.executor import Ended, Job
from bench.config import fingerprint
from bench.records import Failure, Outcome, Reason
from bench.tracks import PUBLISHED_SEEDS
from studies.claims import ARMS, N_TUNING, POLICY, SEEDS, arm_named
from studies.store import Proposal, Store

CLAIMED = replace(SPEC, policy=POLICY, division_name="open", n_trials=sum(arm.n_runs for arm in ARMS))


def loss_of(job: Job) -> float:
    """Each technique is worth something, more steps help, lr has its best place, and each seed its luck."""
    picks = {pick.name for chosen in job.config.picks.values() for pick in chosen}
    lr = float(job.config.pick("optimizer").knobs["lr"])
    worth = {"lion": -0.1, "sophia": 0.2, "rwkv6": -0.5, "s4d": -0.05, "swiglu": 0.06, "gqa": 0.001, "smear_gate": -0.1}
    luck = (int(fingerprint(job.config)[:6], 16) * job.seed % 1000) / 1e6
    return 1.5 + sum(worth.get(name, 0.0) for name in picks) - 2e-4 * job.config.budget.steps + abs(lr - 5e-3) + luck


@dataclass
class Landscape(Instant):
    """Ends every run with the landscape's score; Hyena always diverges."""

    def poll(self, seconds):
        if self.stop_after is not None and self.done >= self.stop_after:
            raise KeyboardInterrupt
        job = self.jobs.pop(0)
        self.done += 1
        job.artifact.write_bytes(b"packed")
        return [Ended(job.run_id, outcome(job))]


def outcome(job: Job) -> Outcome:
    if job.config.pick("mixer").name == "hyena":
        return Failure(fingerprint=fingerprint(job.config), seed=job.seed, reason=Reason.DIVERGED, step=1, message="")
    of = Proposal(number=0, config=job.config, proposer="", rule="", reason="", params={})
    return replace(result(of, loss_of(job)), artifact_sha256=f"{job.run_id:064d}", steps=job.config.budget.steps)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    opened = Store(tmp_path_factory.mktemp("claims") / "arena.db")
    study(opened, CLAIMED, Landscape())
    yield opened
    opened.close()


def test_every_arm_gets_the_same_tuning_and_the_first_published_seeds(measured):
    known = known_runs(measured.read.trials("lab"))
    for name, plan in ClaimsPlan(CLAIMED).plans.items():
        steps = list(plan.steps(known))
        tuning = [step for step in steps if step.seed is None]
        assert len({step.name for step in tuning}) == (0 if arm_named(name).untuned else N_TUNING), name
        assert [step.seed for step in steps if step.seed is not None] == list(PUBLISHED_SEEDS[:SEEDS]), name
