"""Sections on techniques: effects, interactions, what doesn't work, untried combinations."""

from collections.abc import Iterator

from autoresearch.beliefs import Belief, added
from autoresearch.noise import interaction
from autoresearch.reporting.facts import Facts, mentioned, noise_told
from autoresearch.reporting.patterns import PATTERNS, labels, whole_squares
from autoresearch.reporting.report import (
    DELTA,
    Column,
    Forest,
    Part,
    Row,
    Section,
    Sentence,
    Trials,
    table,
)
from autoresearch.researcher.squares import cells_of
from bench.divisions import names
from bench.records import State

# standard deviations to either side that hold 95 % of a normal posterior
REACH = 1.96
UNTRIED = 10
BASES = 3


def effects(facts: Facts) -> Section:
    """What each technique is worth to the beliefs, and what it did alone on the baseline."""
    title = "Effect per technique"
    found = sorted((facts.beliefs.effect(name) for name in _techniques(facts)), key=lambda b: (b.mean, b.name))
    with_runs = [belief for belief in found if not belief.from_prior]
    priors = [belief for belief in found if belief.from_prior]
    unrun = Sentence(f"By their priors alone, without a run: {len(priors)} techniques.")
    if not with_runs:
        return Section(title, (Sentence("No technique beside the baseline's has a scored run."), unrun))
    n_earlier = len(facts.beliefs.observations) - len({t.run.id for t in facts.scored if t.run})
    earlier = f", and {n_earlier} of earlier studies under the same conditions" if n_earlier else ""
    said = Sentence(
        "Effect on val_loss of putting a technique where the baseline has another or none, each at its best known "
        f"learning rate, from one linear model over all scored runs{earlier}; below zero helps. Here "
        f"{noise_told(facts)}; runs stray from the model by {facts.beliefs.noise_sd:.4f}. An interval holds 95 % of "
        "the belief, and is no test. Alone: the best run with nothing else added, minus the baseline as it stands, so "
        "tuning is in it. " + PATTERNS
    )
    columns = (
        Column("technique"), Column("effect, nats/byte", DELTA), Column("from", DELTA), Column("to", DELTA),
        Column("runs", "d"), Column("alone, to baseline", DELTA), Column("failure pattern"),
    )  # fmt: skip
    rows = [_effect_row(facts, belief) for belief in with_runs]
    forest = Forest(
        alt="Effects with 95 % intervals, nats per byte: " + ", ".join(f"{b.name} {b.mean:+.4f}" for b in with_runs),
        effects=tuple((b.name, b.mean, b.mean - REACH * b.sd, b.mean + REACH * b.sd, b.n_runs) for b in with_runs),
    )
    return Section(title, (said, table(columns, rows), forest, unrun))


def _effect_row(facts: Facts, belief: Belief) -> Row:
    alone = next((arm for arm in facts.arms if added(arm.config, facts.beliefs.base) == [belief.name]), None)
    delta = alone.mean - facts.base.mean if alone and facts.base else None
    reach = REACH * belief.sd
    return Row(
        (
            belief.name, belief.mean, belief.mean - reach, belief.mean + reach, belief.n_runs, delta,
            "; ".join(labels(facts, belief)) or None,
        ),
        _with(facts, {belief.name}),
    )  # fmt: skip


def _techniques(facts: Facts) -> list[str]:
    return [term[0] for term in facts.beliefs.terms if len(term) == 1 and "." not in term[0]]


def _with(facts: Facts, wanted: set[str]) -> Trials:
    """The scored trials that have all of these, the best first."""
    found = [arm for arm in facts.arms if wanted <= set(added(arm.config, facts.beliefs.base))]
    return tuple(number for arm in found for number in arm.trials)


def interactions(facts: Facts) -> Section:
    """Pairs in the beliefs that have runs, and every 2x2 that the ledger holds whole."""
    parts: list[Part] = []
    pairs = [(a, b, facts.beliefs.pair(a, b)) for a, b in facts.beliefs.pairs()]
    rows = [
        Row((f"{a} and {b}", p.mean, p.mean - REACH * p.sd, p.mean + REACH * p.sd, p.n_runs), _with(facts, {a, b}))
        for a, b, p in pairs
        if p is not None and not p.from_prior
    ]
    if rows:
        parts.append(Sentence("Suspicious pairs: what two do beyond the sum of their effects, as believed."))
        columns = (
            Column("pair"), Column("beyond the sum, nats/byte", DELTA), Column("from", DELTA), Column("to", DELTA),
            Column("runs", "d"),
        )  # fmt: skip
        parts.append(table(columns, rows))
    if squares := sorted(_squares(facts), key=lambda row: (str(row.cells[0]), row.trials)):
        parts.append(
            Sentence("Whole 2x2 cells, all else equal: both - first - second + neither; below zero is synergy.")
        )
        heads = (Column("pair"), Column("contrast, nats/byte", DELTA), Column("kind"), Column("why"))
        parts.append(table(heads, squares))
    return Section("Interactions", tuple(parts) or (Sentence("No pair of techniques has runs to tell by."),))


def _squares(facts: Facts) -> Iterator[Row]:
    for found in whole_squares(facts):
        trials = tuple(n for print_ in found.prints for n in facts.by_print[print_].trials)
        called = f"{found.first} and {found.second}"
        cells = cells_of(found, {print_: arm.sample for print_, arm in facts.by_print.items()})
        assert cells is not None, "it is whole"
        contrast = cells.both.mean - cells.first.mean - cells.second.mean + cells.neither.mean
        if (noise := facts.noise_of(*cells.all)) is None:
            yield Row((called, contrast, "-", "noise is not known"), trials)
        else:
            said = interaction(cells, noise, facts.study.spec.track.rules[0].alpha)
            yield Row((called, said.contrast, said.kind.value, said.why), trials)


def not_working(facts: Facts) -> Section:
    """Techniques believed to harm, and those whose every trial ended without a score; with the base of each."""
    harmful, lost = [], []
    for name in _techniques(facts):
        belief = facts.beliefs.effect(name)
        trials = [t for t in facts.trials if name in added(t.config, facts.beliefs.base)]
        ended = [t for t in trials if t.state in (State.FAILED, State.REFUSED)]
        if not belief.from_prior and belief.mean - REACH * belief.sd > 0:
            bases = _bases(facts, name)
            harmful.append(Row((name, belief.mean, belief.mean - REACH * belief.sd, bases), _with(facts, {name})))
        if ended and not any(t.val_loss is not None for t in trials):
            reasons = sorted({t.run.reason.value if t.run and t.run.reason else t.state.value for t in ended})
            lost.append(Row((name, len(ended), ", ".join(reasons)), tuple(t.number for t in ended)))
    parts: list[Part] = []
    if harmful:
        columns = (
            Column("technique"), Column("effect, nats/byte", DELTA), Column("at least", DELTA), Column("measured on"),
        )  # fmt: skip
        parts += [
            Sentence(
                "Worse than what the baseline has, each at its best learning rate, the whole 95 % interval above zero:"
            ),
            table(columns, sorted(harmful, key=lambda row: str(row.cells[0]))),
        ]
    if lost:
        heads = (Column("technique"), Column("trials", "d"), Column("ended"))
        parts += [Sentence("Never scored here:"), table(heads, lost)]
    return Section("What doesn't work, and on which base", tuple(parts) or (Sentence("Nothing is shown to harm yet."),))


def _bases(facts: Facts, name: str) -> str:
    """What else the stacks that hold a technique have beyond the baseline."""
    found: dict[str, None] = {}
    earlier = [o.config for o in facts.beliefs.observations]
    for config in (*(arm.config for arm in facts.arms), *earlier):
        present = added(config, facts.beliefs.base)
        if name in present:
            found.setdefault(" + ".join(other for other in present if other != name) or "the baseline")
    more = f" and {len(found) - BASES} more" if len(found) > BASES else ""
    return "; ".join(list(found)[:BASES]) + more


def untried(facts: Facts) -> Section:
    """The stacks nobody ran, by expected improvement on the best."""
    found = facts.untried(facts.best, UNTRIED, ideas=True)
    if not found:
        return Section("Untried combinations", (Sentence("Nothing near the best stack is untried in this division."),))
    where = "the best stack" if facts.arms else "the baseline, for want of a score"
    said = Sentence(
        f"One or two edits from {where}, the {len(found)} of highest expected improvement (gain times its chance, less "
        f"for what tends to fail); {noise_told(facts)}. Knobs as in each technique's best run, else its defaults."
    )
    columns = (
        Column("change"), Column("expected, nats/byte", DELTA), Column("sd", ".4f"), Column("value", ".5f"),
        Column("can run"), Column("because"),
    )  # fmt: skip
    rows = [
        Row(
            (u.change, u.mean, u.sd, u.value, "yes" if u.runnable else "idea", u.reason.removeprefix(f"{u.change}: ")),
            mentioned(u.reason, facts),
        )
        for u in found
    ]
    stack = " + ".join(names((pick,)) for picks in facts.best.picks.values() for pick in picks)
    return Section(
        "Untried combinations", (said, Sentence(f"The stack they start from: {stack}."), table(columns, rows))
    )
