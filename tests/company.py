"""An executor at once, in which techniques help, hinder and depend on each other by known amounts."""

import random
from dataclasses import dataclass, replace

from instant import Instant
from ledger_rows import SPEC

from autoresearch.executor import Ended, Progress
from bench.records import Failure

# nats per byte: each technique's effect wherever it stands, and what pairs do beyond their sum
EFFECTS = {"muon": -0.20, "smear_gate": -0.02, "orthogonal": -0.03, "swiglu": 0.05, "ema": 0.0, "xsa": -0.04}
TOGETHER = {("orthogonal", "smear_gate"): -0.06, ("smear_gate", "xsa"): 0.04}
SD = 0.002

COMPANY = replace(
    SPEC, division_name="open", policy="researcher", n_trials=70,
    settings=(
        "mixer=softmax", "mixer_modifiers=xsa", "ffn=relu2,swiglu", "optimizer=adamw,muon", "optimizer_modifiers=none",
        "residual=pre_norm", "features=smear_gate", "block_modifiers=none", "init=zero_output,orthogonal",
        "schedule=linear", "averaging=last,ema", "addons=none", "precision=fp32", "precision_modifiers=none",
        "logits=none",
    ),
)  # fmt: skip


def true_loss(config) -> float:
    names = {pick.name for picks in config.picks.values() for pick in picks}
    return (
        1.5
        + sum(effect for name, effect in EFFECTS.items() if name in names)
        + sum(effect for pair, effect in TOGETHER.items() if {*pair} <= names)
    )


@dataclass
class Company(Instant):
    """Scores by techniques alone, with noise by config and seed."""

    def poll(self, seconds: float) -> list[Progress | Ended]:
        job = self.jobs[0]
        point, ended = super().poll(seconds)
        assert isinstance(ended, Ended)
        assert not isinstance(ended.outcome, Failure)
        moved = random.Random(f"{job.seed}/{ended.outcome.fingerprint}").gauss(0.0, SD)
        return [point, replace(ended, outcome=replace(
            ended.outcome, seed=job.seed, val_loss=true_loss(job.config) + moved
        ))]  # fmt: skip
