"""A search of the landscape by each policy, with Optuna in memory as the loop has it: over the cap is pruned with its
constraint, out of memory fails, and every proposal counts."""

import random
from collections.abc import Callable

import landscape
import optuna
from optuna.trial import TrialState

from autoresearch.researcher.local import drawn_from, local_edit
from autoresearch.researcher.mixture import proposer
from bench.knobs import Choice, Span, Value

optuna.logging.set_verbosity(optuna.logging.WARNING)

Policy = Callable[[int, int], str]  # of seed and trial number, a proposer

POLICIES: dict[str, Policy] = {
    "random": lambda seed, number: "random",
    "tpe": lambda seed, number: "tpe",
    "local": lambda seed, number: "local",
    "search": lambda seed, number: _without_beliefs(proposer("search", seed, number)),
    "short search": lambda seed, number: _without_beliefs(proposer("short search", seed, number)),
}


def _without_beliefs(who: str) -> str:
    """The landscape has no technique cards, so an untried neighbour is any neighbour."""
    return "local" if who == "untried" else who


def suggest(trial: optuna.Trial) -> landscape.Params:
    def choose(name: str, values: Span | Choice) -> Value:
        match values:
            case Choice(options=options):
                return trial.suggest_categorical(name, options)
            case Span(low=low, high=high, log=log) if values.whole:
                return trial.suggest_int(name, int(low), int(high), log=log)
            case Span(low=low, high=high, log=log):
                return trial.suggest_float(name, low, high, log=log)

    return landscape.walk(choose)


def best_so_far(policy: Policy, seed: int, n_trials: int, recipes: tuple[landscape.Params, ...] = ()) -> list[float]:
    """The best true score among the feasible, after each trial; the baseline comes first, then the recipes."""
    rng, noise = random.Random(seed), random.Random(seed)
    samplers: dict[str, optuna.samplers.BaseSampler] = {
        "random": optuna.samplers.RandomSampler(seed=seed),
        "tpe": optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True),
    }
    study = optuna.create_study()
    openings = [landscape.BASELINE, *recipes]
    known: list[landscape.Params] = []
    incumbent, shown, best = landscape.BASELINE, float("inf"), [float("inf")]

    def drawn(name: str, values: Span | Choice) -> Value:
        return drawn_from(values, rng)

    for number in range(n_trials):
        who = "opening" if number < len(openings) else policy(seed, number)
        # what is enqueued overrides the sampler, and random's is the cheapest to ask
        study.sampler = samplers.get(who, samplers["random"])
        if who == "opening":
            study.enqueue_trial(openings[number])
        elif who == "local":
            study.enqueue_trial(local_edit(landscape.walk, incumbent, drawn, rng, known.__contains__))
        trial = study.ask()
        params = suggest(trial)
        known.append(params)
        trial.set_constraint("bytes", landscape.artifact_bytes(params) / landscape.CAP_BYTES - 1)
        best.append(best[-1])
        if landscape.out_of_memory(params):
            study.tell(trial, state=TrialState.FAIL)
        elif not landscape.fits(params):
            study.tell(trial, state=TrialState.PRUNED)
        else:
            true = landscape.true_score(params)
            score = true + noise.gauss(0.0, landscape.NOISE_SD)
            study.tell(trial, score)
            best[-1] = min(best[-1], true)
            incumbent, shown = min((incumbent, shown), (params, score), key=lambda rival: rival[1])
    return best[1:]
