"""Who proposes a trial of the search, and what they say of it: the study's trials in, a stamped suggestion out.

A pure function of ledger and seed. Losses in nats per byte.
"""

import hashlib
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from autoresearch.beliefs import Beliefs, Card, Observation, believe, stack_of
from autoresearch.noise import Sample, noise_of
from autoresearch.researcher.conversation import Conversation, Offer
from autoresearch.researcher.feasibility import TRIES, Size, feasibility
from autoresearch.researcher.local import Params, local_edit
from autoresearch.researcher.mixture import LLM, LLM_SHARE, llm_may_propose, phase_of, proposer
from autoresearch.researcher.rungs import Ladder
from autoresearch.researcher.untried import Lost, Untried, ranked_untried
from bench.config import Budget, RunConfig, fingerprint
from bench.knobs import Choice, Span, Value
from bench.records import State
from bench.tracks import PUBLISHED_SEEDS
from studies.views import TrialView

if TYPE_CHECKING:
    # of its interface alone: the researcher reaches neither torch nor Optuna
    from autoresearch.space import Space

Objections = Callable[[RunConfig], list[str]]


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A trial's parameters, or None for the sampler to draw them, and what is written beside it.

    A `config` is run as it stands: it is no point of the study's space, and the sampler learns nothing from it.
    """

    params: Mapping[str, Value] | None
    proposer: str
    rule: str
    reason: str
    hypothesis: str = ""
    expected: float | None = None  # val_loss
    seed: int | None = None  # of a replication
    budget: Budget | None = None  # of a short run; the study's otherwise
    config: RunConfig | None = None
    set_aside: "Avoidance | None" = None  # for what the sampler draws


Avoidance = Callable[[RunConfig], str | None]  # why another proposal is wanted, or None


@dataclass(frozen=True)
class Evidence:
    """What a study's trials of one budget say: searching never sees a score of a published seed."""

    trials: Sequence[TrialView]
    usual_noise: float
    elsewhere: frozenset[str] = frozenset()  # fingerprints of configs that were proposed with another budget
    earlier: Sequence[Observation] = ()  # of other studies, of the same budget: they are believed, and are no trials

    @property
    def scored(self) -> list[TrialView]:
        return [
            t
            for t in self.trials
            if t.state is State.COMPLETE and t.run is not None and t.run.seed not in PUBLISHED_SEEDS
        ]

    @property
    def failed(self) -> list[Lost]:
        return [
            (f"#{t.number}", t.config) for t in self.trials if t.state in (State.FAILED, State.PRUNED, State.REFUSED)
        ]

    @property
    def known(self) -> set[str]:
        """Every config proposed, whatever became of it."""
        return {t.fingerprint for t in self.trials} | self.elsewhere

    def samples(self) -> dict[str, Sample]:
        """Of each config, its scores by seed."""
        scores: dict[str, dict[int, float]] = defaultdict(dict)
        for t in self.scored:
            assert t.run is not None, "scored"
            scores[t.fingerprint][t.run.seed] = _loss(t)
        return {print_: Sample(by_seed) for print_, by_seed in scores.items()}

    def incumbent(self) -> TrialView | None:
        """The first trial of the config with the lowest mean over seeds; None before any score."""
        means = {print_: sample.mean for print_, sample in self.samples().items()}
        return min(self.scored, key=lambda t: (means[t.fingerprint], t.number), default=None)

    def noise_sd(self) -> float:
        """At the incumbent, as far as replicates tell; before any, what the track usually sees."""
        samples, best = self.samples(), self.incumbent()
        measured = noise_of([samples[best.fingerprint]], samples.values()) if best else None
        return measured.sigma if measured else self.usual_noise

    def believed(self, cards: Sequence[Card], base: RunConfig) -> Beliefs:
        rows = [Observation(f"#{t.number}", t.config, _loss(t)) for t in self.scored]
        return believe([*rows, *self.earlier], self.noise_sd(), cards, base)


@dataclass(frozen=True)
class Proposers:
    """The proposers of one study; `objections` are what would have a config refused.

    Without `size`, no stack counts as larger than another of the same techniques.
    """

    space: "Space"
    cards: Sequence[Card]
    objections: Objections
    size: Size = lambda config: ()
    conversation: Conversation = field(default_factory=Conversation)  # with a language model, if the user asked for one
    earlier: Sequence[Observation] = ()  # of other studies under the same conditions, before this one

    def evidence(
        self, trials: Iterable[TrialView], budget: Budget | None = None, elsewhere: frozenset[str] = frozenset()
    ) -> Evidence:
        """What trials of one budget say, the study's own if no other is asked for: like is compared with like."""
        asked = budget or self.space.spec.budget
        return Evidence(
            [t for t in trials if t.config.budget == asked],
            self.space.spec.track.usual_noise,
            elsewhere,
            [o for o in self.earlier if o.config.budget == asked],
        )

    @cached_property
    def ladder(self) -> Ladder:
        return Ladder(self.space.spec, self.cards)

    def suggest(self, number: int, trials: Sequence[TrialView], left: Fraction) -> Suggestion:
        """A config that may climb, else a new one on the shortest rung; `left` is in whole runs."""
        climbs = self.ladder.climbs(trials)
        if found := self.ladder.promotion(climbs, left):
            risen = next(t for t in trials if t.number == found.trial)
            return Suggestion(
                params=risen.params, proposer="promotion", rule=found.rule, reason=found.reason,
                budget=self.ladder.budget(found.to),
            )  # fmt: skip
        rung = self.ladder.start(climbs)
        budget = self.ladder.budget(rung)
        known = frozenset(climb.stack for climb in climbs)
        n_recipes = sum(t.proposer in ("user", "recipe") and t.val_loss is not None for t in trials)
        said = self.new(number, self.evidence(trials, budget, known), n_recipes)
        if said.proposer == LLM and budget is not None:
            # it was told of whole runs
            said = replace(said, expected=None)
        return replace(said, rule="; ".join([said.rule, *self.ladder.dropped(climbs)]), budget=budget)

    def new(self, number: int, evidence: Evidence, n_recipes: int) -> Suggestion:
        """Whoever the mixture says; when they have nothing to say, the next best does, and the rule tells so."""
        spec = self.space.spec
        incumbent = evidence.incumbent()
        if incumbent is None:
            return self.drawn(evidence, "no trial has a score to stand on, so the sampler draws")
        if offered := self.offered(evidence):
            return offered
        phase = phase_of(spec.n_trials, n_recipes)
        who = proposer(phase, spec.seed, number)
        rule = f"the shares of a {phase} give trial {number} to {who}"
        if who == "tpe":
            return self.drawn(evidence, rule)
        if who == "untried":
            if found := self.untried(evidence, incumbent, rule):
                return found
            rule += ", which has no runnable stack left: a local edit instead"
        return self.local(evidence, incumbent, number, rule)

    def offered(self, evidence: Evidence) -> Suggestion | None:
        """The oldest stack that the language model offered and nobody ran, while its share allows."""
        if not llm_may_propose(t.proposer for t in evidence.trials):
            return None
        offer = next(self.waiting(evidence), None)
        if offer is None:
            return None
        return Suggestion(
            params=offer.params,
            proposer=LLM,
            rule=f"a language model's stack waits, and up to {LLM_SHARE:.0%} of the search may be its",
            reason=offer.reason,
            hypothesis=offer.hypothesis,
            expected=offer.expected,
        )

    def waiting(self, evidence: Evidence) -> Iterator[Offer]:
        """What may be proposed of the offers: not what today's catalog makes another stack of, nor what is headed for a
        failure."""
        headed = self.headed_for_failure(evidence)
        for offer in self.conversation.waiting(evidence.known):
            config, _ = self.space.recall(offer.params)
            if fingerprint(config) == offer.fingerprint and headed(config) is None:
                yield offer

    def untried(self, evidence: Evidence, incumbent: TrialView, rule: str) -> Suggestion | None:
        """The most valuable stack that nobody ran and that may run."""
        beliefs = evidence.believed(self.cards, self.space.base)
        known = evidence.known

        def may_run(config: RunConfig) -> bool:
            ours = self.space.recall(self.space.params_for(config))[0]
            # a pinned knob may differ from the ranked one, a technique may not
            same = stack_of(ours) == stack_of(config)
            return same and fingerprint(ours) not in known and not self.objections(ours)

        ranked = ranked_untried(
            beliefs,
            incumbent.config,
            failed=evidence.failed,
            free=self.space.division.free,
            may_run=may_run,
        )
        chosen: Untried | None = next((untried for untried in ranked if untried.runnable), None)
        if chosen is None:
            return None
        against = f"trial {incumbent.number}'s {_loss(incumbent):.4f}"
        return Suggestion(
            params=self.space.params_for(chosen.config),
            proposer="untried",
            rule=rule,
            reason=f"{chosen.reason}; noise {beliefs.noise_sd:.4f}",
            hypothesis=f"{chosen.change} lowers val_loss below {against}",
            expected=_loss(incumbent) + chosen.mean,
        )

    def local(self, evidence: Evidence, incumbent: TrialView, number: int, rule: str) -> Suggestion:
        """A neighbour of the incumbent; knobs that come with an edit are as the best trial that has them."""
        best: Params = {}
        for t in sorted(evidence.scored, key=lambda t: (-_loss(t), -t.number)):
            best |= t.params

        def fresh(name: str, values: Span | Choice) -> Value:
            # a choice of techniques is left to the edits, a knob has been somewhere
            return best[name] if "." in name and name in best else self.space.unchanged(name, values)

        known, headed = evidence.known, self.headed_for_failure(evidence)
        against: list[str | None] = []

        def is_unwanted(params: Params) -> bool:
            config = self.space.recall(params)[0]
            against.append("known" if fingerprint(config) in known else headed(config))
            return against[-1] is not None

        edited = local_edit(
            self.space.walk, incumbent.params, fresh, random.Random(_seed(self.space.spec.seed, number)), is_unwanted
        )
        reason = f"trial {incumbent.number} at {_loss(incumbent):.4f} with {edits(incumbent.params, edited)}"
        return Suggestion(params=edited, proposer="local", rule=rule, reason=reason + told_aside(against))

    def drawn(self, evidence: Evidence, rule: str) -> Suggestion:
        """Left to the sampler, which is asked again for a draw that is close to a failure."""
        losses = [_loss(t) for t in evidence.scored]
        spread = f", median {statistics.median(losses):.4f}" if losses else ""
        return Suggestion(
            params=None, proposer="tpe", rule=rule, reason=f"drawn by tpe from what {len(losses)} scores say{spread}",
            set_aside=self.headed_for_failure(evidence),
        )  # fmt: skip

    def headed_for_failure(self, evidence: Evidence) -> Avoidance:
        """What those ask who do not go anywhere on purpose."""
        memory = feasibility(evidence.trials, self.size)

        def against(config: RunConfig) -> str | None:
            failed = memory.near(config)
            return None if failed is None else f"headed for what {told(failed)} did"

        return against


def told_aside(against: Sequence[str | None]) -> str:
    """What was tried and set aside before a proposal, for its reason; the last one is the proposal's own."""
    aside = [why for why in against if why is not None]
    if not aside:
        return ""
    counted = ", ".join(f"{n} {why}" for why, n in sorted(Counter(aside).items()))
    return f"; set aside: {counted}" + (
        f"; the last is proposed all the same, after {TRIES} tries" * (against[-1] is not None)
    )


def told(failed: TrialView) -> str:
    """A failed trial as `#7 (out of memory)`."""
    reason = failed.run.reason if failed.run else None
    assert reason is not None, f"trial {failed.number} did not fail"
    return f"#{failed.number} ({reason.value.replace('_', ' ')})"


def _loss(trial: TrialView) -> float:
    assert trial.val_loss is not None, f"trial {trial.number} has no score"
    return trial.val_loss


def _seed(*parts: int) -> int:
    return int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:8], "little")


def edits(old: Mapping[str, Value], new: Mapping[str, Value]) -> str:
    """What differs, as `lion.lr 0.001 -> 0.0013, optimizer adamw -> lion`; what only one has came with an edit."""
    both: Iterable[str] = (name for name in new if name in old and old[name] != new[name])
    return ", ".join(f"{name} {_shown(old[name])} -> {_shown(new[name])}" for name in both) or "nothing changed"


def _shown(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
