"""A search of the landscape by each policy, with Optuna in memory as the loop has it: over the cap is pruned with its
constraint, out of memory fails, and every proposal counts."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import landscape
import optuna
from optuna.trial import TrialState

from autoresearch.researcher.local import drawn_from, local_edit
from autoresearch.researcher.mixture import proposer
from autoresearch.researcher.phases import ABLATION, COMBINE, NOISE_FLOOR, NOISE_SEEDS, SCREEN, may_spend
from bench.knobs import Choice, Span, Value

optuna.logging.set_verbosity(optuna.logging.WARNING)

# each technique that is off in the baseline, at the landscape's own middle
ALONE = tuple(
    landscape.stack(**{name: True}, **knobs)
    for name, knobs in (
        ("xsa", {"xsa__k": 6}), ("smear", {}), ("ortho", {}), ("bigram", {"bigram__k": 4096}), ("ttt", {}),
        ("partial_rope", {}), ("qat", {}), ("fp16_embedding", {}),
    )
) + tuple(
    landscape.stack(**chosen)
    for chosen in (
        {"averaging": "swa"}, {"averaging": "ema", "ema__forget": 0.003}, {"activation": "leaky2"},
        {"activation": "swiglu"}, {"quant": "int6"}, {"optimizer": "normuon", "normuon__lr": 0.02},
    )
)  # fmt: skip

Seen = list[tuple[float, landscape.Params]]  # scores with what they are of
Policy = Callable[[int, int], str]  # of seed and trial number, a proposer

POLICIES: dict[str, Policy] = {
    "random": lambda seed, number: "random",
    "tpe": lambda seed, number: "tpe",
    "local": lambda seed, number: "local",
    "search": lambda seed, number: _without_beliefs(proposer("search", seed, number)),
    "short search": lambda seed, number: _without_beliefs(proposer("short search", seed, number)),
}


def researcher(n_trials: int, n_screen: int = len(ALONE)) -> Policy:
    """The phases of the researcher by what they cost: noise floor, 2x2 cells and ablation find nothing here; what the
    screen has seen to help is joined to the incumbent, all of it and then the better half."""
    noise = min(NOISE_SEEDS, may_spend(NOISE_FLOOR, n_trials))
    screened = noise + min(n_screen, may_spend(SCREEN, n_trials))
    searched = n_trials - may_spend(COMBINE, n_trials) - may_spend(ABLATION, n_trials)
    mixture = POLICIES["search"]

    def who(seed: int, number: int) -> str:
        if number < noise or number > searched + 1:
            return "idle"
        if number >= searched:
            return "combine"
        return "alone" if number < screened else mixture(seed, number)

    return who


def alone_helped(seen: Seen) -> list[landscape.Params]:
    """What beat the baseline alone by more than two single runs differ by chance, the best first."""
    scores = [(score, params) for score, params in seen if params == landscape.BASELINE]
    reach = scores[0][0] - 2 * landscape.NOISE_SD * 2**0.5
    helped = sorted((score, ALONE.index(p)) for score, p in seen if p in ALONE and score < reach)
    return [_changes(ALONE[place], landscape.BASELINE) for _, place in helped]


@dataclass(frozen=True)
class Screen:
    """Stacks to run, and what those runs say: the changes that help, the best first."""

    stacks: tuple[landscape.Params, ...] = ALONE
    helped: Callable[[Seen], list[landscape.Params]] = alone_helped


ONE_AT_A_TIME = Screen()


def _changes(params: landscape.Params, base: landscape.Params) -> landscape.Params:
    return {k: v for k, v in params.items() if base.get(k) != v}


def _joined(incumbent: landscape.Params, helped: list[landscape.Params], half: bool) -> landscape.Params:
    """The incumbent with what helped, or with the better half of it."""
    wanted: landscape.Params = dict(incumbent)
    # the best last, so that in a slot that takes one it stays
    for changes in reversed(helped[: (len(helped) + 1) // 2 if half else None]):
        wanted |= changes
    return landscape.walk(lambda name, values: wanted.get(name, landscape.BASELINE.get(name, False)))


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


def best_so_far(
    policy: Policy, seed: int, n_trials: int, recipes: tuple[landscape.Params, ...] = (), screen: Screen = ONE_AT_A_TIME
) -> list[float]:
    """The best true score among the feasible, after each trial; the baseline comes first, then the recipes."""
    rng, noise = random.Random(seed), random.Random(seed)
    samplers: dict[str, optuna.samplers.BaseSampler] = {
        "random": optuna.samplers.RandomSampler(seed=seed),
        "tpe": optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True),
    }
    study = optuna.create_study()
    openings = [landscape.BASELINE, *recipes]
    known: list[landscape.Params] = []
    seen: Seen = []
    whos: list[str] = []
    incumbent, shown, best = landscape.BASELINE, float("inf"), [float("inf")]

    def drawn(name: str, values: Span | Choice) -> Value:
        return drawn_from(values, rng)

    for number in range(n_trials):
        who = "opening" if number < len(openings) else policy(seed, number)
        whos.append(who)
        # what is enqueued overrides the sampler, and random's is the cheapest to ask
        if who == "idle":
            best.append(best[-1])
            continue
        study.sampler = samplers.get(who, samplers["random"])
        if who == "opening":
            study.enqueue_trial(openings[number])
        elif who == "alone" and (left := [stack for stack in screen.stacks if stack not in known]):
            study.enqueue_trial(left[0])
        elif who == "combine":
            study.enqueue_trial(_joined(incumbent, screen.helped(seen), half=whos.count("combine") > 1))
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
            seen.append((score, params))
            best[-1] = min(best[-1], true)
            incumbent, shown = min((incumbent, shown), (params, score), key=lambda rival: rival[1])
    return best[1:]
