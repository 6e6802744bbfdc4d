"""What the champion is made of: `python -m autoresearch.ablation [LEDGER]`, on what `make measure ablation` ran.

The table of docs/measurements.md: the stack and the same without each of its techniques, on published seeds.
Losses in nats per byte.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from autoresearch.grading.grade import in_order
from autoresearch.listing import number
from autoresearch.noise import Noise, Sample, pooled_noise
from autoresearch.verdicts import place_in_stack, unscored, welch
from bench.errors import ArenaError, DataError
from bench.records import Reason, State
from bench.tracks import VerdictRule, track_named
from studies.belts import ABLATION, CHAMPION, CHAMPIONS_STUDY, LEFT_OUT, SEEDS
from studies.reading import Reader
from studies.shipped import shipped_store
from studies.views import TrialView, under_latest_conditions

RUN_IT = "run `make measure ablation`, as often as it takes"
NOT_MEASURED = "not measured yet"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A technique of the stack: the stack without it, compared with the whole."""

    technique: str
    whole: Sample
    rest: Sample | None  # None while it has runs to come, or lost one
    verdict: str
    why: str
    interval: tuple[float, float] | None = None  # of the effect, at the rule's alpha

    @property
    def effect(self) -> float | None:
        """Of dropping it: the mean without minus the mean with."""
        return None if self.rest is None else self.rest.mean - self.whole.mean


def parts(reader: Reader) -> list[Part]:
    """Every technique in turn; DataError while the stack itself has not all its scores."""
    known = {study.name for study in reader.studies()}
    own = under_latest_conditions(reader.trials(CHAMPIONS_STUDY)) if CHAMPIONS_STUDY in known else []
    identity = next((trial.run.identity for trial in own if trial.run), None)
    whole = sample_of(own)
    if identity is None or whole is None:
        raise DataError(f"{CHAMPION} has not all its scores on the published seeds", RUN_IT)
    ended = {}
    for technique in LEFT_OUT:
        study = f"{ABLATION}-{technique}"
        trials = reader.trials(study) if study in known else []
        # of the same machine and steps: scores of two identities are never compared
        ended[technique] = [t for t in trials if t.run is not None and t.run.identity == identity]
    rests = {technique: sample for technique, trials in ended.items() if (sample := sample_of(trials))}
    noise = pooled_noise([whole, *rests.values()])
    rule = track_named(identity.track).rules[0]
    return [
        judged(technique, whole, rests[technique], noise, rule)
        if technique in rests
        else unjudged(technique, whole, trials)
        for technique, trials in ended.items()
    ]


def sample_of(trials: Sequence[TrialView]) -> Sample | None:
    """The scores of the track's first seeds; None while there are fewer than were asked for."""
    scores = in_order({t.seed: t.val_loss for t in trials if t.seed is not None and t.val_loss is not None})
    return Sample(scores) if len(scores) >= SEEDS else None


def judged(technique: str, whole: Sample, rest: Sample, noise: Noise | None, rule: VerdictRule) -> Part:
    """By the track's own test, since every arm has the seeds for it."""
    compared = welch(rest, whole)
    # what a lone run could not show is not worth a technique; nor is less than the margin
    tolerance = max(rule.margin, noise.single_run_bound if noise else 0.0)
    placing = place_in_stack(compared, rule, tolerance)
    return Part(
        technique=technique, whole=whole, rest=rest, verdict=placing.place.value, why=placing.why,
        interval=compared.interval(rule.alpha),
    )  # fmt: skip


def unjudged(technique: str, whole: Sample, trials: Sequence[TrialView]) -> Part:
    lost = [t.run.reason or Reason.CRASHED for t in trials if t.run and t.state is State.FAILED]
    if lost:
        found = unscored(lost, len(trials))
        return Part(technique=technique, whole=whole, rest=None, verdict=found.verdict.value, why=found.why)
    n_left = SEEDS - sum(t.val_loss is not None for t in trials)
    why = f"{n_left} of {SEEDS} runs are left: {RUN_IT}"
    return Part(technique=technique, whole=whole, rest=None, verdict=NOT_MEASURED, why=why)


HEAD = "| technique | with | without | effect | interval | seeds | verdict |\n|---|---|---|---|---|---|---|"


def markdown(found: Sequence[Part]) -> str:
    """The table of docs/measurements.md."""
    return "\n".join([HEAD, *(row(part) for part in found)])


def row(part: Part) -> str:
    interval = "-" if part.interval is None else f"{part.interval[0]:+.4f} to {part.interval[1]:+.4f}"
    cells = (
        part.technique, number(part.whole.mean), number(part.rest.mean if part.rest else None),
        number(part.effect, sign=True), interval, str(part.rest.n) if part.rest else "-", part.verdict,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def ablation(ledger: Annotated[Path | None, typer.Argument(help="instead of what ships")] = None) -> None:
    """The table, then why each verdict is what it is."""
    try:
        path = ledger or shipped_store()
        if path is None:
            raise DataError("nothing is shipped", RUN_IT)
        found = parts(Reader(path))
    except ArenaError as wrong:
        typer.echo(f"error: {wrong.problem}\nhint: {wrong.hint}", err=True)
        raise typer.Exit(2) from wrong
    typer.echo("\n".join([markdown(found), "", *(f"{part.technique}: {part.why}" for part in found)]))


if __name__ == "__main__":
    typer.run(ablation)
