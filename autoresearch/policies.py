"""Which policy gets lower, and sooner: `python -m autoresearch.policies [LEDGER]`, on what `make measure policies` ran.

A repetition is one seed: every policy on the same budget, at the cost of as many whole runs. Losses in nats per byte.
"""

import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from autoresearch.commands.output import say
from autoresearch.listing import number, table
from bench.errors import ArenaError, DataError
from bench.records import Identity, State
from bench.standings import Entry
from bench.tracks import PUBLISHED_SEEDS
from studies.measurements import POLICIES_MEASURED
from studies.reading import Reader
from studies.shipped import shipped_store
from studies.views import StudyView, TrialView

RIVAL = "tpe"


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One policy's study of one repetition."""

    policy: str
    seed: int
    best: float  # val_loss of its best run, the study's own seed
    confirmed: float | None  # the same config's mean over published seeds, as far as the ledger has them
    n_confirmed: int
    spent: float  # whole runs, its confirmation included
    to_rival: float | None  # whole runs until its best was no worse than the rival's at the end; None if it never was


def arms(reader: Reader) -> list[Arm]:
    """Every measured policy study that has a score, by seed and policy; only runs of one identity are compared."""
    studies = [study for study in reader.studies() if study.name.startswith(f"{POLICIES_MEASURED}-")]
    trials = {study.name: reader.trials(study.name) for study in studies}
    counted = Counter(t.run.identity for known in trials.values() for t in known if t.ranks and t.run)
    if not counted:
        raise DataError("no policy has a score here", "run `make measure policies` first")
    identity = min(counted, key=lambda i: (-counted[i], i))
    entries = [entry for entry in reader.entries() if entry.identity == identity]
    lows = {study.name: _lows(study, trials[study.name], identity) for study in studies}
    goals = {study.spec.seed: lows[study.name][-1][1] for study in studies if _rival(study) and lows[study.name]}
    found = []
    for study in studies:
        if lows[study.name]:
            found.append(_arm(study, trials[study.name], lows[study.name], goals.get(study.spec.seed), entries))
    return sorted(found, key=lambda arm: (arm.seed, arm.policy))


def _rival(study: StudyView) -> bool:
    return study.spec.policy == RIVAL and study.n_done >= study.spec.n_trials


def _lows(study: StudyView, trials: Sequence[TrialView], identity: Identity) -> list[tuple[Fraction, float, str]]:
    """Each new best of the study in order: whole runs spent until then, its val_loss, its fingerprint."""
    found: list[tuple[Fraction, float, str]] = []
    steps = 0
    for t in sorted(trials, key=lambda t: t.number):
        if t.state is not State.REFUSED:
            steps += t.config.budget.steps
        if not t.ranks or t.val_loss is None or t.run is None or t.run.identity != identity:
            continue
        if not found or t.val_loss < found[-1][1]:
            found.append((Fraction(steps, study.spec.budget.steps), t.val_loss, t.fingerprint))
    return found


def _arm(
    study: StudyView,
    trials: Sequence[TrialView],
    lows: Sequence[tuple[Fraction, float, str]],
    goal: float | None,
    entries: Sequence[Entry],
) -> Arm:
    _, best, print_ = lows[-1]
    config = next(t.config for t in trials if t.fingerprint == print_)
    again = {e.seed: e.val_loss for e in entries if e.seed in PUBLISHED_SEEDS and e.config == config}
    reached = None if goal is None else next((float(spent) for spent, low, _ in lows if low <= goal), None)
    spent = sum(t.config.budget.steps for t in trials if t.state is not State.REFUSED)
    return Arm(
        policy=study.spec.policy,
        seed=study.spec.seed,
        best=best,
        confirmed=statistics.fmean(again.values()) if again else None,
        n_confirmed=len(again),
        spent=spent / study.spec.budget.steps,
        to_rival=reached,
    )


def told(found: Sequence[Arm]) -> str:
    """A row for each study, then the mean of each policy over its repetitions."""
    rows = [
        (
            arm.policy, str(arm.seed), number(arm.best), number(arm.confirmed), str(arm.n_confirmed),
            number(arm.spent, 1), number(arm.to_rival, 1),
        )
        for arm in found
    ]  # fmt: skip
    for policy in sorted({arm.policy for arm in found}):
        mine = [arm for arm in found if arm.policy == policy]
        confirmed = [arm.confirmed for arm in mine if arm.confirmed is not None]
        reached = [arm.to_rival for arm in mine if arm.to_rival is not None]
        rows.append(
            (
                policy, f"mean of {len(mine)}", number(statistics.fmean(arm.best for arm in mine)),
                number(statistics.fmean(confirmed) if len(confirmed) == len(mine) else None), "",
                number(statistics.fmean(arm.spent for arm in mine), 1),
                number(statistics.fmean(reached) if len(reached) == len(mine) else None, 1),
            )
        )  # fmt: skip
    columns = ("policy", "seed", "best", "confirmed", "seeds", "runs", f"runs to {RIVAL}'s best")
    return table(columns, rows, frozenset({2, 3, 4, 5, 6}))


def main() -> None:
    try:
        path = Path(sys.argv[1]) if sys.argv[1:] else shipped_store()
        if path is None:
            raise DataError("nothing is shipped", "run `make measure policies` first")
        reader = Reader(path)
        print(told(arms(reader)))  # noqa: T201 - stdout is our output
        print("confirmed: the best config's mean over published seeds; - where it was not run on any")  # noqa: T201
    except ArenaError as wrong:
        say(f"error: {wrong.problem}\nhint: {wrong.hint}")
        sys.exit(2)


if __name__ == "__main__":
    main()
