"""What comes next in a study under the policy researcher: phase by phase, read off the trials each time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from autoresearch.beliefs import added, believe, expected_improvement
from autoresearch.researcher.ablation import leave_one_out
from autoresearch.researcher.confirm import Confirmation, arm
from autoresearch.researcher.phases import (
    ABLATION,
    CONFIRM,
    NOISE_FLOOR,
    NOISE_SEEDS,
    SCREEN,
    SEARCH,
    SMALL,
    Ending,
    Move,
    Phase,
    in_phase,
    may_spend,
    spent,
    under_way,
)
from autoresearch.researcher.proposals import Evidence, Proposers, Suggestion
from autoresearch.researcher.rungs import WHOLE, share_of
from bench.config import fingerprint
from bench.divisions import recipe
from bench.records import State
from bench.tracks import search_seeds
from studies.views import TrialView, VerdictView

if TYPE_CHECKING:
    # of its interface alone: the researcher reaches neither torch nor Optuna
    from autoresearch.space import Opening

Trials = Sequence[TrialView]


@dataclass
class Researcher:
    """The phases of one study in order."""

    proposers: Proposers
    closed: dict[str, Ending] = field(default_factory=dict)

    def __post_init__(self) -> None:
        space = self.proposers.space
        self.spec = space.spec
        openings = list(space.openings())
        self.plain = next(o for o in openings if o.proposer == "baseline")
        self.plain_print = fingerprint(space.recall(self.plain.params)[0])
        self.screened = [(fingerprint(space.recall(o.params)[0]), o) for o in self._ranked(openings)]

    def _ranked(self, openings: Sequence["Opening"]) -> list["Opening"]:
        """What is given first, then techniques by what their priors promise; equals in the catalog's order."""
        space = self.proposers.space
        before = believe([], self.spec.track.usual_noise, self.proposers.cards, space.base)

        def promise(opening: "Opening") -> tuple[bool, float]:
            config, _ = space.recall(opening.params)
            known = all((name,) in before.terms for name in added(config, space.base))
            gain = expected_improvement(*before.difference(config, space.base)) if known else 0.0
            return opening.proposer != "user", -gain

        return sorted((o for o in openings if o is not self.plain), key=promise)

    def next(self, number: int, trials: Trials) -> Move:
        """The move to make now; its suggestion is worked out only when it is asked for."""
        self.closed = {}
        evidence = Evidence([t for t in trials if not t.is_short], self.spec.track.usual_noise)
        if suggest := self._noise_floor(trials):
            return self._move(NOISE_FLOOR, suggest)
        if suggest := self._screen(trials):
            return self._move(SCREEN, suggest)
        n = self.spec.n_trials
        n_spent = spent((NOISE_FLOOR, SCREEN, SEARCH, ABLATION), trials, self.spec.budget.steps)
        reserve = may_spend(ABLATION, n) if n >= SMALL else 0
        search = self._move(SEARCH, lambda: self.proposers.suggest(number, trials, n - reserve - n_spent))
        if n_spent < n - reserve:
            return search
        if under_way([t for t in trials if t.proposer not in ABLATION.proposers]) and n_spent < n:
            return self._move(SEARCH)
        if n_spent < n:
            suggestion = self._ablation(trials, evidence, reserve)
            return self._move(ABLATION, lambda: suggestion, search=Ending.DONE) if suggestion else search
        if under_way([t for t in trials if t.proposer not in CONFIRM.proposers]):
            return self._move(SEARCH)
        self.closed["search"] = Ending.DONE
        self.closed["ablation"] = self._why_no_ablation(trials, evidence)
        return self._confirm(trials, evidence)

    def _move(self, phase: Phase, suggest: Callable[[], Suggestion] | None = None, **closing: Ending) -> Move:
        return Move(phase=phase, suggest=suggest, closed=self.closed | closing)

    def _noise_floor(self, trials: Trials) -> Callable[[], Suggestion] | None:
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

    def _screen(self, trials: Trials) -> Callable[[], Suggestion] | None:
        """On the shortest rung, with the baseline there too; who climbs is for the search to say."""
        ladder = self.proposers.ladder
        climbs = ladder.climbs(trials)
        rung = ladder.start(climbs)
        known = {climb.stack for climb in climbs if climb.rung != WHOLE or rung == WHOLE}
        openings = self.screened if rung == WHOLE else [(self.plain_print, self.plain), *self.screened]
        opening = next((o for print_, o in openings if print_ not in known), None)
        used = spent((SCREEN,), trials, self.spec.budget.steps)
        if opening is None or used >= may_spend(SCREEN, self.spec.n_trials):
            self.closed[SCREEN.name] = Ending.DONE
            return None
        proposer = "opening" if opening is self.plain else opening.proposer
        rule = "the fighter given comes first" if opening.proposer == "user" else "techniques alone, best prior first"
        rule += "" if rung == WHOLE else f", on {share_of(rung)}"
        return lambda: Suggestion(
            params=opening.params, proposer=proposer, rule=rule, reason=opening.reason, budget=ladder.budget(rung)
        )  # fmt: skip

    def _ablation(self, trials: Trials, evidence: Evidence, reserve: int) -> Suggestion | None:
        best = evidence.incumbent()
        if best is None or len(in_phase(ABLATION, trials)) >= reserve:
            return None
        return next(leave_one_out(self.proposers, evidence, best), None)

    def _why_no_ablation(self, trials: Trials, evidence: Evidence) -> Ending:
        if in_phase(ABLATION, trials):
            return Ending.DONE
        if self.spec.n_trials < SMALL:
            return Ending.SMALL
        best = evidence.incumbent()
        return Ending.BASELINE_BEST if best is None or self._is_plain(best) else Ending.NOTHING_TO_DROP

    def _confirm(self, trials: Trials, evidence: Evidence) -> Move:
        best = evidence.incumbent()
        base = next((t for t in trials if t.proposer == "baseline" and t.state is State.COMPLETE), None)
        if base is None:
            return self._over(Ending.BROKEN)
        if best is None or self._is_plain(best):
            return self._over(Ending.BASELINE_BEST)
        asked = Confirmation(
            new=arm(f"trial {best.number} ({recipe(best.config)})", best),
            old=arm("the baseline", base),
            rule=self.spec.track.rules[0],
            most_runs=may_spend(CONFIRM, self.spec.n_trials),
        )
        if not asked.looks:
            return self._over(Ending.TOO_FEW)
        if suggestion := asked.next(trials):
            return self._move(CONFIRM, lambda: suggestion)
        found = asked.judgement(trials)
        if found is None:
            return self._move(CONFIRM)
        verdict = VerdictView(
            question=asked.question, verdict=found.verdict.value, why=found.why, effect=found.effect, low=found.low,
            high=found.high, p=found.p, n=found.n, run_ids=asked.run_ids(trials),
        )  # fmt: skip
        return self._over(Ending.DECIDED, verdict)

    def _over(self, why: Ending, verdict: VerdictView | None = None) -> Move:
        return Move(phase=CONFIRM, closed=self.closed | {CONFIRM.name: why}, over=True, verdict=verdict)

    def _is_plain(self, trial: TrialView) -> bool:
        return trial.fingerprint == self.plain_print
