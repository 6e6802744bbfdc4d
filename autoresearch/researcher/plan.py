"""What comes next in a study under the policy researcher: phase by phase, read off the trials each time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from math import floor
from typing import TYPE_CHECKING

from autoresearch.beliefs import Beliefs, added, believe, expected_improvement
from autoresearch.looks import LOOKS
from autoresearch.researcher.ablation import Ablation
from autoresearch.researcher.combine import Combine
from autoresearch.researcher.confirm import Confirmation, arm, candidates, method_for
from autoresearch.researcher.phases import (
    ABLATION,
    COMBINE,
    CONFIRM,
    NOISE_FLOOR,
    NOISE_SEEDS,
    PHASES,
    PREFLIGHT,
    RECIPES,
    SCREEN,
    SEARCH,
    SMALL,
    Ending,
    Move,
    Phase,
    before,
    in_phase,
    may_spend,
    spent,
    under_way,
)
from autoresearch.researcher.proposals import Evidence, Proposers, Suggestion
from autoresearch.researcher.rungs import WHOLE, share_of
from bench.config import Budget, fingerprint
from bench.records import State
from bench.tracks import search_seeds
from studies.views import TrialView, VerdictView

if TYPE_CHECKING:
    # of its interface alone: the researcher reaches neither torch nor Optuna
    from autoresearch.space import Opening

Trials = Sequence[TrialView]


# Stacks of earlier studies that a study begins with; the next ones it comes to by the beliefs.
PROVEN = 2


@dataclass
class Researcher:
    """The phases of one study in order."""

    proposers: Proposers
    n_elsewhere: int = 0  # trials of the study spent where nothing can be compared with those to come
    closed: dict[str, Ending] = field(default_factory=dict)
    verdicts: tuple[VerdictView, ...] = ()
    believed: tuple[int, Beliefs] | None = None
    last: tuple[tuple[int, tuple[State, ...]], Move] | None = None

    def __post_init__(self) -> None:
        space = self.proposers.space
        self.spec = replace(space.spec, n_trials=space.spec.n_trials - self.n_elsewhere)
        openings = list(space.openings())
        self.plain = next(o for o in openings if o.proposer == "baseline")
        self.plain_print = self._print(self.plain)
        given = [o for o in openings if o.proposer == "user"]
        proven = space.proven(self.proposers.earlier, PROVEN)
        self.recipes = [(self._print(o), o) for o in (*given, *proven, *space.recipes())]
        self.screened = [(self._print(o), o) for o in self._ranked(o for o in openings if o.proposer == "opening")]
        refused = self.proposers.objections(space.recall(self.plain.params)[0])
        self.ready = Ending.NO_BASELINE if refused else Ending.READY

    def _print(self, opening: "Opening") -> str:
        return fingerprint(self.proposers.space.recall(opening.params)[0])

    def _ranked(self, openings: Iterable["Opening"]) -> list["Opening"]:
        """Techniques by what their priors promise; equals in the catalog's order."""
        space = self.proposers.space
        before = believe([], self.spec.track.usual_noise, self.proposers.cards, space.base)

        def promise(opening: "Opening") -> float:
            config, _ = space.recall(opening.params)
            known = all((name,) in before.terms for name in added(config, space.base))
            gain = expected_improvement(*before.difference(config, space.base)) if known else 0.0
            return -gain

        return sorted(openings, key=promise)

    def next(self, number: int, trials: Trials) -> Move:
        """The move to make now; its suggestion is worked out only when it is asked for."""
        # asked several times a second while runs are under way, and only what they end as can change the answer
        seen = (number, tuple(t.state for t in trials))
        if self.last is None or self.last[0] != seen:
            self.last = seen, self._next(number, trials)
        return self.last[1]

    def _next(self, number: int, trials: Trials) -> Move:
        self.closed = {PREFLIGHT.name: self.ready}
        self.verdicts = ()
        evidence = self.evidence(trials)
        for phase, ask in (
            (NOISE_FLOOR, self._noise_floor),
            (RECIPES, self._recipes),
            (SCREEN, self._screen),
        ):
            if suggest := ask(trials, evidence):
                return self._move(phase, suggest)
        n = self.spec.n_trials
        n_spent = spent([phase for phase in PHASES if phase is not CONFIRM], trials, self.spec.budget.steps)
        reserve = may_spend(COMBINE, n) + may_spend(ABLATION, n) if n >= SMALL else 0
        begun = any(in_phase(phase, trials) for phase in (COMBINE, ABLATION))
        left = n - n_spent - (0 if begun else reserve)
        search = self._move(SEARCH, lambda: self.proposers.suggest(number, trials, left))
        if n_spent < n - reserve:
            return search
        if n < SMALL:
            self.closed |= {COMBINE.name: Ending.SMALL, ABLATION.name: Ending.SMALL}
        elif under_way(before(COMBINE, trials)):
            return self._move(SEARCH)
        elif move := self._combine(trials, floor(n - n_spent)) or self._ablation(trials, floor(n - n_spent)):
            return move
        if n_spent < n or under_way(before(CONFIRM, trials)):
            # what the phases since did not use goes back to the search
            return self._move(SEARCH, search.suggest if n_spent < n else None)
        self.closed[SEARCH.name] = Ending.DONE
        return self._confirm(trials, evidence)

    def evidence(self, trials: Trials, budget: Budget | None = None) -> Evidence:
        return self.proposers.evidence(trials, budget)

    def _move(self, phase: Phase, suggest: Callable[[], Suggestion] | None = None, **closing: Ending) -> Move:
        return Move(phase=phase, suggest=suggest, closed=self.closed | closing, verdicts=self.verdicts)

    def _noise_floor(self, trials: Trials, evidence: Evidence) -> Callable[[], Suggestion] | None:
        """The baseline on the first search seeds; one that does not complete ends it."""
        begun = [t for t in trials if t.proposer in NOISE_FLOOR.proposers]
        wanted = max(1, min(NOISE_SEEDS, may_spend(NOISE_FLOOR, self.spec.n_trials)))
        broken = any(t.state in (State.FAILED, State.PRUNED, State.REFUSED) for t in begun)
        if broken or len(begun) >= wanted:
            self.closed[NOISE_FLOOR.name] = Ending.BROKEN if broken else Ending.DONE
            return None
        if not begun:
            return lambda: Suggestion(
                params=self.plain.params, proposer="baseline", rule="the baseline comes first", reason=self.plain.reason
            )
        seed = next(islice(search_seeds(self.spec.seed), len(begun), None))
        return lambda: Suggestion(
            params=self.plain.params, proposer="replication", seed=seed,
            rule=f"the baseline on {wanted} seeds, before any difference is judged",
            reason=f"seed {seed}: how far val_loss moves by its seed alone",
        )  # fmt: skip

    def _recipes(self, trials: Trials, evidence: Evidence) -> Callable[[], Suggestion] | None:
        """The fighter given whatever it costs, then the published stacks."""
        left = may_spend(RECIPES, self.spec.n_trials) - len(in_phase(RECIPES, trials))
        opening = next((o for print_, o in self.recipes if print_ not in evidence.known), None)
        if opening is not None and (left > 0 or opening.proposer == "user"):
            given = opening.proposer == "user"
            rule = "the fighter given comes first" if given else "published stacks, before anything is searched"
            return lambda: Suggestion(
                params=opening.params, proposer=opening.proposer, rule=rule, reason=opening.reason,
                hypothesis=opening.hypothesis,
            )  # fmt: skip
        begun = any(t.proposer in RECIPES.proposers for t in trials)
        none = Ending.TOO_FEW_FOR_RECIPES if self.recipes else Ending.NO_RECIPE
        self.closed[RECIPES.name] = Ending.DONE if begun else none
        return None

    def _screen(self, trials: Trials, evidence: Evidence) -> Callable[[], Suggestion] | None:
        """On the shortest rung, with the baseline and the recipes there too; who climbs is for the search to say."""
        ladder = self.proposers.ladder
        climbs = ladder.climbs(trials)
        rung = ladder.start(climbs)
        known = {climb.stack for climb in climbs if climb.rung != WHOLE or rung == WHOLE}
        run_whole = [] if rung == WHOLE else [(self.plain_print, self.plain), *self.recipes]
        opening = next((o for print_, o in (*run_whole, *self.screened) if print_ not in known), None)
        used = spent((SCREEN,), trials, self.spec.budget.steps)
        if opening is None or used >= may_spend(SCREEN, self.spec.n_trials):
            self.closed[SCREEN.name] = Ending.DONE
            return None
        rule = "techniques alone, best prior first" + ("" if rung == WHOLE else f", on {share_of(rung)}")
        return lambda: Suggestion(
            params=opening.params, proposer="opening", rule=rule, reason=opening.reason, budget=ladder.budget(rung)
        )  # fmt: skip

    def _combine(self, trials: Trials, left: int) -> Move | None:
        trials = [t for t in trials if not t.is_short]
        earlier = before(COMBINE, trials)
        evidence = self.evidence(earlier)
        if self.believed is None or self.believed[0] != len(earlier):
            # all of them have ended, so their number says which they are
            self.believed = len(earlier), evidence.believed(self.proposers.cards, self.proposers.space.base)
        combine = Combine(
            proposers=self.proposers, before=evidence, beliefs=self.believed[1], trials=before(ABLATION, trials)
        )
        done = in_phase(COMBINE, trials)
        suggestion = combine.next(min(left, may_spend(COMBINE, self.spec.n_trials) - len(done)))
        if suggestion:
            return self._move(COMBINE, lambda: suggestion, search=Ending.DONE)
        if under_way(done):
            return self._move(COMBINE, search=Ending.DONE)
        self.closed[COMBINE.name] = Ending.DONE if done else Ending.NOTHING_TO_JOIN
        self.verdicts += combine.verdicts()
        return None

    def _ablation(self, trials: Trials, left: int) -> Move | None:
        trials = [t for t in trials if not t.is_short]
        subject = self.evidence(before(ABLATION, trials)).incumbent()
        if subject is None or self._is_plain(subject):
            self.closed[ABLATION.name] = Ending.BASELINE_BEST
            return None
        ablation = Ablation(
            proposers=self.proposers, subject=subject, trials=before(CONFIRM, trials),
            usual_noise=self.spec.track.usual_noise,
        )  # fmt: skip
        done = in_phase(ABLATION, trials)
        # what combining left is for more seeds
        if not ablation.unasked and under_way(done):
            return self._move(ABLATION, search=Ending.DONE)
        if suggestion := ablation.next(left):
            return self._move(ABLATION, lambda: suggestion, search=Ending.DONE)
        if under_way(done):
            return self._move(ABLATION, search=Ending.DONE)
        self.closed[ABLATION.name] = Ending.DONE if done else Ending.NOTHING_TO_DROP
        self.verdicts += ablation.verdicts()
        return None

    def _confirm(self, trials: Trials, evidence: Evidence) -> Move:
        best = evidence.incumbent()
        base = next((t for t in trials if t.proposer == "baseline" and t.state is State.COMPLETE), None)
        if base is None:
            return self._over(Ending.BROKEN)
        if best is None or self._is_plain(best):
            return self._over(Ending.BASELINE_BEST)
        most_runs = may_spend(CONFIRM, self.spec.n_trials)
        if not (chosen := candidates(evidence, base.fingerprint, self.spec.division, most_runs)):
            return self._over(Ending.TOO_FEW)
        asked = Confirmation(
            candidates=chosen,
            old=arm("the baseline", base),
            rule=self.spec.track.rules[0],
            method=method_for(evidence.samples(), base.fingerprint, LOOKS[0]),
            most_runs=most_runs,
        )
        if suggestion := asked.next(trials):
            return self._move(CONFIRM, lambda: suggestion)
        found = asked.verdicts(trials)
        return self._move(CONFIRM) if found is None else self._over(Ending.DECIDED, found)

    def _over(self, why: Ending, verdicts: tuple[VerdictView, ...] = ()) -> Move:
        closed = self.closed | {CONFIRM.name: why}
        return Move(phase=CONFIRM, closed=closed, over=True, verdicts=self.verdicts + verdicts)

    def _is_plain(self, trial: TrialView) -> bool:
        return trial.fingerprint == self.plain_print
