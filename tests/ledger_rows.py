"""Records that tests write into a ledger."""

from dataclasses import replace

from bench.config import fingerprint
from bench.divisions import BASE
from bench.records import Cost, Failure, Reason, RunResult
from studies.asked import Proposal, RunKey
from studies.definitions import StudySpec

SPEC = StudySpec(
    name="lab",
    track_name="featherweight",
    division_name="optimizer",
    n_trials=5,
    budget=BASE.budget,
    corpus_name="toystories",
    corpus_digest="d" * 64,
)
KEY = RunKey(
    seed=1001,
    track_version=1,
    corpus_name="toystories",
    corpus_digest="d" * 64,
    evaluator_version=1,
    numerics_version=1,
    device_class="cpu/test",
    threads=1,
)
CARD = {"slot": "optimizer", "name": "adamw", "doc": "Adam.", "source": "here", "knobs": []}


def proposal(number: int, lr: float = 8e-3) -> Proposal:
    adamw = BASE.pick("optimizer")
    config = BASE.replaced("optimizer", [replace(adamw, knobs={**adamw.knobs, "lr": lr})])
    return Proposal(
        number=number, config=config, proposer="tpe", rule="a rule", reason="a reason", params={"adamw.lr": lr}
    )


def result(of: Proposal, val_loss: float = 1.5) -> RunResult:
    return RunResult(
        fingerprint=fingerprint(of.config),
        seed=1001,
        val_loss=val_loss,
        quant_gap=0.0,
        weights_bytes=1000,
        artifact_sha256="a" * 64,
        steps=500,
        cost=Cost(
            parameters=851_968,
            train_flops=10**12,
            train_tokens=1_536_000,
            train_seconds=100.0,
            probe_seconds=3.0,
            eval_seconds=9.0,
            peak_bytes=10**9,
        ),
    )


def failure(of: Proposal, reason: Reason) -> Failure:
    return Failure(
        fingerprint=fingerprint(of.config), seed=1001, reason=reason, step=88, message="it ended", log_tail="last words"
    )
