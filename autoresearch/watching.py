"""Whom the loop tells what happens."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.config import RunConfig
from bench.records import Outcome, Point
from studies.asked import Proposal


@dataclass
class Watcher:
    """Each call does nothing unless replaced."""

    proposed: Callable[[Proposal], None] = lambda proposal: None
    refused: Callable[[Proposal, str], None] = lambda proposal, why: None
    stepped: Callable[[int, Point], None] = lambda number, point: None
    retried: Callable[[int, str], None] = lambda number, why: None
    ended: Callable[[int, RunConfig, Outcome], None] = lambda number, config, outcome: None
    known: Callable[[int, RunConfig, float | None], None] = lambda number, config, val_loss: None  # no run was needed
    beat: Callable[[], None] = lambda: None  # a few times a second
    noted: Callable[[str], None] = lambda text: None
