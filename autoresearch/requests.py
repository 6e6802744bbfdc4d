"""What can be said of a request before anything is loaded or spent; each check raises ConfigError."""

import os
from pathlib import Path

from autoresearch.executor import check_devices
from autoresearch.researcher.phases import RESEARCHER
from autoresearch.researcher.rungs import LEAST_STEPS, RUNGS, rungs_for
from bench.errors import ConfigError
from bench.tracks import GOLF_ON, MOST_STEPS, PUBLISHED_SEEDS, Track
from studies.belts import GRADE
from studies.definitions import OPENINGS, StudySpec, is_text
from studies.ownership import check_claim, this_process
from studies.reading import Reader

POLICIES = (RESEARCHER, "tpe", "random", OPENINGS, "claims")
# those of a command of their own
OWN_COMMAND = (GRADE,)
# what numpy and torch both take as a seed
MOST_SEED = 2**32 - 1


def check_request(spec: StudySpec) -> None:
    """What can be said before anything is loaded; raises ConfigError."""
    if not is_text(spec.name):
        raise ConfigError(f"--study {spec.name} is no UTF-8 text", "give it another name")
    if spec.n_trials < 1:
        raise ConfigError(f"--trials is {spec.n_trials}", "ask for at least 1")
    if spec.budget.steps < 1:
        raise ConfigError(f"--steps is {spec.budget.steps}", "train for at least 1 step; 500 and 800 carry belts")
    if spec.budget.steps > MOST_STEPS:
        raise ConfigError(f"--steps is {spec.budget.steps}", f"train for at most {MOST_STEPS:,} steps")
    if not 0 <= spec.seed <= MOST_SEED:
        raise ConfigError(f"--seed is {spec.seed}", "search with 1001, 1002, ...")
    if spec.seed in PUBLISHED_SEEDS:
        raise ConfigError(
            f"--seed {spec.seed} is a published seed, kept for grading", "search with 1001, 1002, ... instead"
        )
    if spec.policy not in OWN_COMMAND:
        check_policy(spec.policy)
    if spec.rungs and spec.policy != RESEARCHER:
        raise ConfigError(f"--rungs is for the policy {RESEARCHER}, not {spec.policy}", f"use --policy {RESEARCHER}")
    if spec.alone and spec.policy != RESEARCHER:
        raise ConfigError(
            f"--alone is for the policy {RESEARCHER}: {spec.policy} knows nothing of earlier studies", "leave it out"
        )


def check_policy(policy: str) -> None:
    """Whether `--policy` takes it; raises ConfigError."""
    if policy not in POLICIES:
        raise ConfigError(f"there is no policy named {policy}", f"the policies are {', '.join(POLICIES)}")


def rungs_asked(policy: str, steps: int, asked: bool | None) -> tuple[int, ...]:
    """The rungs of a new study, as asked for; else the researcher's where its steps allow all of them: a third alone
    was no clear gain (docs/researcher.md). Raises ConfigError."""
    found = rungs_for(steps)
    if asked is None:
        return found if policy == RESEARCHER and found == RUNGS else ()
    if not asked:
        return ()
    if not found:
        least = LEAST_STEPS * min(RUNGS)
        raise ConfigError(f"--rungs needs runs of {least} steps or more, and these have {steps}", "leave --rungs out")
    return found


def check_llm(spec: StudySpec) -> None:
    """Only one policy has a place for a language model; raises ConfigError."""
    if spec.policy != RESEARCHER:
        raise ConfigError(
            f"--llm goes with --policy {RESEARCHER}, and the policy is {spec.policy}",
            "leave --policy out, or drop --llm",
        )


def check_budget(budget: str, track: Track) -> None:
    """Whether this machine can serve a budget on a track; raises ConfigError with what was found."""
    if budget not in GOLF_ON:
        raise ConfigError(f"there is no budget named {budget}", f"the budgets are {', '.join(GOLF_ON)}")
    if budget != "cpu" and not track.devices:
        raise ConfigError(f"the {track.name} track runs on the CPU alone, not on {budget}", "use --budget cpu")
    check_devices(track.devices)


def foretold(path: Path, spec: StudySpec) -> str:
    """What a checked request would do; StoreError when the ledger has a study of that name that stands against it."""
    size = f"{spec.n_trials} trials of {spec.budget.steps} steps on {spec.corpus_name} {spec.corpus_digest[:8]}"
    if os.path.exists(path):
        reader = Reader(path)
        try:
            known = {study.name: study for study in reader.studies()}
        finally:
            reader.close()
        if (study := known.get(spec.name)) is not None:
            check_claim(study, spec, this_process())
            return f"would go on with study {spec.name}, {study.n_done} of {size}"
    return f"would begin study {spec.name}: {size}"


def duration(text: str) -> float:
    """Seconds of `90s`, `30m`, `2h` or a plain number."""
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
    try:
        seconds = float(number) * unit
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise ConfigError(f"--timeout {text} is no length of time", "write 90s, 30m or 2h")
    return seconds
