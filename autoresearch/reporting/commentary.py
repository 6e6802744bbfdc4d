"""The commentary on a study: every section, generated from the facts of the ledger alone."""

from autoresearch.reporting import costs, evidence, proof, record, rungs, stacks, tiers
from autoresearch.reporting.facts import Facts
from autoresearch.reporting.report import Report


def commentary(facts: Facts) -> Report:
    """The same facts give the same report."""
    sections = (
        stacks.glance(facts),
        stacks.best_stacks(facts),
        proof.verdicts(facts),
        tiers.tiers(facts),
        evidence.untried(facts),
        evidence.not_working(facts),
        evidence.interactions(facts),
        evidence.effects(facts),
        *rungs.short_runs(facts),
        stacks.lineage(facts),
        record.failures(facts),
        costs.costs(facts),
        record.noise(facts),
        record.predictions(facts),
        record.changelog(facts),
        record.glossary(),
    )
    return Report(study=facts.study.name, as_of=facts.as_of, sections=sections)
