"""The tables of the ledger. Times are seconds since 1970 UTC, losses nats per byte, sizes bytes.

Rows that a screen follows carry `rev`: the value of the one clock when they last changed.
"""

from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from bench.records import Reason, State


def _one_of(column: str, values: list[str]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")


def _json() -> Any:
    return Field(sa_column=Column(JSON, nullable=False))


# What makes a run unique; an attempt that failed for the moment's reasons may be followed by another.
RUN_KEY = (
    "fingerprint",
    "seed",
    "track_version",
    "corpus_digest",
    "evaluator_version",
    "numerics_version",
    "device_class",
    "threads",
    "attempt",
)


class Clock(SQLModel, table=True):
    """One row: the number that each change advances."""

    __tablename__: ClassVar[str] = "clock"
    __table_args__: ClassVar[Any] = (CheckConstraint("id = 1", name="one_clock"),)
    id: int = Field(primary_key=True)
    rev: int


class Study(SQLModel, table=True):
    """A search with its definition, and who is running it now."""

    __tablename__: ClassVar[str] = "study"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    spec: dict[str, Any] = _json()
    created_at: float
    shipped: bool = False  # measured by the project and delivered with it
    owner_pid: int | None = None
    owner_started_at: float | None = None  # of the process, so that a recycled pid is not mistaken for it
    owner_host: str | None = None
    heartbeat_at: float | None = None
    stop_requested_at: float | None = None
    ended_reason: str | None = None
    rev: int = Field(index=True)


class Phase(SQLModel, table=True):
    """A stretch of a study with one purpose, and why it ended."""

    __tablename__: ClassVar[str] = "phase"
    __table_args__: ClassVar[Any] = (UniqueConstraint("study_id", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    study_id: int = Field(foreign_key="study.id")
    name: str
    started_at: float
    ended_at: float | None = None
    ended_reason: str | None = None
    rev: int


class TechniqueCard(SQLModel, table=True):
    """A technique as it was when the study started."""

    __tablename__: ClassVar[str] = "technique_card"
    __table_args__: ClassVar[Any] = (UniqueConstraint("study_id", "slot", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    study_id: int = Field(foreign_key="study.id")
    slot: str
    name: str
    card: dict[str, Any] = _json()


class Config(SQLModel, table=True):
    """Everything a run depends on except the seed, under its fingerprint."""

    __tablename__: ClassVar[str] = "config"
    fingerprint: str = Field(primary_key=True)
    config: dict[str, Any] = _json()


class Run(SQLModel, table=True):
    """One config with one seed on one kind of machine. Exists before it starts; a repeat is a new attempt."""

    __tablename__: ClassVar[str] = "run"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint(*RUN_KEY),
        _one_of("state", [state.value for state in State]),
        _one_of("reason", [reason.value for reason in Reason]),
        CheckConstraint("(state = 'complete') = (val_loss IS NOT NULL)", name="complete_means_scored"),
        CheckConstraint("val_loss IS NULL OR (val_loss >= 0 AND val_loss < 1e9)", name="val_loss_is_finite"),
    )
    id: int | None = Field(default=None, primary_key=True)
    fingerprint: str = Field(foreign_key="config.fingerprint")
    seed: int
    track_version: int
    corpus_name: str
    corpus_digest: str
    evaluator_version: int
    numerics_version: int
    device_class: str
    threads: int
    attempt: int = 1
    state: str
    reason: str | None = None
    message: str = ""
    log_tail: str = ""
    step: int = 0
    val_loss: float | None = None
    quant_gap: float | None = None
    weights_bytes: int | None = None
    parameters: int | None = None
    train_flops: int | None = None
    train_tokens: int | None = None
    train_seconds: float | None = None
    probe_seconds: float | None = None
    eval_seconds: float | None = None
    peak_bytes: int | None = None
    started_at: float | None = None
    ended_at: float | None = None
    versions: dict[str, Any] = _json()  # of the libraries that ran it
    curve: bytes | None = Field(default=None, sa_column=Column(LargeBinary))  # packed once the run has ended
    rev: int = Field(index=True)
    pace: bytes | None = Field(default=None, sa_column=Column(LargeBinary))  # of each step, where a clock ended it
    # what its packed model is made of; nothing for a run without a score, and of a ledger of before
    sizes: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class Trial(SQLModel, table=True):
    """One proposal of a study: who made it, why, and what it expects."""

    __tablename__: ClassVar[str] = "trial"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("study_id", "number"),
        _one_of("state", [state.value for state in State]),
    )
    id: int | None = Field(default=None, primary_key=True)
    study_id: int = Field(foreign_key="study.id")
    number: int
    proposer: str
    rule: str
    reason: str
    hypothesis: str = ""
    expected: float | None = None
    params: dict[str, Any] = _json()
    fingerprint: str = Field(foreign_key="config.fingerprint")
    state: str
    message: str = ""  # why it was refused, or what evidence says against it
    created_at: float
    ended_at: float | None = None
    rev: int = Field(index=True)
    seed: int | None = None  # of its run, when it is not the study's: a replication


class TrialRun(SQLModel, table=True):
    """The runs that realise a trial; a run may serve trials of several studies."""

    __tablename__: ClassVar[str] = "trial_run"
    trial_id: int = Field(foreign_key="trial.id", primary_key=True)
    run_id: int = Field(foreign_key="run.id", primary_key=True, index=True)


class CurvePoint(SQLModel, table=True):
    """A point of a run under way; packed into the run's row when it ends."""

    __tablename__: ClassVar[str] = "curve_point"
    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id", index=True)
    step: int
    seconds: float
    train_loss: float
    probe_loss: float | None = None


class Artifact(SQLModel, table=True):
    """The packed model of a complete run; `file` is where it is kept, beside the store, if it is."""

    __tablename__: ClassVar[str] = "artifact"
    run_id: int = Field(foreign_key="run.id", primary_key=True)
    sha256: str
    weights_bytes: int
    file: str | None = None


class Verdict(SQLModel, table=True):
    """What the evidence says of a question, with the numbers it rests on."""

    __tablename__: ClassVar[str] = "verdict"
    id: int | None = Field(default=None, primary_key=True)
    study_id: int | None = Field(default=None, foreign_key="study.id")
    question: str
    verdict: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    n: int = 0
    run_ids: dict[str, Any] = _json()
    created_at: float
    rev: int
    why: str = Field(default="", sa_column_kwargs={"server_default": ""})


class Lesson(SQLModel, table=True):
    """Something learnt that steers later proposals."""

    __tablename__: ClassVar[str] = "lesson"
    id: int | None = Field(default=None, primary_key=True)
    study_id: int | None = Field(default=None, foreign_key="study.id")
    scope: str
    text: str
    effect: float | None = None
    created_at: float
    expired_at: float | None = None
    rev: int


class Belt(SQLModel, table=True):
    """First place in a division, since when, and by which verdict."""

    __tablename__: ClassVar[str] = "belt"
    id: int | None = Field(default=None, primary_key=True)
    identity: dict[str, Any] = _json()
    division: str
    fingerprint: str = Field(foreign_key="config.fingerprint")
    verdict_id: int | None = Field(default=None, foreign_key="verdict.id")
    taken_at: float
    lost_at: float | None = None
    rev: int
    study_id: int | None = Field(default=None, foreign_key="study.id")  # the one that graded it


class Audit(SQLModel, table=True):
    """A graded run's packed model scored once on text that no search has seen, and whether its fighter loses there
    what it gained on the validation text."""

    __tablename__: ClassVar[str] = "audit"
    __table_args__: ClassVar[Any] = (CheckConstraint("val_loss >= 0 AND val_loss < 1e9", name="audit_is_finite"),)
    run_id: int = Field(foreign_key="run.id", primary_key=True)
    digest: str  # SHA-256 of the audit text
    n_bytes: int
    val_loss: float
    flagged: bool
    why: str
    audited_at: float
    rev: int


class Event(SQLModel, table=True):
    """What happened, in order."""

    __tablename__: ClassVar[str] = "event"
    id: int | None = Field(default=None, primary_key=True)
    at: float
    study_id: int | None = Field(default=None, foreign_key="study.id")
    trial_number: int | None = None
    kind: str
    text: str


class Migration(SQLModel, table=True):
    """A schema change that this database has."""

    __tablename__: ClassVar[str] = "migration"
    name: str = Field(primary_key=True)
    applied_at: float


def key(row: "Study | Trial | Run | Verdict") -> int:
    """The primary key of a row that has been flushed."""
    assert row.id is not None, "the row has not been flushed"
    return row.id
