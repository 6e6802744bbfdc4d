"""`autoresearch grade`: a fighter trained from scratch on published seeds, and its division's belt by the verdict."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from autoresearch.grading.audit import audit_runs, flag_all, read_audit
from autoresearch.noise import Sample
from autoresearch.replaying import run_again
from autoresearch.requests import check_request
from autoresearch.session import run_study
from autoresearch.starting import begun_with, check_start, read_fighter
from autoresearch.verdicts import Judgement, Verdict, decide, more_seeds, welch
from bench.config import RunConfig, fingerprint
from bench.config import to_json as config_json
from bench.data.corpus import Corpus
from bench.errors import ArtifactError, ConfigError
from bench.records import Identity, State
from bench.tracks import PUBLISHED_SEEDS, track_named
from studies.belts import GRADE
from studies.definitions import StudySpec
from studies.reading import Reader
from studies.store import Store
from studies.views import AuditView, BeltView, RunView, TrialView, VerdictView

LEAST_SEEDS = 3


@dataclass(frozen=True, kw_only=True)
class Grade:
    """What grading a fighter came to. `scores` are val_loss by published seed, in nats per byte."""

    fighter: str
    study: str
    division: str
    steps: int
    scores: dict[int, float]
    said: str
    belt: str | None = None  # takes, holds, or None
    verdict: VerdictView | None = None
    cost: dict[str, float]
    audits: list[AuditView]

    @property
    def failed(self) -> bool:
        """A run ended without a score."""
        return not self.scores


def grading_spec(path: Path, steps: int | None, n_seeds: int, corpus: Corpus, data: str, name: str | None) -> StudySpec:
    """The study that grades a fighter; raises ArenaError for what can't be graded."""
    if not LEAST_SEEDS <= n_seeds <= len(PUBLISHED_SEEDS):
        raise ConfigError(
            f"--seeds is {n_seeds}", f"the track publishes {len(PUBLISHED_SEEDS)}, and {LEAST_SEEDS} are the least"
        )
    track = track_named(read_fighter(path).config.track)
    blank = StudySpec(
        name="", track_name=track.name, division_name="", n_trials=n_seeds, budget=track.budget,
        corpus_name=corpus.name, corpus_digest=corpus.digest, data=data, policy=GRADE,
    )  # fmt: skip
    spec = begun_with(blank, path, steps)
    assert spec.start is not None, "it was given"
    parts = [GRADE, spec.division.name, str(spec.budget.steps), fingerprint(spec.start)[:8], corpus.name]
    spec = replace(spec, name=name or "-".join(parts).replace(":", "-"))
    check_request(spec)
    return spec


def grade(
    spec: StudySpec,
    store: Store,
    corpus: Corpus,
    jobs: int,
    console: Console,
    timeout_seconds: float | None,
    audit: Path | None,
    say: Callable[[str], None],
) -> Grade | None:
    """Run what is left of a grading, then decide; None when the time was up or a stop was asked for."""
    # before a step is paid for
    text = None if audit is None else read_audit(audit, corpus, spec.track)
    check_start(spec, corpus, say)
    begun = {study.name: study.spec.n_trials for study in store.read.studies()}
    # whoever asked for more seeds has them
    spec = replace(spec, n_trials=max(spec.n_trials, begun.get(spec.name, 0)))
    why = run_study(spec, store, corpus, jobs, console, timeout_seconds)
    found = settled(store, spec)
    if found is None:
        say(f"{why}; the same command goes on")
        return None
    if text is None or found.failed:
        return found
    assert spec.start is not None, "a grading study begins with its fighter"
    runs = [trial.run for trial in own_trials(store.read, spec) if trial.run is not None]
    remake = remaker(spec.start, corpus, say)
    audit_runs(store, runs, spec.start, text, remake)
    flag_all(store, text.digest, spec.track.rules[0].alpha)
    return replace(found, audits=audits_of(store.read, runs))


def settled(store: Store, spec: StudySpec) -> Grade | None:
    """The verdict of a grading whose runs have all ended, with the belt moved; None while there are runs to come."""
    trials = own_trials(store.read, spec)
    return decided(store, spec, trials) if is_over(spec, trials) else None


def remaker(config: RunConfig, corpus: Corpus, say: Callable[[str], None]) -> Callable[[RunView], bytes]:
    """Trains a run again where its packed model was not kept."""

    def remake(run: RunView) -> bytes:
        say(f"run {run.id}'s packed model was not kept: training it again, seed {run.seed}")
        again = run_again(run, config, corpus, lambda point: None)
        if again.artifact is None:
            raise ArtifactError(f"run {run.id} gives no packed model any more", "`autoresearch replay` says more")
        return again.artifact

    return remake


def own_trials(reader: Reader, spec: StudySpec) -> list[TrialView]:
    """The fighter's trials on the seeds that are asked for, in their order."""
    seeds = PUBLISHED_SEEDS[: spec.n_trials]
    found = {trial.seed: trial for trial in reader.trials(spec.name) if trial.seed in seeds}
    return [found[seed] for seed in seeds if seed in found]


def is_over(spec: StudySpec, trials: list[TrialView]) -> bool:
    ended = [t for t in trials if t.state not in (State.QUEUED, State.RUNNING, State.INTERRUPTED)]
    lost = any(trial.val_loss is None for trial in ended)
    return len(ended) == len(trials) and (lost or len(ended) == spec.n_trials)


def decided(store: Store, spec: StudySpec, trials: list[TrialView]) -> Grade:
    """The verdict on a graded fighter, with the belt moved if it says so; asked again it changes nothing."""
    runs = [trial.run for trial in trials if trial.run is not None]
    assert spec.start is not None, "a grading study begins with its fighter"
    found = Grade(
        fighter=spec.division.label(spec.start), study=spec.name, division=spec.division.name, steps=spec.budget.steps,
        scores={}, said="", cost=cost_of(runs), audits=audits_of(store.read, runs),
    )  # fmt: skip
    lost = [trial for trial in trials if trial.val_loss is None]
    if lost:
        why = "; ".join(f"seed {t.seed}: {(t.run.reason if t.run else None) or t.state}" for t in lost)
        return replace(found, said=f"posted as a negative result, {why}; {trials[0].message or 'its curve is kept'}")
    scores = {run.seed: run.val_loss for run in runs if run.val_loss is not None}
    found = replace(found, scores=scores)
    if len(machines := sorted({run.identity.device_class for run in runs})) > 1:
        both = " and ".join(machines)
        return replace(
            found, said=f"no verdict: its runs are of {both}, never compared; grade it under another --study"
        )
    if spec.track.is_exhibition(spec.budget):
        carry = " and ".join(str(steps) for steps in spec.track.belt_steps)
        return replace(found, said=f"an exhibition: listed, never a belt, which is for {carry} steps")
    return with_belt(store, spec, found, runs)


def with_belt(store: Store, spec: StudySpec, found: Grade, runs: list[RunView]) -> Grade:
    """The challenger against whoever holds the belt of its identity and division."""
    identity, print_, division = runs[0].identity, runs[0].fingerprint, spec.division
    holder = holder_of(store.read, identity, division.name)
    title = f"the {division.name} belt at {spec.budget.steps} steps"
    if holder is None:
        store.crown(spec.name, identity, division.name, print_, None, None)
        return replace(found, belt="takes", said=f"takes {title}, which nobody held")
    if holder.fingerprint == print_:
        return replace(found, belt="holds", verdict=holder.verdict, said=f"holds {title}")
    held = store.read.published_scores(holder.fingerprint, identity)
    comparison = welch(Sample(found.scores), Sample(in_order({s: run.val_loss or 0.0 for s, run in held.items()})))
    rule = spec.track.rules[0]
    judgement = decide(comparison, rule)
    label = division.label(holder.config)
    verdict = as_view(f"does {found.fighter} {print_[:8]} beat {label} {holder.fingerprint[:8]}?", judgement)
    verdict = replace(verdict, run_ids={"new": [run.id for run in runs], "old": [run.id for run in held.values()]})
    verdict_id = store.judge(spec.name, verdict)
    found = replace(found, verdict=verdict)
    if judgement.verdict is Verdict.SUPPORTED:
        store.crown(spec.name, identity, division.name, print_, holder.fingerprint, verdict_id)
        return replace(found, belt="takes", said=f"takes {title} from {label}: {judgement.why}")
    if judgement.verdict is Verdict.INCONCLUSIVE and comparison.effect < 0:
        more = more_seeds(comparison, rule)
        return replace(found, said=f"better than {label} and not proven: {judgement.why}; {advice(more, len(runs))}")
    return replace(found, said=f"{label} keeps {title}: {judgement.why}")


def advice(more: int | None, n: int) -> str:
    """How to prove what is not proven."""
    if more is None or n + more > len(PUBLISHED_SEEDS):
        return f"the track publishes {len(PUBLISHED_SEEDS)} seeds, too few to prove an effect of this size"
    return f"grade it and the holder again with --seeds {n + more}"


def holder_of(reader: Reader, identity: Identity, division: str) -> BeltView | None:
    return next((b for b in reader.belts() if b.identity == identity and b.division == division), None)


def in_order(scores: dict[int, float]) -> dict[int, float]:
    """The scores of the track's first seeds, as far as there is no gap: nobody chooses which of them count."""
    found: dict[int, float] = {}
    for seed in PUBLISHED_SEEDS:
        if seed not in scores:
            return found
        found[seed] = scores[seed]
    return found


def as_view(question: str, judgement: Judgement) -> VerdictView:
    return VerdictView(
        question=question, verdict=judgement.verdict.value, why=judgement.why, effect=judgement.effect,
        low=judgement.low, high=judgement.high, p=judgement.p, n=judgement.n, run_ids={},
    )  # fmt: skip


def cost_of(runs: list[RunView]) -> dict[str, float]:
    """Of one run, the mean over those that ran: seconds, parameters, bytes and training FLOPs."""
    names = ("train_seconds", "parameters", "weights_bytes", "train_flops")
    known = {name: [value for run in runs if (value := getattr(run, name)) is not None] for name in names}
    return {name: sum(values) / len(values) for name, values in known.items() if values}


def audits_of(reader: Reader, runs: list[RunView]) -> list[AuditView]:
    ids = {run.id for run in runs}
    return [audit for audit in reader.audits() if audit.run_id in ids]


def to_json(found: Grade, belts: list[BeltView]) -> dict[str, Any]:
    """A grade as one object; losses in nats per byte."""
    return asdict(found) | {"belts": [belt_json(belt) for belt in belts]}


def belt_json(belt: BeltView) -> dict[str, Any]:
    return asdict(belt) | {"config": config_json(belt.config), "val_loss": belt.val_loss}
