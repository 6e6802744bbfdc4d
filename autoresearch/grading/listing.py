"""A graded fighter and the belts as text."""

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from autoresearch.listing import number, table
from bench.divisions import division_named, recipe
from studies.views import BeltView

if TYPE_CHECKING:
    # only graded fighters need what trains them
    from autoresearch.grading.grade import Grade


def grade_text(found: "Grade", belts: Sequence[BeltView]) -> str:
    """Scores, verdict and cost of the fighter, then the belts at its steps."""
    lines = [f"{found.fighter}, {found.division}, {found.steps} steps: {found.said}"]
    if found.scores:
        each = ", ".join(f"{seed} {loss:.4f}" for seed, loss in found.scores.items())
        losses = list(found.scores.values())
        lines.append(f"val_loss {fmean(losses):.4f} sd {stdev(losses):.4f} over seeds {each}")
    if found.audits:
        gaps = [audit.gap for audit in found.audits]
        mark = "FLAGGED: " if found.audits[0].flagged else ""
        lines.append(
            f"audit {fmean(audit.val_loss for audit in found.audits):.4f}, {fmean(gaps):+.4f} of val_loss; "
            f"{mark}{found.audits[0].why}"
        )
    cost = ", ".join(f"{name.replace('_', ' ')} {value:,.0f}" for name, value in found.cost.items())
    lines += [f"cost of a run: {cost}", f"curve: `arena --study {found.study}`"]
    shown = [belt for belt in belts if belt.identity.steps == found.steps]
    return "\n".join([*lines, *(["", belts_table(shown)] if shown else [])])


def belts_table(belts: Sequence[BeltView]) -> str:
    """Who holds what; the champion is the best belt of its identity."""
    rows = [
        (
            belt.division,
            str(belt.identity.steps),
            belt.identity.corpus_digest[:8],
            belt.identity.device_class,
            division_named(belt.division).label(belt.config),
            number(belt.val_loss),
            str(len(belt.scores)),
            "champion" if belt.champion else "",
            recipe(belt.config) if not belt.config.brings_code else belt.config.pick("mixer").label,
        )
        for belt in belts
    ]
    head = ("belt", "steps", "corpus", "device", "holder", "val_loss", "seeds", "", "recipe")
    return table(head, rows, frozenset({1, 5, 6}))
