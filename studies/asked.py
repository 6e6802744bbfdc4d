"""What is asked of the ledger: a trial before anything is spent on it, and what makes its run that run."""

from dataclasses import dataclass
from typing import Any

from bench.config import RunConfig


@dataclass(frozen=True, kw_only=True)
class RunKey:
    """What makes a run unique, apart from its config."""

    seed: int
    track_version: int
    corpus_name: str
    corpus_digest: str
    evaluator_version: int
    numerics_version: int
    device_class: str
    threads: int

    @property
    def conditions(self) -> tuple[int, int, int, str]:
        """As those of an identity: runs that share them may be compared."""
        return self.track_version, self.evaluator_version, self.numerics_version, self.device_class


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A trial before anything is spent on it: who proposes it, why, and what it expects."""

    number: int
    config: RunConfig
    proposer: str
    rule: str
    reason: str
    hypothesis: str = ""
    expected: float | None = None
    params: dict[str, Any]
    advice: str = ""
    seed: int | None = None  # of a replication; the study's otherwise
