"""A claim's arms, run on published seeds, judged as the claim says."""

from collections.abc import Mapping
from dataclasses import replace

from autoresearch.noise import Cells, Sample, Together, interaction, pooled_noise
from autoresearch.verdicts import Judgement, Verdict, decide, not_testable, unscored, welch
from bench.records import Reason
from bench.tracks import VerdictRule
from studies.claims import Claim
from studies.views import TrialView, VerdictView

Runs = Mapping[int, TrialView]  # of one arm, by seed


def judged(claim: Claim, runs: Mapping[str, Runs], rule: VerdictRule) -> VerdictView:
    """The verdict on a claim; `runs` has every run of each of its arms, ended."""
    found = _judgement(claim, runs, rule)
    return VerdictView(
        question=claim.name, verdict=found.verdict.value, why=found.why, effect=found.effect, low=found.low,
        high=found.high, p=found.p, n=found.n,
        run_ids={arm: [t.run.id for t in of_arm.values() if t.run] for arm, of_arm in runs.items()},
    )  # fmt: skip


def _judgement(claim: Claim, runs: Mapping[str, Runs], rule: VerdictRule) -> Judgement:
    if claim.untestable:
        return not_testable(claim.untestable)
    every = [trial for of_arm in runs.values() for trial in of_arm.values()]
    if lost := [trial for trial in every if trial.val_loss is None]:
        return unscored([(trial.run.reason if trial.run else None) or Reason.REFUSED for trial in lost], len(every))
    if len(machines := sorted({trial.run.identity.device_class for trial in every if trial.run})) > 1:
        why = f"its runs are of {' and '.join(machines)}, and scores of two kinds of machine are never compared"
        return Judgement(verdict=Verdict.INCONCLUSIVE, why=why)
    samples = {arm: Sample({s: t.val_loss or 0.0 for s, t in of_arm.items()}) for arm, of_arm in runs.items()}
    if claim.cells:
        return contrast(Cells(**dict(zip(_CELLS, (samples[arm] for arm in claim.cells), strict=True))), rule.alpha)
    new, old = samples[claim.new], samples[claim.old]
    margin = claim.margin + claim.share * old.mean
    return with_saving(claim, runs, decide(welch(new, old), replace(rule, margin=margin)))


_CELLS = ("neither", "first", "second", "both")


def contrast(cells: Cells, alpha: float) -> Judgement:
    """ "The first needs the second": together they gain more than the sum of both alone."""
    noise = pooled_noise(cells.all)
    n = min(sample.n for sample in cells.all)
    if noise is None:
        return Judgement(verdict=Verdict.INCONCLUSIVE, why="the cells have no spread to test by", n=n)
    found = interaction(cells, noise, alpha)
    if found.kind is Together.NONE:
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.SUPPORTED if found.kind is Together.SYNERGY else Verdict.REFUTED
    return Judgement(
        verdict=verdict, why=found.why, effect=found.contrast, low=found.low, high=found.high, p=found.p, n=n
    )


def with_saving(claim: Claim, runs: Mapping[str, Runs], found: Judgement) -> Judgement:
    """The other half of a claim that something is saved: a number without noise, so it can only refute."""
    if claim.saving is None:
        return found
    new, old = (_mean(runs[arm], claim.saving.what) for arm in (claim.new, claim.old))
    share = new / old
    said = (
        f"{claim.saving.what} {100 * share:.1f} % of the old arm's, {100 * claim.saving.most:g} % at most as published"
    )
    verdict = Verdict.REFUTED if share > claim.saving.most else found.verdict
    return replace(found, verdict=verdict, why=f"{found.why}; {said}")


def _mean(runs: Runs, what: str) -> float:
    values = [getattr(trial.run, what) for trial in runs.values()]
    return float(sum(values) / len(values))
