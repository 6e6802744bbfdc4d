"""The sampler in memory: which one draws a trial, and what it is told of how trials ended."""

import hashlib

import optuna
from optuna.trial import TrialState

from bench.records import OVER_A_CAP, State
from studies.definitions import StudySpec
from studies.views import TrialView


def sampler(spec: StudySpec, number: int, draws: bool) -> optuna.samplers.BaseSampler:
    """Seeded by the trial's number, so that a resumed study proposes what an unbroken one would have."""
    digest = hashlib.sha256(f"{spec.seed}/{number}".encode()).digest()
    seed = int.from_bytes(digest[:4], "little")
    if spec.policy == "random" or not draws:
        # what is enqueued needs no model of the trials
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)


def is_over_caps(view: TrialView) -> bool:
    """Refused, or found to be too large or too slow by the worker: the sampler learns where the wall is."""
    return view.state is State.REFUSED or (view.run is not None and view.run.reason in OVER_A_CAP)


def recalled(
    view: TrialView, comparable: bool, distributions: dict[str, optuna.distributions.BaseDistribution]
) -> optuna.trial.FrozenTrial:
    """A trial that ended in an earlier life of the study, as the sampler would have it."""
    state = told_state(view, comparable)
    return optuna.trial.create_trial(
        state=state,
        value=view.val_loss if state is TrialState.COMPLETE else None,
        intermediate_values=on_the_way(view),
        params=view.params,
        distributions=distributions,
        constraints={"caps": 1.0} if is_over_caps(view) else {"caps": -1.0},
    )


def on_the_way(view: TrialView) -> dict[int, float]:
    """What a short run scored, by its steps."""
    return {view.config.budget.steps: view.val_loss} if view.is_short and view.val_loss is not None else {}


def refused_state(seed: int | None) -> TrialState:
    """A config refused is a wall to the sampler; a seed refused says nothing of the config."""
    return TrialState.PRUNED if seed is None else TrialState.FAIL


def told_state(view: TrialView, comparable: bool) -> TrialState:
    """What costs nothing is pruned; a failure is ignored by the sampler, and so is a replication: a second score of
    a config says nothing new of where to look. Nor does it hear of scores that can't be compared with those to come.
    A short run is one that went no further: TPE ranks such after all whole ones, among each other by how far they went
    and then by their scores."""
    if view.seed is not None or not comparable:
        return TrialState.FAIL
    match view.state:
        case State.COMPLETE:
            return TrialState.PRUNED if view.is_short else TrialState.COMPLETE
        case State.PRUNED:
            return TrialState.PRUNED
        case _:
            return TrialState.PRUNED if is_over_caps(view) else TrialState.FAIL
