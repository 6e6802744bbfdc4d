"""Sections on what scored: at a glance, best stacks, lineage."""

import math
import statistics
from collections.abc import Iterator

from scipy.special import stdtrit

from autoresearch.noise import Sample
from autoresearch.reporting.facts import LEVEL, Arm, Facts, loss, mentioned, names_of
from autoresearch.reporting.report import (
    COUNT,
    DELTA,
    LOSS,
    SECONDS,
    Column,
    Curves,
    Part,
    Row,
    Section,
    Sentence,
    Trace,
    table,
)
from autoresearch.verdicts import pooled
from bench.config import RunConfig
from bench.divisions import differences, recipe
from bench.records import State

BEST = 10
CURVES = 4
NO_SCORE = Sentence("No trial has a score yet.")


def glance(facts: Facts) -> Section:
    """The answer to: what is best, is it really better, what next."""
    parts: list[Part] = [_setting(facts), _counts(facts)]
    if facts.arms:
        parts += [_leader(facts), _distance(facts), *_references(facts), *_next(facts), _trace(facts)]
    else:
        parts.append(NO_SCORE)
    return Section("At a glance", tuple(parts))


def _setting(facts: Facts) -> Sentence:
    spec = facts.study.spec
    budget = spec.budget
    machine = f", on {facts.identity.device_class}" if facts.identity else ""
    others = f" Scored elsewhere and compared with nothing here: {len(facts.elsewhere)}." if facts.elsewhere else ""
    return Sentence(
        f"{spec.track_name}, division {spec.division_name}: {spec.division.question} {budget.steps} steps of "
        f"{budget.batch} x {budget.seq_len} bytes on {spec.corpus_name} ({spec.corpus_digest[:8]}){machine}.{others}",
        facts.elsewhere,
    )


def _counts(facts: Facts) -> Sentence:
    counts = [f"{n} {state.value}" for state in State if (n := sum(t.state is state for t in facts.trials))]
    seconds = sum(t.run.train_seconds or 0.0 for t in facts.trials if t.run)
    said = f": {', '.join(counts)}" if counts else ""
    short = sum(t.is_short for t in facts.trials)
    of_these = f", {short} of them short runs" if short else ""
    return Sentence(f"{len(facts.trials)} trials{of_these}{said}; {seconds:,.0f} s of training in all.")


def _leader(facts: Facts) -> Sentence:
    best, base = facts.arms[0], facts.base
    said = f"Best: val_loss {best.mean:.4f} nats/byte ({best.mean / math.log(2):.4f} bits/byte), {recipe(best.config)}"
    if base is None:
        beside = "the baseline has no score, so there are no deltas"
    elif base is best:
        beside = "it is the baseline itself"
    else:
        beside = f"{best.mean - base.mean:+.4f} to the baseline's {base.mean:.4f}"
    trials = best.trials + (base.trials if base and base is not best else ())
    return Sentence(f"{said}; {beside}; {best.status}.", trials)


def _distance(facts: Facts) -> Sentence:
    """Of the best two, in noise."""
    if len(facts.arms) < 2:
        return Sentence("It is the only config with a score.", facts.arms[0].trials)
    one, two = facts.arms[:2]
    said = f"The next config is {two.mean - one.mean:+.4f} behind"
    if (noise := facts.noise_of(one.sample, two.sample)) is None:
        text = f"{said}; no config has two seeds that differ, so noise is not known, and neither is what that means."
    else:
        found = pooled(one.sample, two.sample, noise).interval((1 - LEVEL) / 2)
        assert found is not None, "pooled noise gives an interval"
        real = "a difference beyond noise" if found[1] < 0 else "within noise"
        text = f"{said}: {real}, 95 % interval of the best minus the next {found[0]:+.4f} to {found[1]:+.4f}."
    return Sentence(f"{text} A win is declared only by confirmation on fresh seeds.", one.trials + two.trials)


def _references(facts: Facts) -> Iterator[Sentence]:
    for steps, val_loss in facts.study.spec.track.published:
        if steps == facts.study.spec.budget.steps:
            yield Sentence(
                f"Published elsewhere for {steps} steps: {val_loss:.4f} nats/byte on a split and a size not stated: "
                "a reference, never ranked."
            )


def _next(facts: Facts) -> Iterator[Sentence]:
    for found in facts.untried(facts.best, 1, ideas=False):
        yield Sentence(f"Most valuable untried step: {found.reason}.", mentioned(found.reason, facts))


def _trace(facts: Facts) -> Trace:
    lines = [("baseline", facts.base.mean)] if facts.base else []
    lines += [("published", v) for s, v in facts.study.spec.track.published if s == facts.study.spec.budget.steps]
    lost = tuple(t.number for t in facts.failed)
    refused = tuple(t.number for t in facts.trials if t.state is State.REFUSED)
    best: list[tuple[int, float]] = []
    for trial in facts.scored:
        if not best or loss(trial) < best[-1][1]:
            best.append((trial.number, loss(trial)))
    return Trace(
        alt=f"val_loss of {len(facts.scored)} scored trials by number; the best so far went from {best[0][1]:.4f} "
        f"(#{best[0][0]}) to {best[-1][1]:.4f} (#{best[-1][0]}); {len(lost)} failed and {len(refused)} were refused",
        scored=tuple((t.number, loss(t)) for t in facts.scored),
        best=tuple(best),
        failed=lost,
        refused=refused,
        lines=tuple(lines),
    )


def best_stacks(facts: Facts) -> Section:
    """The lowest configs with seeds and intervals, and the curves of the best few."""
    if not facts.arms:
        return Section("Best stacks", (NO_SCORE,))
    columns = (
        Column("rank", "d"), Column("recipe, against the baseline"), Column("val_loss, nats/byte", LOSS),
        Column("from", LOSS), Column("to", LOSS), Column("sd over seeds", LOSS), Column("seeds", "d"),
        Column("searched", LOSS),
        Column("delta to baseline", DELTA), Column("delta from", DELTA), Column("delta to", DELTA), Column("status"),
        Column("weights_bytes", COUNT), Column("parameters", COUNT), Column("train_seconds", SECONDS),
    )  # fmt: skip
    rows = [_stack_row(facts, rank, arm) for rank, arm in enumerate(facts.arms[:BEST], start=1)]
    if facts.noise:
        told = "from and to: 95 % intervals, from an arm's own replicates and those of configs that may be as noisy"
    else:
        told = "no config has two seeds that differ, so there are no intervals"
    said = Sentence(
        f"{min(BEST, len(facts.arms))} of {len(facts.arms)} scored configs; lower is better; below 3 seeds a row is "
        f"unconfirmed; {told}. The best of many single runs looks better than it is, so that a config run on published "
        "seeds is ranked by these alone; searched is what its search seeds said."
    )
    return Section("Best stacks", (said, table(columns, rows), *_curves(facts)))


def _stack_row(facts: Facts, rank: int, arm: Arm) -> Row:
    base, noise, n = facts.base, facts.noise_of(arm.sample), arm.sample.n
    reach = None if noise is None else -float(stdtrit(noise.df, (1 - LEVEL) / 2)) * noise.sigma / math.sqrt(n)
    delta = arm.mean - base.mean if base and base is not arm else None
    low, high = _interval(facts, arm.sample, base.sample) if base and delta else (None, None)
    first = arm.runs[0]
    seconds = [run.train_seconds for run in arm.runs if run.train_seconds is not None]
    return Row(
        (
            rank, recipe(arm.config), arm.mean, None if reach is None else arm.mean - reach,
            None if reach is None else arm.mean + reach, math.sqrt(arm.sample.variance) if n > 1 else None, n,
            arm.searched.mean if arm.searched else None, delta, low, high, arm.status,
            first.weights_bytes, first.parameters, statistics.fmean(seconds) if seconds else None,
        ),
        arm.trials + arm.failed,
    )  # fmt: skip


def _interval(facts: Facts, new: Sample, old: Sample) -> tuple[float | None, float | None]:
    """Of the difference of two arms."""
    noise = facts.noise_of(new, old)
    return (pooled(new, old, noise).interval((1 - LEVEL) / 2) if noise else None) or (None, None)


def _curves(facts: Facts) -> Iterator[Curves]:
    series = []
    for arm in facts.arms[:CURVES]:
        points = facts.curves[arm.trials[0]]
        drawn = [(p.step, p.probe_loss) for p in points if p.probe_loss is not None]
        drawn = drawn or [(p.step, p.train_loss) for p in points]
        if drawn:
            series.append((arm.trials[0], tuple(drawn)))
    if series:
        named = ", ".join(f"#{number} ends at {points[-1][1]:.4f}" for number, points in series)
        yield Curves(alt=f"Probe loss over steps of the best configs, nats per byte; {named}", series=tuple(series))


def lineage(facts: Facts) -> Section:
    """Each trial that was the lowest when it ended, and what it changed."""
    if not facts.records:
        return Section("Lineage", (NO_SCORE,))
    rows = []
    for before, trial in zip((None, *facts.records), facts.records, strict=False):
        changed = recipe(trial.config) if before is None else _change(trial.config, before.config)
        step = None if before is None else loss(trial) - loss(before)
        rows.append(
            Row(
                (f"#{trial.number}", loss(trial), step, changed, trial.proposer, trial.reason),
                (trial.number,) if before is None else (before.number, trial.number),
            )
        )
    columns = (
        Column("trial"), Column("val_loss, nats/byte", LOSS), Column("gain on the last", DELTA),
        Column("what it changed"), Column("proposed by"), Column("because"),
    )  # fmt: skip
    said = Sentence("Each trial that was the lowest when it ended; single runs, so a small step may be luck.")
    return Section("Lineage", (said, table(columns, rows)))


def _change(config: RunConfig, before: RunConfig) -> str:
    now = " ".join(text for _, text in differences(config, before))
    gone = sorted(names_of(before) - names_of(config))
    return " ".join([*([now] if now else []), *(f"-{name}" for name in gone)]) or "another seed"
