"""What a technique may declare about itself besides its knobs: needs, clashes, a prior, and that it acts late.

`late: ClassVar = True` says that it does its work at the end of a run, or changes the run as it goes on: a short run
shows little of that, so a search judges it there only beside others of its kind.

`adapts: ClassVar = True` says of an evaluator that it learns from what it has scored: a golf submission states it.

`breaks: ClassVar[str]` names the rule of golf that it breaks, as a sentence: it may be studied, and is not exported.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Relation:
    """What is known of two techniques together.

    Hard: it can't be built or breaks a rule, and is refused. Otherwise it is evidence: it steers
    proposals, carries its source, and can be run on purpose.
    """

    other: str
    why: str
    source: str
    hard: bool = False


class Clash(Relation):
    """Two techniques known not to combine; declared once, by the one that breaks."""


class Need(Relation):
    """A technique that another one wants beside it."""


@dataclass(frozen=True)
class Prior:
    """What was seen elsewhere: the sign of the change in loss (-1 is better), a grade A to D or N, and on what."""

    sign: int
    grade: str
    base: str
