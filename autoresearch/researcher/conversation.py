"""What was said to and by a study's language model, as events of the ledger: a sentence, and the facts under it.

A request has its row before it is sent, so that what it may cost is counted whatever becomes of it; an answer has its
row before a stack of it is proposed. Proposals are made from these rows alone, so nothing is asked twice.
"""

import base64
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import zstandard

from autoresearch.researcher.local import Params
from studies.reading import Reader
from studies.views import EventView

EVENT = "llm"


class Ending(StrEnum):
    """Why a model is not asked any more; its share goes to the others."""

    BREAKER = "3 requests in a row came to nothing"
    REFUSED = "the endpoint refuses us"
    TOKENS = "max_tokens is reached"
    DOLLARS = "max_dollars is reached"
    NOT_GIVEN = "the study goes on without --llm"


class Trouble(StrEnum):
    """Why there is no answer."""

    TIMED_OUT = "timed out"
    UNREACHABLE = "not reached"
    REFUSED = "refused us"
    BROKEN = "failed"
    TOO_LONG = "answered too much"
    NO_ANSWER = "sent no answer"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A stack that the model proposed, and all that is written beside its trial."""

    request: int
    params: Params
    fingerprint: str
    reason: str
    hypothesis: str
    expected: float | None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request about to be sent; tokens and dollars are the most it may cost."""

    request: int
    tokens: int
    dollars: float
    prompt: str  # digest


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came of it, at what cost; `exchange` is prompt and answer, packed."""

    request: int
    tokens: int
    dollars: float
    trouble: str = ""
    offers: tuple[Offer, ...] = ()
    rejected: tuple[str, ...] = ()
    exchange: str = ""


@dataclass(frozen=True, kw_only=True)
class Ended:
    ended: Ending


Fact = Asked | Answered | Ended


def to_text(sentence: str, fact: Fact) -> str:
    """An event's text; the sentence must be one line."""
    plain = asdict(fact) | {"kind": type(fact).__name__.lower()}
    return f"{sentence}\n{json.dumps(plain, allow_nan=False, sort_keys=True)}"


def from_text(text: str) -> Fact:
    plain: dict[str, Any] = json.loads(text.partition("\n")[2])
    match plain.pop("kind"):
        case "asked":
            return Asked(**plain)
        case "ended":
            return Ended(ended=Ending(plain["ended"]))
        case _:
            offers = tuple(Offer(**offer) for offer in plain.pop("offers"))
            return Answered(**plain | {"offers": offers, "rejected": tuple(plain["rejected"])})


def packed(prompt: list[dict[str, str]], answer: str) -> str:
    raw = json.dumps({"prompt": prompt, "answer": answer}, ensure_ascii=True).encode()
    return base64.b64encode(zstandard.compress(raw)).decode()


def unpacked(exchange: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(zstandard.decompress(base64.b64decode(exchange)))
    return found


@dataclass
class Conversation:
    """All facts so far, in order."""

    facts: list[Fact] = field(default_factory=list)

    @staticmethod
    def of(reader: Reader, study: str) -> "Conversation":
        """A study's; empty where there was no model."""
        return Conversation.in_events(reader.events(study=study, limit=sys.maxsize))

    @staticmethod
    def in_events(events: Iterable[EventView]) -> "Conversation":
        return Conversation([from_text(event.text) for event in events if event.kind == EVENT])

    @property
    def n_requests(self) -> int:
        return sum(isinstance(fact, Asked) for fact in self.facts)

    @property
    def answers(self) -> list[Answered]:
        return [fact for fact in self.facts if isinstance(fact, Answered)]

    @property
    def offers(self) -> list[Offer]:
        return [offer for answer in self.answers for offer in answer.offers]

    @property
    def tokens(self) -> int:
        return sum(fact.tokens for fact in self._costs())

    @property
    def dollars(self) -> float:
        return sum(fact.dollars for fact in self._costs())

    @property
    def ended(self) -> Ending | None:
        """Why it is over, unless something was asked since."""
        last = self.facts[-1] if self.facts else None
        return last.ended if isinstance(last, Ended) else None

    def waiting(self, known: set[str]) -> Iterator[Offer]:
        """Stacks that were offered and that no trial has been, oldest first."""
        return (offer for offer in self.offers if offer.fingerprint not in known)

    def told(self) -> str:
        """One sentence for who looks at the study."""
        n, troubled = self.n_requests, [a.trouble for a in self.answers if a.trouble]
        n_offers = len(self.offers)
        said = (
            f"asked {n} time{'s' * (n != 1)}, {n_offers} stack{'s' * (n_offers != 1)} offered, {self.tokens:,} tokens"
        )
        said += f", {self.dollars:.4f} dollars" * (self.dollars > 0)
        said += f"; {len(troubled)} came to nothing, last: {troubled[-1]}" if troubled else ""
        return said + (f"; over: {self.ended.value}" if self.ended else "")

    def _costs(self) -> list[Asked | Answered]:
        """Of each request what it cost; of one without an answer on record, the most that it may have."""
        costs: dict[int, Asked | Answered] = {}
        for fact in self.facts:
            if not isinstance(fact, Ended):
                costs[fact.request] = fact
        return list(costs.values())
