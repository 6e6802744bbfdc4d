"""Ask, check, run, record, tell: a study until it has its trials. Safe to stop anywhere."""

import time
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from optuna.trial import TrialState

from autoresearch.choosing import Choosing
from autoresearch.earlier import observed_earlier
from autoresearch.executor import Ended, Executor, Job, Progress
from autoresearch.failing import RETRIED, gave_up_at, retried_trials, why_give_up
from autoresearch.keeping import keep
from autoresearch.objections import remembered, size
from autoresearch.researcher.conversation import EVENT, Conversation, Fact, to_text
from autoresearch.researcher.feasibility import TRIES
from autoresearch.researcher.llm import LanguageModel, without
from autoresearch.researcher.phases import NOISE_FLOOR, RECIPES, SCREEN, SEARCH
from autoresearch.researcher.proposals import Proposers, Suggestion, told_aside
from autoresearch.sampling import is_over_caps, on_the_way, recalled, refused_state, sampler, told_state
from autoresearch.space import Space
from autoresearch.watching import Watcher
from bench.catalog import advice
from bench.config import Budget, RunConfig, fingerprint
from bench.records import Failure, Outcome, Point, Reason, RunResult, State
from studies.asked import Proposal, RunKey
from studies.definitions import ALL_DONE, NO_OPENING, StudySpec
from studies.following import Following
from studies.store import Store
from studies.views import TrialView

if TYPE_CHECKING:
    # what sends anything is loaded only where the user asked for it
    from autoresearch.researcher.endpoint import Line

# the ledger is the record; the sampler need not talk as well
optuna.logging.set_verbosity(optuna.logging.WARNING)

BEAT_SECONDS = 1.0
POINTS_SECONDS = 0.5
# Ends a study at once, its running trials cut short; every other reason lets them finish.
STOPPED = "a stop was asked for"
# Refusals cost nothing, but a study that is refused all the time should say so and end.
REFUSALS_PER_TRIAL = 4
UNDER_WAY = (State.INTERRUPTED, State.QUEUED, State.RUNNING)
EVERY_EVENT = 1_000_000
# A language model is asked ahead of the search and during it.
ASKED_IN = (NOISE_FLOOR.name, RECIPES.name, SCREEN.name, SEARCH.name)


@dataclass
class _Underway:
    trial: optuna.Trial
    proposal: Proposal
    run_id: int
    artifact: Path


@dataclass
class Search:
    """One coordinator's work on one study; the ledger is the only thing that outlives it."""

    spec: StudySpec
    store: Store
    executor: Executor
    key: RunKey
    versions: dict[str, str]
    watcher: Watcher = field(default_factory=Watcher)
    deadline: float | None = None  # monotonic seconds, when no further trial is begun
    line: "Line | None" = None  # to a language model, if the user gave one

    def run(self) -> str:
        """Returns why it ended: all trials done, a stop asked for, out of time, or too many refusals."""
        waiting = self.take_up()
        self.store.phase(self.spec.name, self.choosing.phase)
        while True:
            why = self.why_end(waiting)
            while why is None and self.executor.free_slots and self.may_propose(waiting):
                self.next_trial(waiting)
                why = self.why_end(waiting)
            if why == STOPPED:
                for run_id in self.underway:
                    self.executor.cancel(run_id)
            if why == STOPPED or (why is not None and not self.underway):
                if self.choosing.move is None or not self.choosing.move.over:
                    self.store.phase(self.spec.name, self.choosing.phase, why)
                return why
            self.attend()

    def take_up(self) -> list[TrialView]:
        """Everything the ledger says of the study; returns the trials that were cut short."""
        self.space, self.objections = Space(self.spec), remembered(self.spec)
        self.followed = Following(self.store.read, self.spec.name)
        events = self.store.read.events(study=self.spec.name, limit=EVERY_EVENT)
        self.gave_up_at, self.retried = gave_up_at(events), retried_trials(events)
        elsewhere = [t for t in self.followed.trials().values() if not self.is_here(t)]
        self.llm: LanguageModel | None = None
        self.choosing = Choosing.of(self.spec, self.space, elsewhere, self.proposers)
        self.study = optuna.create_study(sampler=optuna.samplers.RandomSampler())
        self.underway: dict[int, _Underway] = {}
        self.points: list[tuple[int, Point]] = []
        self.beaten = self.written = 0.0
        return self.replay()

    def proposers(self) -> Proposers:
        """Those of the researcher, with a language model among them if the user gave one."""
        said = Conversation.of(self.store.read, self.spec.name)
        cards, earlier = self.store.read.cards(self.spec.name), observed_earlier(self.store.read, self.spec, self.key)
        proposers = Proposers(self.space, cards, self.objections, size, said, earlier)
        if self.line is not None:
            self.llm = LanguageModel(self.line, proposers, self.note)
        else:
            without(said, self.note)
        return proposers

    def replay(self) -> list[TrialView]:
        """Refill the sampler from the ledger; returns the trials that were cut short, to be run again."""
        waiting = []
        self.n_refused = self.n_known = 0
        self.n_counted = Fraction(0)
        self.known: set[str] = set()
        for view in self.followed.trials().values():
            self.n_known += 1
            if here := self.is_here(view):
                self.known.add(view.fingerprint)
            if view.state in UNDER_WAY:
                # takes its old number again when it is asked for, since numbers are given in order
                self.study.enqueue_trial(view.params)
                waiting.append(view)
                continue
            self.count(view.state, view.config.budget)
            self.study.add_trial(recalled(view, here, self.space.distributions(view.params)))
        return waiting

    def is_here(self, view: TrialView) -> bool:
        """False for what ended under other conditions, on another class of device for one: listed, not compared."""
        return view.run is None or view.state in UNDER_WAY or view.run.identity.conditions == self.key.conditions

    def here(self) -> list[TrialView]:
        return [view for view in self.followed.trials().values() if self.is_here(view)]

    def count(self, state: State, budget: Budget) -> None:
        """A refusal costs nothing, a short run its part of a whole one."""
        if state is State.REFUSED:
            self.n_refused += 1
        else:
            self.n_counted += Fraction(budget.steps, self.spec.budget.steps)

    def why_end(self, waiting: list[TrialView]) -> str | None:
        if self.stopping():
            return STOPPED
        if self.deadline is not None and time.monotonic() > self.deadline:
            return "the time given with --timeout is up"
        if failing := why_give_up(self.here(), self.gave_up_at):
            return failing
        if waiting:
            return None
        if self.choosing.has_no_opening(self.known):
            return NO_OPENING
        if self.n_refused >= REFUSALS_PER_TRIAL * self.spec.n_trials:
            return f"{self.n_refused} proposals were refused"
        self.plan()
        return ALL_DONE if self.choosing.is_over(self.n_counted + len(self.underway)) else None

    def plan(self) -> None:
        """See where the study stands, and write down the phases that ended and their verdicts."""
        phase = self.choosing.phase
        before, move = self.choosing.plan(self.n_known, self.here())
        if move is None:
            return
        for name, why in move.closed.items():
            if before is None or before.closed.get(name) != why:
                self.store.phase(self.spec.name, name, why)
        if move.phase.name != phase and not move.over:
            self.store.phase(self.spec.name, move.phase.name)
        for verdict in move.verdicts:
            if before is None or verdict not in before.verdicts:
                self.store.judge(self.spec.name, verdict)

    def may_propose(self, waiting: list[TrialView]) -> bool:
        """False while what comes next rests on runs that are under way."""
        move = self.choosing.move
        return bool(waiting) or move is None or move.suggest is not None

    def stopping(self) -> bool:
        """Renew the heartbeat, and see whether someone asked for a stop."""
        if time.monotonic() - self.beaten > BEAT_SECONDS:
            self.beaten = time.monotonic()
            self.asked = self.store.beat(self.spec.name)
        return self.asked

    def next_trial(self, waiting: list[TrialView]) -> None:
        """Propose, check, record, and hand over; a refusal ends here, at no cost."""
        if waiting:
            view = waiting.pop(0)
            self.study.sampler = sampler(self.spec, view.number, draws=False)
            trial = self.study.ask()
            # what no sampler chose is run as it was proposed
            config = replace(self.space.suggest(trial), budget=view.config.budget) if view.params else view.config
            proposal = Proposal(
                number=view.number, config=config, proposer=view.proposer, rule=view.rule, reason=view.reason,
                hypothesis=view.hypothesis, expected=view.expected, params=view.params, seed=view.seed,
            )  # fmt: skip
        else:
            trial, proposal = self.propose()
            self.n_known += 1
            if against := self.objections(proposal.config) or self.choosing.idle(proposal, self.here()):
                self.store.refuse(self.spec.name, proposal, "; ".join(against))
                trial.set_constraint("caps", 1.0)
                self.study.tell(trial, state=refused_state(proposal.seed))
                self.count(State.REFUSED, proposal.config.budget)
                self.watcher.refused(proposal, "; ".join(against))
                return
            self.store.propose(self.spec.name, proposal)
        assert trial.params == proposal.params, f"sampler says {trial.params}, ledger {proposal.params}"
        trial.set_constraint("caps", -1.0)
        self.begin(trial, proposal)

    def propose(self) -> tuple[optuna.Trial, Proposal]:
        """What is suggested, as a config, with who says so and why."""
        number = self.n_known
        said = self.choosing.suggestion(self.known, self.n_finished)
        self.study.sampler = sampler(self.spec, number, draws=said.params is None)
        trial, config, aside = self.ask(said)
        said = self.choosing.settled(said, config, self.here())
        self.known.add(fingerprint(config))
        return trial, Proposal(
            number=number, config=config, proposer=said.proposer, rule=said.rule, reason=said.reason + aside,
            hypothesis=said.hypothesis, expected=said.expected, params=trial.params, advice="; ".join(advice(config)),
            seed=said.seed,
        )  # fmt: skip

    def n_finished(self) -> int:
        return len(self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))

    def ask(self, said: Suggestion) -> tuple[optuna.Trial, RunConfig, str]:
        """The trial with its config, and which draws were set aside before it."""
        against: list[str | None] = []
        while True:
            if params := self.space.held if said.params is None else said.params:
                self.study.enqueue_trial(dict(params))
            trial = self.study.ask()
            config = said.config or replace(self.space.suggest(trial), budget=said.budget or self.spec.budget)
            against.append(said.set_aside(config) if said.set_aside else None)
            if against[-1] is None or len(against) == TRIES:
                return trial, config, told_aside(against)
            # failures are nothing to the sampler, so a resumed study, which has never seen this draw, goes on alike
            self.study.tell(trial, state=TrialState.FAIL)

    def begin(self, trial: optuna.Trial, proposal: Proposal) -> None:
        seed = self.spec.seed if proposal.seed is None else proposal.seed
        key = replace(self.key, seed=seed)
        run_id, to_do = self.store.start(self.spec.name, proposal.number, key, self.versions)
        self.watcher.proposed(proposal)
        if not to_do:
            self.settle(trial, proposal, None)
            return
        self.store.artifacts.mkdir(exist_ok=True)
        artifact = self.store.artifacts / f"run-{run_id}.part"
        self.underway[run_id] = _Underway(trial, proposal, run_id, artifact)
        self.executor.submit(Job(run_id=run_id, config=proposal.config, seed=seed, artifact=artifact))

    def attend(self) -> None:
        """Wait a little for what the workers say, and write it down."""
        self.watcher.beat()
        for said in self.executor.poll(POINTS_SECONDS):
            match said:
                case Progress(run_id, point):
                    self.points.append((run_id, point))
                    self.watcher.stepped(self.underway[run_id].proposal.number, point)
                case Ended(run_id, Failure(reason=Reason.KILLED) as killed) if self.may_retry(run_id):
                    self.write_points()
                    self.retry(self.underway.pop(run_id), killed)
                case Ended(run_id, outcome):
                    self.write_points()
                    self.finish(self.underway.pop(run_id), outcome)
        if self.points and time.monotonic() - self.written > POINTS_SECONDS:
            self.write_points()
        if self.llm is not None:
            left = int(self.spec.n_trials - self.n_counted) - len(self.underway)
            self.llm.attend(self.here(), left if self.choosing.phase in ASKED_IN else 0)

    def note(self, sentence: str, fact: Fact) -> None:
        """What is said to a language model or by it."""
        self.store.note(self.spec.name, EVENT, to_text(sentence, fact))
        self.watcher.noted(sentence)

    def may_retry(self, run_id: int) -> bool:
        return self.underway[run_id].proposal.number not in self.retried

    def retry(self, lost: _Underway, killed: Failure) -> None:
        """Once more: what ended it came from outside and says nothing of the config. A second time it is a failure."""
        self.store.retry(self.spec.name, lost.proposal.number, lost.run_id, killed, RETRIED)
        lost.artifact.unlink(missing_ok=True)
        self.retried.add(lost.proposal.number)
        self.watcher.retried(lost.proposal.number, killed.message)
        self.begin(lost.trial, lost.proposal)

    def write_points(self) -> None:
        for run_id in dict.fromkeys(run_id for run_id, _ in self.points):
            self.store.add_points(run_id, [point for owner, point in self.points if owner == run_id])
        self.points.clear()
        self.written = time.monotonic()

    def finish(self, done: _Underway, outcome: Outcome) -> None:
        """Record before tell: what the store has is what a resumed study will know."""
        kept = None
        if isinstance(outcome, RunResult):
            kept = keep(self.spec, self.store, self.here(), done.proposal, done.artifact, outcome)
        self.store.finish(done.run_id, outcome, kept)
        done.artifact.unlink(missing_ok=True)
        self.settle(done.trial, done.proposal, outcome)

    def settle(self, trial: optuna.Trial, proposal: Proposal, outcome: Outcome | None) -> None:
        """Tell the sampler; without an outcome the ledger already had it."""
        view = self.followed.trials()[proposal.number]
        self.count(view.state, view.config.budget)
        if is_over_caps(view):
            trial.set_constraint("caps", 1.0)
        state = told_state(view, self.is_here(view))
        for step, val_loss in on_the_way(view).items():
            trial.report(val_loss, step)
        self.study.tell(trial, view.val_loss if state is TrialState.COMPLETE else None, state)
        if outcome is None:
            self.watcher.known(proposal.number, proposal.config, view.val_loss)
        else:
            self.watcher.ended(proposal.number, proposal.config, outcome)
