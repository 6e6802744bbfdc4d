"""The two ways in which contestants' techniques most often failed, computed: a step that grows slower than it grows
better, and a technique that does what another already does."""

import math
import statistics
from collections.abc import Iterator

from autoresearch.beliefs import Belief, added, stack_of
from autoresearch.noise import Together, interaction
from autoresearch.reporting.facts import Facts
from autoresearch.researcher.squares import Square, cells_of, square, without

PATTERNS = (
    "Failure patterns: `slower` where the gain is below what the time would buy the baseline in further steps, by the "
    "slope of its probe loss over the last half of its run (at a fixed number of steps that decides nothing); "
    "`redundant` or `conflict` with another technique where a whole 2x2 shows it."
)
# a shared machine moves step times by about this much
SLOWER = 1.05


def labels(facts: Facts, belief: Belief) -> Iterator[str]:
    """Of one technique."""
    ratio, worth = time_ratio(facts, belief.name), nats_per_log_step(facts)
    if ratio is not None and worth is not None and ratio > SLOWER and 0 < -belief.mean < worth * math.log(ratio):
        yield f"slower: {100 * (ratio - 1):.0f} % a step is worth {worth * math.log(ratio):.4f} nats/byte"
    samples = {print_: arm.sample for print_, arm in facts.by_print.items()}
    for found in whole_squares(facts):
        if belief.name not in (found.first, found.second) or (cells := cells_of(found, samples)) is None:
            continue
        if noise := facts.noise_of(*cells.all):
            kind = interaction(cells, noise, facts.study.spec.track.rules[0].alpha).kind
            other = found.second if belief.name == found.first else found.first
            if kind in (Together.REDUNDANCY, Together.CONFLICT):
                yield f"{'redundant' if kind is Together.REDUNDANCY else 'conflict'} with {other}"


def time_ratio(facts: Facts, name: str) -> float | None:
    """Training seconds with a technique over those without it, the median over stacks that were run both ways."""
    seconds: dict[frozenset[tuple[str, str]], list[float]] = {}
    for arm in facts.arms:
        measured = [run.train_seconds for run in arm.runs if run.train_seconds]
        seconds.setdefault(stack_of(arm.config), []).extend(measured)
    base = facts.beliefs.base
    ratios = {}
    for arm in facts.arms:
        if name in added(arm.config, base):
            having = stack_of(arm.config)
            if seconds[having] and (lacking := seconds.get(stack_of(without(arm.config, [name], base)))):
                ratios[having] = statistics.median(seconds[having]) / statistics.median(lacking)
    return statistics.median(ratios.values()) if ratios else None


def nats_per_log_step(facts: Facts) -> float | None:
    """How fast the baseline still learns: its probe loss's fall over the last half of its run, per e-fold of steps."""
    if facts.base is None:
        return None
    probed = [(p.step, p.probe_loss) for p in facts.curves[facts.base.trials[0]] if p.probe_loss is not None]
    late = [(step, probe) for step, probe in probed if 2 * step >= facts.study.spec.budget.steps]
    if len(late) < 2:
        return None
    (first, before), (last, after) = late[0], late[-1]
    return max(0.0, (before - after) / math.log(last / first))


def whole_squares(facts: Facts) -> list[Square]:
    """Every 2x2 of which all four corners have scores."""
    base, found = facts.beliefs.base, []
    for both in facts.arms:
        present = added(both.config, base)
        for i, first in enumerate(present):
            for second in present[i + 1 :]:
                made = square(both.config, first, second, base)
                if made is not None and all(print_ in facts.by_print for print_ in made.prints):
                    found.append(made)
    return found
