"""Sections on the record itself: failures, noise and calibration, predictions, changelog, glossary."""

import math
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime

from autoresearch.listing import outcome_word, why
from autoresearch.ranks import spearman
from autoresearch.reporting.facts import Arm, Facts, loss, noise_told
from autoresearch.reporting.report import (
    DELTA,
    LOSS,
    SECONDS,
    Column,
    Part,
    Row,
    Section,
    Sentence,
    Trials,
    table,
)
from autoresearch.researcher.confirm import PAIRING_FREEDOM, pairing
from autoresearch.researcher.conversation import EVENT, Conversation
from bench.config import fingerprint
from bench.divisions import recipe
from bench.records import State
from studies.views import TrialView

# fewer curves than these have no rank worth naming
CURVES_RANKED = 4
FRACTIONS = (0.1, 0.25, 0.5, 0.75)
MESSAGE = 200

GLOSSARY = (
    ("val_loss", "nats per byte over the track's evaluation bytes, on the model unpacked from its artifact"),
    ("delta, effect", "new minus old, nats per byte; below zero is better"),
    ("trial", "one proposal of the study, #0 the first; run: one config trained with one seed"),
    ("config, recipe", "a technique with its knobs for every slot; a recipe is how a config differs from the baseline"),
    ("seed", "what decides a run's random draws; the same config and seed give the same bits on one kind of machine"),
    ("unconfirmed", "fewer than three seeds: what was seen, not what is so"),
    (
        "noise, sigma",
        "standard deviation of val_loss over seeds: a stack's own, pooled with that of configs that may be as noisy",
    ),
    ("interval", "of 95 %: from noise for means and deltas, of the belief for effects"),
    ("belief", "an effect from one Bayesian linear model over all runs; its priors know published signs, not sizes"),
    ("expected improvement", "gain over the best stack times its probability, nats per byte"),
    (
        "verdict",
        "supported, refuted, inconclusive for a win; needed, neutral, harmful, inconclusive for a technique",
    ),
    (
        "synergy, redundancy, conflict",
        "a pair better than its sum; worse; worse than the better one alone",
    ),
    ("tier", "configs between two of the widest gaps in val_loss"),
    (
        "rung, short run",
        "a complete run of a part of the steps, scored on fewer bytes: it says who climbs, and ranks nothing",
    ),
    ("refused, failed", "not built or over a cap, at no cost; ended without a score, with its reason"),
    ("reference", "a number published elsewhere, on another split or size: never ranked"),
)


def failures(facts: Facts) -> Section:
    """By class with what they cost, then each."""
    title = "Failures by class, with their cost"
    lost = [t for t in facts.trials if t.state in (State.FAILED, State.REFUSED, State.PRUNED)]
    if not lost:
        return Section(title, (Sentence("No trial failed and none was refused."),))
    total = sum(_seconds(t) for t in facts.trials)
    classes: dict[str, list[TrialView]] = {}
    for trial in lost:
        classes.setdefault(outcome_word(trial), []).append(trial)
    rows = []
    for word, members in sorted(classes.items(), key=lambda item: (-sum(map(_seconds, item[1])), item[0])):
        seconds, steps = sum(map(_seconds, members)), sum(t.run.step for t in members if t.run)
        share = seconds / total if total else None
        rows.append(Row((word, len(members), steps, seconds, share), _numbers(members)))
    columns = (
        Column("class"), Column("trials", "d"), Column("steps done", ",d"), Column("train_seconds", SECONDS),
        Column("of all training", ".1%"),
    )  # fmt: skip
    each = [Row((f"#{t.number}", outcome_word(t), _cut(why(t)), recipe(t.config)), (t.number,)) for t in lost]
    listed = table((Column("trial"), Column("class"), Column("message"), Column("recipe")), each)
    return Section(title, (table(columns, rows), listed))


def noise(facts: Facts) -> Section:
    """What a seed alone moves, on which replicates, and how well an early probe ranks."""
    samples = [(arm, sample) for arm in facts.arms for sample in (arm.sample, arm.searched) if sample and sample.n > 1]
    replicated = [arm for arm, _ in samples]
    parts: list[Part] = []
    if facts.noise is None:
        said = "No config has two seeds yet" if not replicated else "Replicates do not differ"
        parts.append(Sentence(f"{said}: {noise_told(facts)}.", _numbers_of(replicated)))
    else:
        found = facts.noise
        parts.append(
            Sentence(
                f"Sigma {found.sigma:.4f} nats/byte at the best stack (95 % interval {found.low:.4f} to "
                f"{found.high:.4f}, {found.df} degrees of freedom). Two single runs differ by chance up to "
                f"{found.single_run_bound:.4f}.",
                _numbers_of(replicated),
            )
        )
        rows = [Row((recipe(a.config), s.n, s.mean, math.sqrt(s.variance)), a.trials) for a, s in samples]
        columns = (Column("recipe"), Column("seeds", "d"), Column("val_loss", LOSS), Column("sd", LOSS))
        parts.append(table(columns, rows))
    return Section("Noise floor and calibration", (*parts, *_pairing(facts), *_calibration(facts)))


def _pairing(facts: Facts) -> tuple[Part, ...]:
    """Whether equal seeds make two configs move together, which is what a paired test would live on."""
    if facts.base is None or facts.base.sample.n < 2:
        return ()
    others = [
        a for a in facts.arms if a is not facts.base and len(a.sample.scores.keys() & facts.base.sample.scores) > 1
    ]
    ratio, freedom = pairing({fingerprint(a.config): a.sample for a in facts.arms}, fingerprint(facts.base.config))
    if ratio is None:
        return (Sentence("No config shares two seeds with the baseline: what pairing gains is not known."),)
    few = f"; below {PAIRING_FREEDOM} it decides nothing" if freedom < PAIRING_FREEDOM else ""
    said = (
        f"Pairing by seed: the variance of a difference is {ratio:.2f} of the two variances' sum (1 says that pairing "
        f"gains nothing), over {freedom} degrees of freedom{few}."
    )
    return (Sentence(said, facts.base.trials + _numbers_of(others)),)


def _calibration(facts: Facts) -> tuple[Part, ...]:
    """How far the probe loss on the way ranks runs as their val_loss does."""
    steps = facts.study.spec.budget.steps
    probed = {n: {p.step: p.probe_loss for p in c if p.probe_loss is not None} for n, c in facts.curves.items()}
    final = {t.number: loss(t) for t in facts.scored}
    at_all = sorted({step for points in probed.values() for step in points})
    wanted = dict.fromkeys(min(at_all, key=lambda s: abs(s - f * steps)) for f in FRACTIONS) if at_all else {}
    rows = []
    for step in wanted:
        having = [n for n in sorted(final) if step in probed[n]]
        early, late = [probed[n][step] for n in having], [final[n] for n in having]
        if len(having) >= CURVES_RANKED and len(set(early)) > 1 and len(set(late)) > 1:
            rows.append(Row((step, len(having), spearman(early, late)), tuple(having)))
    if not rows:
        return (Sentence(f"Fewer than {CURVES_RANKED} curves have probes: how early scores rank is not known."),)
    columns = (Column("step", "d"), Column("runs", "d"), Column("Spearman with val_loss", ".3f"))
    return (Sentence("How the probe loss on the way ranks runs, against their val_loss:"), table(columns, rows))


def predictions(facts: Facts) -> Section:
    """What trials expected and got, and who proposed what became best."""
    # a short run was foretold as a short run, from runs as short
    short = [t for t in facts.trials if t.is_short and t.val_loss is not None]
    foretold = [t for t in (*facts.scored, *short) if t.expected is not None]
    parts: list[Part] = []
    if not foretold:
        parts.append(Sentence("No scored trial stored an expectation."))
    else:
        misses = [loss(t) - (t.expected or 0.0) for t in foretold]
        sizes = statistics.fmean(abs(miss) for miss in misses)
        parts.append(
            Sentence(
                f"{len(foretold)} predictions of val_loss: off by {sizes:.4f} nats/byte in the mean, "
                f"{statistics.fmean(misses):+.4f} with sign (above zero: it came out worse).",
                _numbers(foretold),
            )
        )
        rows = [
            Row((f"#{t.number}", t.expected, t.val_loss, miss, t.hypothesis or t.reason), (t.number,))
            for t, miss in zip(foretold, misses, strict=True)
        ]
        columns = (
            Column("trial"), Column("expected", LOSS), Column("val_loss", LOSS), Column("difference", DELTA),
            Column("hypothesis"),
        )  # fmt: skip
        parts.append(table(columns, rows))
    if facts.trials:
        if (said := Conversation.in_events(facts.events)).facts:
            parts.append(Sentence(f"A language model proposed too: {said.told()}."))
        parts += [Sentence("Who proposed, and how many of these were the lowest when they ended:"), _proposers(facts)]
    return Section("Predictions, and how they came out", tuple(parts))


def _proposers(facts: Facts) -> Part:
    by_name: dict[str, list[TrialView]] = {}
    for trial in facts.trials:
        by_name.setdefault(trial.proposer, []).append(trial)
    best, scored = set(_numbers(facts.records)), set(_numbers(facts.scored))
    rows = [
        Row(
            (
                name,
                len(members),
                sum(t.is_short for t in members) or None,
                len(scored & set(_numbers(members))),
                len(best & set(_numbers(members))),
            ),
            tuple(n for n in _numbers(members) if n in best),
        )
        for name, members in sorted(by_name.items())
    ]
    columns = (
        Column("proposer"), Column("trials", "d"), Column("short", "d"), Column("scored", "d"),
        Column("new bests", "d"),
    )  # fmt: skip
    return table(columns, rows)


def changelog(facts: Facts) -> Section:
    """Every trial in order; where all links to trials lead."""
    if not facts.trials:
        return Section("Changelog", (Sentence("No trial yet."),))
    base, scored = facts.base, set(_numbers(facts.scored))
    rows = []
    for t in facts.trials:
        delta = loss(t) - base.mean if base and t.number in scored else None
        elsewhere = "scored under another identity" if t.number in facts.elsewhere else ""
        elsewhere = f"a short run of {t.config.budget.steps} steps" if t.is_short else elsewhere
        rows.append(
            Row(
                (
                    t.number, _time(t.ended_at or t.created_at), outcome_word(t), t.val_loss, delta,
                    t.run.seed if t.run else None, t.run.train_seconds if t.run else None, recipe(t.config),
                    f"{t.proposer}: {t.reason}", "; ".join(filter(None, (_cut(why(t)), elsewhere))) or None,
                )
            )
        )  # fmt: skip
    columns = (
        Column("trial", "d"), Column("ended, UTC"), Column("state"), Column("val_loss", LOSS), Column("delta", DELTA),
        Column("seed", "d"), Column("train_seconds", SECONDS), Column("recipe"), Column("proposed"), Column("noted"),
    )  # fmt: skip
    # who ran it where is nobody's business: only what ended a session, and when
    told = {e: f", {e.text.partition(chr(10))[0]}" if e.kind in ("ended", EVENT) else "" for e in facts.events}
    happened = [Sentence(f"{_time(e.at)}: {e.kind}{said}.") for e, said in told.items()]
    return Section("Changelog", (table(columns, rows, anchors=True), *happened))


def glossary() -> Section:
    return Section("Glossary", (table((Column("word"), Column("meaning")), [Row(pair) for pair in GLOSSARY]),))


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _cut(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= MESSAGE else one_line[: MESSAGE - 3] + "..."


def _seconds(trial: TrialView) -> float:
    return (trial.run.train_seconds or 0.0) if trial.run else 0.0


def _numbers(trials: Sequence[TrialView]) -> Trials:
    return tuple(t.number for t in trials)


def _numbers_of(arms: Sequence[Arm]) -> Trials:
    return tuple(number for arm in arms for number in arm.trials)
