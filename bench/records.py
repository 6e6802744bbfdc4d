"""What a run leaves behind, success and failure both, as frozen records."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple


class State(StrEnum):
    """Where a run or a trial stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Reason(StrEnum):
    """Why a run ended without a score."""

    REFUSED = "refused"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_TIME = "out_of_time"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    CRASHED = "crashed"
    KILLED = "killed"
    INTERRUPTED = "interrupted"


# Caps of the track that only a run can find broken; it would break them again.
OVER_A_CAP = (Reason.TOO_LARGE, Reason.TOO_SLOW)


@dataclass(frozen=True)
class Point:
    """One point of a training curve. Losses in nats per byte; `probe_loss` every so many steps, and never a score."""

    step: int
    seconds: float  # wall clock since the first step, probes excluded
    train_loss: float
    probe_loss: float | None = None


class Pace(NamedTuple):
    """What the clock of a budget in seconds had made of a step before it began: a replay by steps needs both."""

    lr_scale: float  # factor on every learning rate
    n_steps: float  # expected in all; what acts at a share of training goes by it


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a run used."""

    parameters: int  # numbers the optimizer moves
    train_flops: int  # declared, extra passes included
    train_tokens: int
    train_seconds: float  # wall clock inside the step loop, probes excluded
    probe_seconds: float
    eval_seconds: float  # pack, unpack and every evaluation after training
    peak_bytes: int  # resident memory of the worker at its highest


class TensorSize(NamedTuple):
    """A tensor of a packed model, in its number format: its codes with their scales."""

    name: str
    role: str  # a bench.layers.Role, which is not imported for its name: it needs torch
    shape: tuple[int, ...]
    n_bytes: int

    @property
    def n_numbers(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What a packed model is made of, in bytes before its codec; the checksum and names in front of that are left out.

    The codec is the config's, and what it made of them is the run's `weights_bytes`.
    """

    tensors: tuple[TensorSize, ...]
    correction_bytes: int  # sections that modifiers of the number format add behind the tensors
    header_bytes: int  # the config, and name, role and shape of every tensor
    code_bytes: int  # set aside for code, where the track's cap is on the sum

    @property
    def n_bytes(self) -> int:
        """All that the codec is given."""
        return sum(tensor.n_bytes for tensor in self.tensors) + self.correction_bytes + self.header_bytes

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "Sizes":
        tensors = tuple(TensorSize(name, role, tuple(shape), n) for name, role, shape, n in plain["tensors"])
        return Sizes(**{**plain, "tensors": tensors})


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What one config did with one seed."""

    fingerprint: str  # of the config; the seed is not part of it
    seed: int
    val_loss: float  # nats/byte over the track's evaluation bytes, from the unpacked artifact
    quant_gap: float  # nats/byte, what packing cost, both sides measured on the track's rung bytes
    weights_bytes: int  # the compressed file
    artifact_sha256: str
    steps: int
    cost: Cost
    pace: tuple[Pace, ...] = ()  # of each step, where the clock ended the training
    sizes: Sizes | None = None  # unknown where the packed file alone was kept

    def __post_init__(self) -> None:
        if not math.isfinite(self.val_loss):
            raise ValueError(f"val_loss is {self.val_loss}: a diverged run is a Failure, not a RunResult")

    @property
    def val_bpb(self) -> float:
        return self.val_loss / math.log(2)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that ended without a score; it is on the ledger all the same."""

    fingerprint: str
    seed: int
    reason: Reason
    step: int  # steps done
    message: str
    log_tail: str = ""
    train_seconds: float = 0.0


Outcome = RunResult | Failure


@dataclass(frozen=True, order=True)
class Identity:
    """What two scores must share to be compared; standings never mix identities."""

    track: str
    track_version: int
    corpus_digest: str
    steps: int
    batch: int
    seq_len: int
    evaluator_version: int
    device_class: str
    numerics_version: int
    short: bool = False  # a rung of a search, scored on fewer bytes

    @property
    def conditions(self) -> tuple[int, int, int, str]:
        """What scores of one study must share beside the budget: a study may be resumed on another machine."""
        return self.track_version, self.evaluator_version, self.numerics_version, self.device_class
