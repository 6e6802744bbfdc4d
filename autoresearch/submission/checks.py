"""An item of a check list: pass, fail or can't tell, with what was seen."""

from collections.abc import Callable
from dataclasses import dataclass

from autoresearch.submission.folder import Broken
from bench.errors import ArenaError

PASS, FAIL, CANT_TELL = "pass", "fail", "can't tell"
EVIDENCE_CHARACTERS = 300


@dataclass(frozen=True)
class Check:
    """One item, what came out, and what was seen."""

    item: str
    verdict: str
    evidence: str


class OpenQuestion(Exception):
    """The item can't be decided here, with the reason."""


def decided(item: str, look: Callable[[], str]) -> Check:
    """`look` gives the evidence of a pass, or raises OpenQuestion, Broken or what a user can act on."""
    try:
        return Check(item, PASS, plain(look()))
    except OpenQuestion as why:
        return Check(item, CANT_TELL, plain(str(why)))
    except Broken as why:
        return Check(item, FAIL, plain(str(why)))
    except ArenaError as why:
        return Check(item, FAIL, plain(why.problem))


def plain(text: str) -> str:
    """What a stranger wrote, safe to print on a terminal."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown if len(shown) <= EVIDENCE_CHARACTERS else shown[: EVIDENCE_CHARACTERS - 3] + "..."
