"""The claims as text, as JSON and as Markdown, from a ledger that may hold none, some or all of their runs.

`python -m autoresearch.claims.listing` prints the table of docs/claims.md from what ships.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autoresearch.claims.plan import ClaimsPlan, known_runs
from autoresearch.listing import number, table
from bench.errors import StoreError
from bench.records import State
from bench.tracks import FEATHERWEIGHT
from studies.claims import ARMS, CLAIMS, N_FULL, N_TUNING, POLICY, SHORT, STEPS, STUDY, Arm, Claim, arm_named
from studies.definitions import StudySpec
from studies.measurements import measurements_named
from studies.reading import Reader
from studies.shipped import shipped_store
from studies.views import TrialView, VerdictView

NOT_MEASURED = "not measured yet"
# of one thread, for the estimate of what is left: docs/fighters.md has the baseline's step,
# docs/measurements.md how much of a run of 500 steps its evaluation takes
STEP_SECONDS = 0.4
EVALUATION_STEPS = 80
N_SHORT = N_TUNING - N_FULL


@dataclass(frozen=True, kw_only=True)
class TuningPoint:
    """A tuning trial of an arm: what the curve of a finding is drawn from."""

    lr: float
    weight_decay: float
    steps: int
    val_loss: float | None


@dataclass(frozen=True, kw_only=True)
class ArmRow:
    """How far an arm is: its runs, its tuning, and val_loss by published seed."""

    name: str
    n_done: int
    n_runs: int
    tuning: list[TuningPoint]
    scores: dict[int, float]


@dataclass(frozen=True, kw_only=True)
class ClaimRow:
    """A claim with its verdict, or what is left to run before there is one.

    `untuned` is new minus old, nats per byte, before any tuning: each arm's first short trial, one search seed.
    """

    claim: Claim
    verdict: VerdictView | None
    n_left: int
    untuned: float | None
    artefact: bool  # tuning decides it: as the arms came the finding held, tuned alike it does not

    @property
    def said(self) -> str:
        return self.verdict.verdict if self.verdict else NOT_MEASURED


@dataclass(frozen=True, kw_only=True)
class Found:
    """The whole table, and what is left of it."""

    study: str
    steps: int
    corpus: str
    device_class: str | None
    rows: list[ClaimRow]
    arms: list[ArmRow]

    @property
    def n_left(self) -> int:
        return sum(arm.n_runs - arm.n_done for arm in self.arms)

    @property
    def hours_left(self) -> float:
        """Core hours, from the declared costs of a step."""
        return sum(hours_of(arm_named(a.name), self.steps) * (1 - a.n_done / a.n_runs) for a in self.arms)


def hours_of(arm: Arm, steps: int = STEPS) -> float:
    """Core hours of all runs of an arm in a study of so many steps, where docs/fighters.md was measured."""
    length = arm.steps * steps // STEPS
    n_full = arm.n_runs if arm.untuned else arm.n_runs - N_SHORT
    n_short = arm.n_runs - n_full
    # a short run is scored on the rung's bytes
    part = FEATHERWEIGHT.rung_eval_bytes / FEATHERWEIGHT.eval_bytes
    in_all = n_full * length + n_short * (length // SHORT) + (n_full + part * n_short) * EVALUATION_STEPS
    return in_all * arm.pace * STEP_SECONDS / 3600


def read_claims(path: Path, study: str | None) -> Found:
    """From the ledger's own study, else from what ships; StoreError for a study that is none of claims."""
    for reader in _readers(path):
        names = {view.name for view in reader.studies()}
        if (study or STUDY) in names:
            return found_in(reader, study or STUDY)
        if study is not None:
            # the reader's own error lists the studies
            reader.study(study)
    return found_of(blank(), [], "the real TinyStories sample")


def _readers(path: Path) -> Iterator[Reader]:
    """The ledger, if there is one, then the shipped measurements."""
    if os.path.exists(path):
        yield Reader(path)
    if shipped := shipped_store():
        yield Reader(shipped)


def blank() -> StudySpec:
    """The shipped measurement before anything has run."""
    (measured,) = measurements_named(STUDY)
    return measured.spec("", "", "")


def found_in(reader: Reader, study: str) -> Found:
    spec = reader.study(study).spec
    if spec.policy != POLICY:
        raise StoreError(
            f"study {study} is no test of the claims: its policy is {spec.policy}",
            "begin one with `autoresearch --division open --policy claims`",
        )
    return found_of(spec, reader.trials(study), f"{spec.corpus_name} {spec.corpus_digest[:8]}")


def found_of(spec: StudySpec, trials: Sequence[TrialView], corpus: str) -> Found:
    plan, known = ClaimsPlan(spec), known_runs(trials)
    arms = {arm.name: _arm_row(plan, known, arm) for arm in ARMS}
    classes = sorted({trial.run.identity.device_class for trial in trials if trial.run})
    rows = []
    for claim in CLAIMS:
        verdict = plan.verdict(known, claim)
        untuned = None
        if claim.new and all(arms[name].tuning for name in claim.arms):
            new, old = (arms[name].tuning[0].val_loss for name in (claim.new, claim.old))
            untuned = None if new is None or old is None else new - old
        rows.append(
            ClaimRow(
                claim=claim,
                verdict=verdict,
                n_left=sum(arms[name].n_runs - arms[name].n_done for name in claim.arms),
                untuned=untuned,
                artefact=is_artefact(claim, verdict, untuned, arms, spec.track.usual_noise),
            )
        )
    return Found(
        study=spec.name, steps=spec.budget.steps, corpus=corpus,
        device_class=", ".join(classes) or None, rows=rows, arms=list(arms.values())
    )  # fmt: skip


def is_artefact(
    claim: Claim, verdict: VerdictView | None, untuned: float | None, arms: Mapping[str, ArmRow], noise: float
) -> bool:
    """Whether untuned arms, beyond what two single runs differ by chance, said what tuned ones refute."""
    if verdict is None or verdict.verdict != "refuted" or untuned is None or claim.cells:
        return False
    old = arms[claim.old].tuning[0].val_loss or 0.0
    return untuned < -(claim.margin + claim.share * old) - 2 * noise * 2**0.5


def _arm_row(plan: ClaimsPlan, known: Mapping[tuple[str, int | None], TrialView], arm: Arm) -> ArmRow:
    steps = [(step, known.get(step.name)) for step in plan.plans[arm.name].steps(known)]
    ended = [(step, t) for step, t in steps if t and t.state not in (State.QUEUED, State.RUNNING, State.INTERRUPTED)]
    tuning = []
    for step, trial in ended:
        if step.seed is None:
            config = step.made.config
            knobs = config.pick("optimizer").knobs
            tuning.append(
                TuningPoint(
                    lr=float(knobs["lr"]),
                    weight_decay=float(knobs["weight_decay"]),
                    steps=config.budget.steps,
                    val_loss=trial.val_loss,
                )
            )
    return ArmRow(
        name=arm.name,
        n_done=len(ended),
        n_runs=arm.n_runs,
        tuning=tuning,
        scores={step.seed: t.val_loss for step, t in ended if step.seed is not None and t.val_loss is not None},
    )


def report_json(found: Found) -> dict[str, Any]:
    """Everything as one object; losses in nats per byte."""
    rows = [
        asdict(row.claim)
        | {
            "statistic": row.claim.statistic,
            "cross_budget": row.claim.cross_budget,
            "verdict": row.said,
            "result": row.verdict and asdict(row.verdict),
            "runs_left": row.n_left,
            "untuned_effect": row.untuned,
            "artefact_of_tuning": row.artefact,
        }
        for row in found.rows
    ]
    return {
        "study": found.study, "corpus": found.corpus, "device_class": found.device_class, "claims": rows,
        "arms": [asdict(arm) for arm in found.arms], "runs_left": found.n_left, "core_hours_left": found.hours_left,
    }  # fmt: skip


HEAD = ("claim", "verdict", "effect", "interval", "p", "n", "untuned", "runs left")


def cells(row: ClaimRow) -> tuple[str, ...]:
    found = row.verdict
    interval = (
        f"{found.low:+.4f} to {found.high:+.4f}" if found and found.low is not None and found.high is not None else "-"
    )
    return (
        row.claim.text + (" (cross-budget)" if row.claim.cross_budget else ""),
        row.said + (", an artefact of tuning" if row.artefact else ""),
        number(found.effect if found else None, sign=True),
        interval,
        "-" if found is None or found.p is None else f"{found.p:.2g}",
        str(found.n) if found and found.n else "-",
        number(row.untuned, sign=True),
        str(row.n_left) if row.n_left else "-",
    )


def claims_table(found: Found) -> str:
    """The table for a terminal, then why each was decided so."""
    lines = [table(HEAD, [cells(row) for row in found.rows], frozenset({2, 4, 5, 6, 7})), ""]
    lines += [f"{row.claim.name}: {row.verdict.why}" for row in found.rows if row.verdict]
    lines += ["", footer(found)]
    return "\n".join(lines)


def footer(found: Found) -> str:
    n_runs = sum(arm.n_runs for arm in found.arms)
    said = f"{n_runs - found.n_left} of {n_runs} runs done on {found.corpus}"
    if found.n_left:
        command = "make measure claims" if found.study == STUDY else f"autoresearch resume {found.study}"
        said += f", {found.n_left} left: about {found.hours_left:.1f} core hours; `{command}` goes on"
    reference = "; ".join(f"{loss} at {steps} steps" for steps, loss in FEATHERWEIGHT.published)
    return f"{said}.\nEffects in nats per byte, new minus old; references of the page, never claims: {reference}."


def markdown(found: Found) -> str:
    """The table of docs/claims.md."""
    head = ("claim", "source", "published", "tested by", "verdict", "effect", "interval", "p", "n")
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in found.rows:
        text, verdict, effect, interval, p, n, *_ = cells(row)
        tested = row.claim.untestable or row.claim.statistic
        cut = (text, row.claim.source, row.claim.published, tested, verdict, effect, interval, p, n)
        lines.append(f"| {' | '.join(cut)} |")
    return "\n".join(lines)


def main() -> None:
    shipped = shipped_store()
    found = read_claims(Path() if shipped is None else shipped, None)
    print(f"{markdown(found)}\n\n{footer(found)}")  # noqa: T201 - stdout is our output


if __name__ == "__main__":
    main()
