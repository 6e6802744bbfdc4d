"""Leave one out: the incumbent without each of its techniques in turn, for what each is worth in that company."""

from collections.abc import Iterator

from autoresearch.beliefs import added
from autoresearch.researcher.proposals import Evidence, Proposers, Suggestion
from bench.config import fingerprint, slot_named
from studies.views import TrialView


def leave_one_out(proposers: Proposers, evidence: Evidence, incumbent: TrialView) -> Iterator[Suggestion]:
    """Those not run yet; what has no place without the technique goes with it."""
    space, known = proposers.space, evidence.known
    for slot, picks in incumbent.config.picks.items():
        for pick in picks:
            if slot not in space.division.free or pick.name not in added(incumbent.config, space.base):
                continue
            kept = [p for p in picks if p is not pick] if slot_named(slot).many else space.base.picks[slot]
            params = space.params_for(incumbent.config.replaced(slot, kept))
            config, _ = space.recall(params)
            gone = pick.name not in [p.name for p in config.picks[slot]]
            if gone and fingerprint(config) not in known and not proposers.objections(config):
                yield Suggestion(
                    params=params,
                    proposer="leave-one-out",
                    rule="each technique of the incumbent is left out once",
                    reason=f"trial {incumbent.number} at {incumbent.val_loss:.4f} without {pick.name}",
                    hypothesis=f"without {pick.name} val_loss rises above trial {incumbent.number}'s",
                )
