"""Who runs a study: one process of one machine, told apart from a later one with the same number."""

import os
import socket
import time
from dataclasses import dataclass

import psutil

from bench.errors import StoreError
from studies.definitions import StudySpec
from studies.views import STALE_SECONDS, StudyView


@dataclass(frozen=True)
class Owner:
    """A process: its number, when it started, and where."""

    pid: int
    started_at: float
    host: str


def this_process() -> Owner:
    return Owner(os.getpid(), psutil.Process().create_time(), socket.gethostname())


def living_owner(study: StudyView) -> Owner | None:
    """The process that runs a study now, or None when nobody does."""
    if study.owner_pid is None or study.owner_started_at is None or study.owner_host is None:
        return None
    owner = Owner(study.owner_pid, study.owner_started_at, study.owner_host)
    if owner.host != socket.gethostname():
        # a process elsewhere can't be looked at: its heartbeat speaks for it
        silent = time.time() - (study.heartbeat_at or 0.0)
        return owner if silent < STALE_SECONDS else None
    try:
        alive = abs(psutil.Process(owner.pid).create_time() - owner.started_at) < 1.0
    except psutil.NoSuchProcess:
        return None
    return owner if alive else None


def check_claim(study: StudyView, spec: StudySpec, by: Owner) -> None:
    """Whether a process may go on with a study by this definition; StoreError says why not."""
    if differing := study.spec.differs_from(spec):
        raise StoreError(
            f"study {study.name} exists with another definition: {'; '.join(differing)}",
            "give the new one a name of its own with --study",
        )
    if spec.n_trials < min(study.n_done, study.spec.n_trials):
        raise StoreError(
            f"study {study.name} has {study.n_done} trials already, and --trials {spec.n_trials} is fewer",
            "it counts all of a study's trials, not those to come",
        )
    holder = living_owner(study)
    if holder and holder != by:
        raise StoreError(
            f"study {study.name} is being run by process {holder.pid} on {holder.host}",
            f"watch it with `arena --study {study.spec.word}`, or end it with `autoresearch stop {study.spec.word}`",
        )
