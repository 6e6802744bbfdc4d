"""What a technique may declare about itself besides its knobs: needs, clashes, a prior."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Clash:
    """Two techniques known not to combine.

    Hard: it can't be built or breaks a rule, and is refused. Otherwise it is evidence: it steers
    proposals, carries its source, and can be run on purpose.
    """

    other: str
    why: str
    source: str
    hard: bool = False


@dataclass(frozen=True)
class Need:
    """A technique that another one wants beside it; hard or evidence, as with a clash."""

    other: str
    why: str
    source: str
    hard: bool = False


@dataclass(frozen=True)
class Prior:
    """What was seen elsewhere: the sign of the change in loss (-1 is better), a grade A to D or N, and on what."""

    sign: int
    grade: str
    base: str
