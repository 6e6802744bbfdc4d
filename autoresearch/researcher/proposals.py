"""Who proposes a trial of the search, and what they say of it: the study's trials in, a stamped suggestion out.

A pure function of ledger and seed. Losses in nats per byte.
"""

import hashlib
import random
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autoresearch.beliefs import Beliefs, Card, Observation, believe, stack_of
from autoresearch.noise import Sample, pooled_noise
from autoresearch.researcher.conversation import Conversation, Offer
from autoresearch.researcher.local import Params, local_edit
from autoresearch.researcher.mixture import LLM, LLM_SHARE, llm_may_propose, phase_of, proposer
from autoresearch.researcher.untried import Untried, ranked_untried
from bench.config import RunConfig, fingerprint
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
    config: RunConfig | None = None


@dataclass(frozen=True)
class Evidence:
    """What a study's trials say: searching never sees a score of a published seed."""

    trials: Sequence[TrialView]
    usual_noise: float

    @property
    def scored(self) -> list[TrialView]:
        return [
            t
            for t in self.trials
            if t.state is State.COMPLETE and t.run is not None and t.run.seed not in PUBLISHED_SEEDS
        ]

    @property
    def failed(self) -> list[RunConfig]:
        return [t.config for t in self.trials if t.state in (State.FAILED, State.PRUNED, State.REFUSED)]

    @property
    def known(self) -> set[str]:
        """Every config proposed, whatever became of it."""
        return {t.fingerprint for t in self.trials}

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
        """Of replicated configs, else what the track usually sees."""
        measured = pooled_noise(self.samples().values())
        return measured.sigma if measured else self.usual_noise

    def believed(self, cards: Sequence[Card], base: RunConfig) -> Beliefs:
        rows = [Observation(f"#{t.number}", t.config, _loss(t)) for t in self.scored]
        return believe(rows, self.noise_sd(), cards, base)


@dataclass(frozen=True)
class Proposers:
    """The proposers of one study; `objections` are what would have a config refused."""

    space: "Space"
    cards: Sequence[Card]
    objections: Objections
    conversation: Conversation = field(default_factory=Conversation)  # with a language model, if the user asked for one

    def suggest(self, number: int, trials: Sequence[TrialView]) -> Suggestion:
        """Whoever the mixture says; when they have nothing to say, the next best does, and the rule tells so."""
        spec = self.space.spec
        evidence = Evidence(trials, spec.track.usual_noise)
        incumbent = evidence.incumbent()
        if incumbent is None:
            return _drawn(evidence, "no trial has a score to stand on, so the sampler draws")
        if told := self.offered(evidence):
            return told
        recipes = [t for t in evidence.scored if t.proposer in ("user", "recipe")]
        phase = phase_of(spec.n_trials, n_recipes=len(recipes))
        who = proposer(phase, spec.seed, number)
        rule = f"the shares of a {phase} give trial {number} to {who}"
        if who == "tpe":
            return _drawn(evidence, rule)
        if who == "untried":
            if found := self.untried(evidence, incumbent, rule):
                return found
            rule += ", which has no runnable stack left: a local edit instead"
        return self.local(evidence, incumbent, number, rule)

    def offered(self, evidence: Evidence) -> Suggestion | None:
        """The oldest stack that the language model offered and nobody ran, while its share allows."""
        if not llm_may_propose(t.proposer for t in evidence.trials):
            return None
        offer = next(filter(self._is_known_here, self.conversation.waiting(evidence.known)), None)
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

    def _is_known_here(self, offer: Offer) -> bool:
        """False for a stack that today's catalog makes another one of."""
        return fingerprint(self.space.recall(offer.params)[0]) == offer.fingerprint

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
            beliefs, incumbent.config, failed=evidence.failed, free=self.space.division.free, may_run=may_run
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

        known = evidence.known
        edited = local_edit(
            self.space.walk,
            incumbent.params,
            fresh,
            random.Random(_seed(self.space.spec.seed, number)),
            lambda params: fingerprint(self.space.recall(params)[0]) in known,
        )
        return Suggestion(
            params=edited,
            proposer="local",
            rule=rule,
            reason=f"trial {incumbent.number} at {_loss(incumbent):.4f} with {edits(incumbent.params, edited)}",
        )


def _drawn(evidence: Evidence, rule: str) -> Suggestion:
    losses = [_loss(t) for t in evidence.scored]
    spread = f", median {statistics.median(losses):.4f}" if losses else ""
    return Suggestion(
        params=None, proposer="tpe", rule=rule, reason=f"drawn by tpe from what {len(losses)} scores say{spread}"
    )


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
