"""The section on verdicts: what was asked of the ledger, and what it answered."""

from autoresearch.reporting.facts import Facts
from autoresearch.reporting.report import DELTA, Column, Part, Row, Section, Sentence, table


def verdicts(facts: Facts) -> Section:
    """Every verdict with its runs as trials, and how far the phases have come."""
    parts: list[Part] = []
    if not facts.verdicts:
        parts.append(Sentence("No verdict yet: nothing here is shown to be a win."))
    else:
        trials: dict[int, int] = {}
        for t in facts.trials:
            if t.run:
                trials.setdefault(t.run.id, t.number)
        rows = [
            Row(
                (v.question, v.verdict, v.effect, v.low, v.high, v.p, v.n or None, v.why),
                tuple(trials[run] for runs in v.run_ids.values() for run in runs if run in trials),
            )
            for v in facts.verdicts
        ]
        columns = (
            Column("question"), Column("verdict"), Column("effect, nats/byte", DELTA), Column("from", DELTA),
            Column("to", DELTA), Column("p", ".2g"), Column("seeds", "d"), Column("why"),
        )  # fmt: skip
        parts.append(
            Sentence(
                "A win is declared only by confirmation on published seeds. What a technique is to a stack: its effect "
                "is that of leaving it out. Of a pair: its effect is what both do beyond the sum."
            )
        )
        parts.append(table(columns, rows))
    if facts.phases:
        rows = [Row((p.name, p.ended_reason or "under way")) for p in facts.phases]
        parts.append(table((Column("phase"), Column("ended because")), rows))
    return Section("Verdicts", tuple(parts))
