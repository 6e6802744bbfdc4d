"""What the ledger says of a study, gathered once: its trials, its configs with their seeds, noise and beliefs."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from autoresearch.beliefs import Beliefs, Observation, believe
from autoresearch.earlier import observed_earlier
from autoresearch.noise import Noise, Sample, noise_of
from autoresearch.reporting.report import Trials
from autoresearch.researcher.feasibility import Size
from autoresearch.researcher.untried import Untried, ranked_untried
from bench.config import RunConfig, fingerprint
from bench.divisions import baseline
from bench.records import Identity, Point, State
from bench.tracks import PUBLISHED_SEEDS
from studies.reading import Reader
from studies.views import EventView, PhaseView, RunView, StudyView, TrialView, VerdictView

# below this many seeds a mean is not confirmed, as on the board
CONFIRMING_SEEDS = 3
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One config of the study's main identity: its scores by seed, and which trials they are.

    Once it ran on published seeds, its sample is of these alone: the search's score, low by luck too, had it chosen.
    """

    config: RunConfig
    sample: Sample
    searched: Sample | None  # over search seeds, beside a sample of published ones
    runs: tuple[RunView, ...]  # scored, by seed
    trials: Trials
    failed: Trials  # of the same config, on the same identity

    @property
    def mean(self) -> float:
        return self.sample.mean

    @property
    def status(self) -> str:
        """What the number of seeds allows to say."""
        if self.failed:
            return f"survivors only: {len(self.failed)} failed"
        n = self.sample.n
        return f"unconfirmed: {n} seed{'s' * (n > 1)}" if n < CONFIRMING_SEEDS else "replicated"


@dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """All that a report is made from."""

    study: StudyView
    trials: tuple[TrialView, ...]  # by number, each once, short runs too
    identity: Identity | None  # of most scored trials; no other is compared with it
    elsewhere: Trials  # scored under another identity
    arms: tuple[Arm, ...]  # the lowest mean first
    noise: Noise | None  # at the best stack
    beliefs: Beliefs
    curves: Mapping[int, tuple[Point, ...]]  # by trial, of the scored ones of this identity
    events: tuple[EventView, ...]
    verdicts: tuple[VerdictView, ...]
    phases: tuple[PhaseView, ...]
    may_run: Callable[[RunConfig], bool]
    size: Size  # parameters and training FLOPs as declared; nothing for code that a user brings

    @cached_property
    def base(self) -> Arm | None:
        """The baseline's arm, if it has a score."""
        return self.by_print.get(fingerprint(baseline(self.study.spec.budget, self.study.spec.track_name)))

    def noise_of(self, *samples: Sample) -> Noise | None:
        """At these arms, as far as their own replicates tell."""
        return noise_of(samples, _samples(self.arms))

    @cached_property
    def by_print(self) -> dict[str, Arm]:
        """Arms by the fingerprint of their config."""
        return {fingerprint(arm.config): arm for arm in self.arms}

    @cached_property
    def by_number(self) -> dict[int, TrialView]:
        return {t.number: t for t in self.trials}

    @cached_property
    def here(self) -> tuple[TrialView, ...]:
        """Trials that ran, whole or short, where the main identity's did."""
        where = self.identity.conditions if self.identity else None
        return tuple(t for t in self.trials if t.run and (where is None or t.run.identity.conditions == where))

    @cached_property
    def scored(self) -> tuple[TrialView, ...]:
        """Trials with a score under the main identity, by number."""
        return tuple(t for t in self.trials if t.run and t.val_loss is not None and t.run.identity == self.identity)

    @cached_property
    def records(self) -> tuple[TrialView, ...]:
        """Those that were the lowest when they ended, in that order."""
        found: list[TrialView] = []
        for trial in sorted(self.scored, key=lambda t: (t.ended_at or 0.0, t.number)):
            if not found or loss(trial) < loss(found[-1]):
                found.append(trial)
        return tuple(found)

    @cached_property
    def failed(self) -> tuple[TrialView, ...]:
        return tuple(t for t in self.trials if t.state is State.FAILED)

    @property
    def as_of(self) -> float:
        return max([self.study.created_at, *(t.ended_at or t.created_at for t in self.trials)])

    @property
    def best(self) -> RunConfig:
        """The config of the lowest mean; the baseline before any score."""
        return self.arms[0].config if self.arms else self.beliefs.base

    def untried(self, incumbent: RunConfig, most: int, ideas: bool) -> list[Untried]:
        """The most valuable stacks that no trial was, from a config on; ideas can be ranked and not run."""
        ranked = ranked_untried(
            self.beliefs,
            incumbent,
            failed=[(f"#{t.number}", t.config) for t in self.failed],
            free=self.study.spec.division.free,
            may_run=self.may_run,
        )
        return list(islice((u for u in ranked if ideas or u.runnable), most))


def gather(
    reader: Reader,
    name: str,
    may_run: Callable[[RunConfig], bool] = lambda config: True,
    size: Size = lambda config: (),
) -> Facts:
    """Read a study whole; StoreError when there is none of that name."""
    study = reader.study(name)
    trials = tuple({t.number: t for t in reader.trials(name)}.values())
    done = [t for t in trials if t.run and t.val_loss is not None and not t.is_short]
    identities = Counter(t.run.identity for t in done if t.run)
    # ties by the identities themselves, so that no order of rows decides
    identity = min(identities, key=lambda i: (-identities[i], i), default=None)
    here = [t for t in done if t.run and t.run.identity == identity]
    arms = _arms(here, trials)
    noise = noise_of([arms[0].sample], _samples(arms)) if arms else None
    observations = [Observation(f"#{t.number}", t.config, loss(t)) for t in _once(here)]
    if identity is not None:
        known = observed_earlier(reader, study.spec, identity)
        observations += [o for o in known if o.config.budget == study.spec.budget]
    noise_sd = noise.sigma if noise else study.spec.track.usual_noise
    cards = reader.cards(name)
    beliefs = believe(observations, noise_sd, cards, baseline(study.spec.budget, study.spec.track_name))
    return Facts(
        study=study,
        trials=trials,
        identity=identity,
        elsewhere=tuple(t.number for t in done if t not in here),
        arms=arms,
        noise=noise,
        beliefs=beliefs,
        curves={t.number: tuple(reader.curve(t.run.id)) for t in here if t.run},
        events=tuple(e for e in reader.events(study=name, limit=100_000) if e.trial is None),
        verdicts=tuple(reader.verdicts(name)),
        phases=tuple(reader.phases(name)),
        may_run=may_run,
        size=size,
    )


def loss(trial: TrialView) -> float:
    """Of a trial known to have one."""
    assert trial.val_loss is not None, f"trial {trial.number} has no score"
    return trial.val_loss


def mentioned(text: str, facts: Facts) -> Trials:
    """The trials that a generated sentence names as `#7`."""
    named = {int(number) for number in re.findall(r"#(\d+)", text)}
    return tuple(t.number for t in facts.trials if t.number in named)


def noise_told(facts: Facts) -> str:
    """Known or not, and what the beliefs used."""
    if facts.noise is None:
        usual = facts.study.spec.track.usual_noise
        return f"noise is not known; the beliefs start from an assumed sd of {usual:g} nats/byte"
    return f"sigma {facts.noise.sigma:.4f} nats/byte over {facts.noise.df} degrees of freedom"


def _samples(arms: Iterable[Arm]) -> list[Sample]:
    """Of each config, what published seeds say apart from what the search has seen."""
    return [sample for arm in arms for sample in (arm.sample, arm.searched) if sample]


def names_of(config: RunConfig) -> set[str]:
    return {pick.label for picks in config.picks.values() for pick in picks}


def _once(trials: Sequence[TrialView]) -> list[TrialView]:
    """One trial a run: a run that answers two trials is no second seed."""
    first: dict[int, TrialView] = {}
    for trial in trials:
        assert trial.run is not None, "a scored trial has a run"
        first.setdefault(trial.run.id, trial)
    return list(first.values())


def _arms(here: Sequence[TrialView], trials: Sequence[TrialView]) -> tuple[Arm, ...]:
    by_config: dict[str, list[TrialView]] = {}
    for trial in here:
        by_config.setdefault(trial.fingerprint, []).append(trial)
    arms = []
    for print_, members in by_config.items():
        runs = {t.run.seed: t.run for t in members if t.run}
        scores = {seed: runs[seed].val_loss or 0.0 for seed in sorted(runs)}
        published = {seed: score for seed, score in scores.items() if seed in PUBLISHED_SEEDS}
        searched = {seed: score for seed, score in scores.items() if seed not in PUBLISHED_SEEDS}
        arms.append(
            Arm(
                config=members[0].config,
                sample=Sample(published or searched),
                searched=Sample(searched) if published and searched else None,
                runs=tuple(runs[seed] for seed in sorted(runs)),
                trials=tuple(t.number for t in members),
                failed=tuple(t.number for t in trials if t.fingerprint == print_ and t.state is State.FAILED),
            )
        )
    return tuple(sorted(arms, key=lambda arm: (arm.mean, fingerprint(arm.config))))
