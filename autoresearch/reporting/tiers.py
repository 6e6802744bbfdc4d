"""The section on tiers: where the scores fall apart into groups, and what differs between neighbours."""

import statistics
from collections.abc import Sequence
from itertools import pairwise

from autoresearch.reporting.facts import Arm, Facts, mentioned, names_of
from autoresearch.reporting.report import LOSS, Column, Part, Row, Section, Sentence, Trials, table
from bench.divisions import recipe
from bench.knobs import short

# without noise, a gap between neighbours this many times the median one parts two tiers
GAP_RATIO = 5.0
MOST_CUTS = 3
# techniques whose share differs by this much, knobs whose order separates this well
SHARE, RANKED = 0.5, 0.8
RUNS_FOR_KNOB = 3


def tiers(facts: Facts) -> Section:
    """Where the scores fall apart into groups, what differs between neighbours, and the best step from each."""
    title = "Tiers: what separates them, and what to do from there"
    if len(facts.arms) < 2:
        return Section(title, (Sentence("Fewer than two configs have a score: there are no tiers."),))
    groups = _groups(facts)
    rows = [
        Row((at, len(g), g[0].mean, g[-1].mean, recipe(g[0].config)), g[0].trials)
        for at, g in enumerate(groups, start=1)
    ]
    columns = (
        Column("tier", "d"), Column("configs", "d"), Column("best val_loss", LOSS), Column("worst val_loss", LOSS),
        Column("its best recipe"),
    )  # fmt: skip
    rule = (
        f"wider than the {facts.noise.single_run_bound:.4f} nats/byte that two single runs differ by chance"
        if facts.noise
        else f"over {GAP_RATIO:g} times the median gap (noise is not known, so a gap is no proof)"
    )
    parts: list[Part] = [Sentence(f"Tiers part at the at most {MOST_CUTS} widest gaps {rule}."), table(columns, rows)]
    for at, (upper, lower) in enumerate(pairwise(groups), start=1):
        parts.append(
            Sentence(f"Tier {at} against tier {at + 1}: {separation(upper, lower)}.", _trials(upper) + _trials(lower))
        )
    for at, group in enumerate(groups, start=1):
        for found in facts.untried(group[0].config, 1, ideas=False):
            parts.append(Sentence(f"From tier {at}'s best: {found.reason}.", mentioned(found.reason, facts)))
    return Section(title, tuple(parts))


def _groups(facts: Facts) -> list[Sequence[Arm]]:
    gaps = [two.mean - one.mean for one, two in pairwise(facts.arms)]
    least = facts.noise.single_run_bound if facts.noise else GAP_RATIO * statistics.median(gaps)
    widest = sorted((i for i, gap in enumerate(gaps) if gap > least), key=lambda i: (-gaps[i], i))[:MOST_CUTS]
    edges = [0, *(i + 1 for i in sorted(widest)), len(facts.arms)]
    return [facts.arms[a:b] for a, b in pairwise(edges)]


def separation(upper: Sequence[Arm], lower: Sequence[Arm]) -> str:
    """The techniques that one has and the other has not, else the knobs of shared ones whose values part them."""
    found = []
    for name in sorted({name for arm in (*upper, *lower) for name in names_of(arm.config)}):
        above, below = (sum(name in names_of(arm.config) for arm in group) for group in (upper, lower))
        if abs(above / len(upper) - below / len(lower)) >= SHARE:
            found.append(f"{name} in {above} of {len(upper)} above and {below} of {len(lower)} below")
    for name, (one, two) in sorted(_knobs(upper, lower).items()):
        if min(len(one), len(two)) >= RUNS_FOR_KNOB:
            higher = sum((a > b) + (a == b) / 2 for a in one for b in two) / (len(one) * len(two))
            if max(higher, 1 - higher) >= RANKED:
                middles = short({"above": statistics.median(one)}), short({"below": statistics.median(two)})
                found.append(f"{name} at the median {middles[0].replace('=', ' ')}, {middles[1].replace('=', ' ')}")
    return "; ".join(found) or "no technique and no knob separates them clearly"


def _knobs(upper: Sequence[Arm], lower: Sequence[Arm]) -> dict[str, tuple[list[float], list[float]]]:
    values: dict[str, tuple[list[float], list[float]]] = {}
    for side, group in enumerate((upper, lower)):
        for arm in group:
            for picks in arm.config.picks.values():
                for pick in picks:
                    for knob, value in pick.shown.items():
                        if isinstance(value, (int, float)) and not isinstance(value, bool):
                            values.setdefault(f"{pick.label}.{knob}", ([], []))[side].append(value)
    return values


def _trials(arms: Sequence[Arm]) -> Trials:
    return tuple(sorted(number for arm in arms for number in arm.trials))
