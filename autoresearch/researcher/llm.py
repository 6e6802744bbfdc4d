"""A language model as a proposer of the search, asked ahead: its answer waits for a trial, never a trial for it."""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from autoresearch.researcher.answers import SCHEMA, Stack, Understood, understood
from autoresearch.researcher.briefing import Message, briefing, repair
from autoresearch.researcher.conversation import (
    Answered,
    Asked,
    Conversation,
    Ended,
    Ending,
    Fact,
    Offer,
    Trouble,
    packed,
)
from autoresearch.researcher.mixture import llm_may_propose
from autoresearch.researcher.proposals import Evidence, Proposers, edits
from autoresearch.visible import visible
from studies.views import TrialView

if TYPE_CHECKING:
    from autoresearch.researcher.endpoint import Line, Reply

# the first answer stands on the catalog and the baseline; every other one on as many scores
SCORES_FIRST = 10
BREAKER = 3
# more than any tokenizer makes of such text; the endpoint's own count takes its place
BYTES_PER_TOKEN = 2

MOST_TROUBLE = 400

Note = Callable[[str, Fact], None]


class LanguageModel:
    """Decides when to ask, and writes down what is asked and answered; `note` puts a fact into the ledger."""

    def __init__(self, line: "Line", proposers: Proposers, note: Note) -> None:
        self.line, self.proposers = line, proposers
        self.conversation: Conversation = proposers.conversation
        self._note = note
        self._over = False
        self._n_useless = 0
        self._n_ended = -1  # trials that had ended when it was last asked
        self._messages: list[Message] = []
        self._incumbent: TrialView | None = None
        self._repairing = False

    def attend(self, trials: Sequence[TrialView], n_left: int) -> None:
        """Take what has been answered, ask for what the search's `n_left` trials will need; returns at once."""
        if self._over:
            return
        if (reply := self.line.reply()) is not None:
            self._take(reply, trials)
        elif n_left > 0 and not self.line.busy:
            # it is told of whole runs, and of short ones only that they are no news
            known = frozenset(climb.stack for climb in self.proposers.ladder.climbs(trials))
            evidence = self.proposers.evidence(trials, elsewhere=known)
            incumbent = evidence.incumbent()
            if incumbent is not None and self._is_needed(evidence, trials):
                self._incumbent, self._repairing = incumbent, False
                self._n_ended = _n_ended(trials)
                self._ask(briefing(self.proposers, evidence, incumbent))

    def _is_needed(self, evidence: Evidence, trials: Sequence[TrialView]) -> bool:
        """With an answer waiting, or none allowed yet, it is not; nor again before another trial has ended."""
        if any(self.proposers.waiting(evidence)) or _n_ended(trials) == self._n_ended:
            return False
        if not self.conversation.offers:
            return True
        # while it thinks, somebody else's trial will begin
        proposers = [*(t.proposer for t in trials), "local"]
        return len(evidence.scored) >= SCORES_FIRST and llm_may_propose(proposers)

    def _ask(self, messages: list[Message]) -> None:
        """Write down that it is asked, then ask; over a cap it ends instead."""
        endpoint, spent = self.line.endpoint, self.conversation
        sent = json.dumps(messages).encode()
        # the schema goes along twice where the endpoint knows the field
        prompt_tokens = (len(sent) + len(json.dumps(SCHEMA))) // BYTES_PER_TOKEN
        most = prompt_tokens + endpoint.max_answer_tokens
        dollars = endpoint.dollars(prompt_tokens, endpoint.max_answer_tokens)
        if spent.tokens + most > endpoint.max_tokens:
            return self._end(Ending.TOKENS)
        if endpoint.max_dollars is not None and spent.dollars + dollars > endpoint.max_dollars:
            return self._end(Ending.DOLLARS)
        digest = hashlib.sha256(sent).hexdigest()
        asked = Asked(request=spent.n_requests + 1, tokens=most, dollars=dollars, prompt=digest)
        self._write(f"request {asked.request} to {endpoint.model}, {len(sent):,} bytes", asked)
        self._messages = messages
        self.line.ask(messages, SCHEMA)
        return None

    def _take(self, reply: "Reply", trials: Sequence[TrialView]) -> None:
        """Write down a reply with what it cost and what of it can be proposed."""
        asked = next(fact for fact in reversed(self.conversation.facts) if isinstance(fact, Asked))
        text = self.line.redacted(reply.text)
        known = {climb.stack: climb.trial for climb in reversed(self.proposers.ladder.climbs(trials))}
        found, trouble = Understood(), ""
        if reply.trouble is not None:
            trouble = self.line.redacted(f"{reply.trouble.value}: {reply.detail}")
        else:
            found = understood(text, self.proposers.space, self._standing_on.params, known)
            trouble = "" if found.stacks else f"no stack to propose: {'; '.join(found.rejected)}"
        tokens, dollars = asked.tokens, asked.dollars
        if reply.prompt_tokens is not None and reply.answer_tokens is not None:
            tokens = reply.prompt_tokens + reply.answer_tokens
            dollars = self.line.endpoint.dollars(reply.prompt_tokens, reply.answer_tokens)
        answered = Answered(
            request=asked.request, tokens=tokens, dollars=dollars, trouble=visible(trouble, MOST_TROUBLE),
            offers=tuple(self._offer(stack, asked) for stack in found.stacks), rejected=found.rejected,
            exchange=packed(self._messages, text),
        )  # fmt: skip
        offered = f"{len(found.stacks)} stack{'s' * (len(found.stacks) > 1)} offered"
        self._write(f"request {asked.request}: {answered.trouble or offered}", answered)
        self._judge(reply, found, text)

    def _judge(self, reply: "Reply", found: Understood, text: str) -> None:
        """Ask again after a bad answer; three in a row that stay so open the breaker."""
        if found.stacks:
            self._n_useless = 0
        elif reply.trouble is None and not self._repairing:
            self._repairing = True
            self._ask(repair(self._messages, text, found.rejected))
        elif reply.trouble is Trouble.REFUSED:
            self._end(Ending.REFUSED)
        else:
            self._n_useless += 1
            if self._n_useless == BREAKER:
                self._end(Ending.BREAKER)

    @property
    def _standing_on(self) -> TrialView:
        """The incumbent when it was asked: an answer is a difference from that."""
        assert self._incumbent is not None, "a request is made from one"
        return self._incumbent

    def _offer(self, stack: Stack, asked: Asked) -> Offer:
        """The stack with our own words on where it comes from; of the model's, the hypothesis alone is kept."""
        before = self._standing_on
        reason = f"{self.line.endpoint.model}: trial {before.number} with {edits(before.params, stack.params)}"
        if stack.basis:
            reason += f"; on {', '.join(f'#{number}' for number in stack.basis)}"
        return Offer(
            request=asked.request, params=stack.params, fingerprint=stack.fingerprint, hypothesis=stack.hypothesis,
            reason=f"{reason}; request {asked.request}, prompt {asked.prompt[:8]}",
            expected=None if stack.effect is None else max(0.0, (before.val_loss or 0.0) + stack.effect),
        )  # fmt: skip

    def _end(self, why: Ending) -> None:
        self._over = True
        self._write(f"not asked any more: {why.value}; its share goes to the others", Ended(ended=why))

    def _write(self, sentence: str, fact: Fact) -> None:
        # the ledger first: what it does not have was never said
        self._note(sentence, fact)
        self.conversation.facts.append(fact)


def without(conversation: Conversation, note: Note) -> None:
    """A study that had a model and goes on without says so."""
    if conversation.facts and conversation.ended is not Ending.NOT_GIVEN:
        fact = Ended(ended=Ending.NOT_GIVEN)
        note(f"not asked any more: {fact.ended.value}; what it offered is still tried", fact)
        conversation.facts.append(fact)


def _n_ended(trials: Sequence[TrialView]) -> int:
    return sum(t.ended_at is not None for t in trials)
