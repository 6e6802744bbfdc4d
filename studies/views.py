"""Rows as records: what the store gives out. Times are seconds since 1970 UTC, losses nats per byte."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bench.config import RunConfig
from bench.records import Identity, Reason, State
from studies.definitions import ALL_DONE, OPENINGS, OVER, StudySpec

# A coordinator renews its heartbeat every second; one silent for this long is taken for dead.
STALE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class StudyView:
    """A study and how far it is. `n_done` counts what ended trials cost, in whole runs."""

    spec: StudySpec
    created_at: float
    shipped: bool
    owner_pid: int | None
    owner_host: str | None
    owner_started_at: float | None
    heartbeat_at: float | None
    stop_requested_at: float | None
    ended_reason: str | None
    n_by_state: dict[State, int]
    steps_done: int  # asked for by the trials that cost something and have ended

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def n_done(self) -> int:
        return self.steps_done // self.spec.budget.steps

    @property
    def ending(self) -> str | None:
        """Why nothing is left to do; None while something is."""
        if self.owner_pid is not None:
            return None
        if self.ended_reason in OVER:
            return self.ended_reason
        return ALL_DONE if self.n_done >= self.spec.n_trials else None

    @property
    def n_expected(self) -> int | None:
        """Whole runs that it will come to; None where only its end tells: the openings run out before their limit."""
        return None if self.ending or self.spec.policy == OPENINGS else self.spec.n_trials

    @property
    def progress(self) -> str:
        """`12/40`, or `84` of a study that has ended or that does not know how many are to come."""
        return str(self.n_done) if self.n_expected is None else f"{self.n_done}/{self.n_expected}"


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A run as the ledger has it; a score is a finite number or absent."""

    id: int
    fingerprint: str
    seed: int
    identity: Identity
    corpus_name: str
    threads: int
    state: State
    reason: Reason | None
    message: str
    log_tail: str
    step: int
    val_loss: float | None
    quant_gap: float | None
    weights_bytes: int | None
    parameters: int | None
    train_flops: int | None
    train_tokens: int | None
    train_seconds: float | None
    probe_seconds: float | None
    eval_seconds: float | None
    peak_bytes: int | None
    started_at: float | None
    ended_at: float | None
    versions: dict[str, Any]
    rev: int


@dataclass(frozen=True, kw_only=True)
class TrialView:
    """A trial with the run that realises it; a refused trial has none."""

    study: str
    number: int
    proposer: str
    rule: str
    reason: str
    hypothesis: str
    expected: float | None
    params: dict[str, Any]
    fingerprint: str
    config: RunConfig
    state: State
    message: str
    created_at: float
    ended_at: float | None
    run: RunView | None
    rev: int
    seed: int | None = None  # of a replication; the study's otherwise

    @property
    def val_loss(self) -> float | None:
        return self.run.val_loss if self.run else None

    @property
    def is_short(self) -> bool:
        """A rung of a search: its score is compared with scores of as many steps alone."""
        return self.config.budget.short

    @property
    def ranks(self) -> bool:
        """Its score stands for its config: it has one, of a whole run and the study's own seed."""
        return self.val_loss is not None and self.seed is None and not self.is_short


def under_latest_conditions(trials: Iterable[TrialView]) -> list[TrialView]:
    """The trials whose runs may be compared with the one begun last: a study may have gone on on another machine."""
    begun = [(t.run, t) for t in trials if t.run]
    newest = max((run for run, _ in begun), key=lambda run: (run.started_at or 0.0, run.id), default=None)
    return [t for run, t in begun if newest and run.identity.conditions == newest.identity.conditions]


@dataclass(frozen=True, kw_only=True)
class EventView:
    id: int
    at: float
    study: str | None
    trial: int | None
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ArtifactView:
    sha256: str
    weights_bytes: int
    file: str | None  # name in the artifacts folder beside the store, when it is kept


@dataclass(frozen=True, kw_only=True)
class PhaseView:
    """A stretch of a study with one purpose; without an end it is under way."""

    study: str
    name: str
    started_at: float
    ended_at: float | None
    ended_reason: str | None


@dataclass(frozen=True, kw_only=True)
class VerdictView:
    """What the evidence says of a question; effect and interval are new minus old, run ids by arm."""

    question: str
    verdict: str
    why: str
    effect: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int
    run_ids: dict[str, list[int]]


@dataclass(frozen=True, kw_only=True)
class BeltView:
    """First place in a division: who holds it or held it, the scores that count, and the verdict it was won by."""

    identity: Identity
    division: str
    fingerprint: str
    config: RunConfig
    scores: dict[int, float]  # val_loss by published seed
    verdict: VerdictView | None  # None for a belt that nobody held
    study: str | None  # the one that graded it; unknown of a belt that an old ledger gave
    taken_at: float
    lost_at: float | None
    champion: bool = False  # lowest mean of the belts held at its identity

    @property
    def val_loss(self) -> float:
        """Mean over published seeds, nats per byte."""
        return statistics.fmean(self.scores.values())


@dataclass(frozen=True, kw_only=True)
class AuditView:
    """A graded run on the audit text, beside its score on the validation text."""

    run_id: int
    fingerprint: str
    seed: int
    identity: Identity
    digest: str
    n_bytes: int
    val_loss: float  # on the audit text
    scored: float  # on the validation text
    flagged: bool
    why: str

    @property
    def gap(self) -> float:
        """Audit minus validation, nats per byte."""
        return self.val_loss - self.scored
