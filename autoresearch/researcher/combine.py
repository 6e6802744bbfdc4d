"""Combine: what helped apart, joined on the incumbent; and 2x2 cells, for the pairs that may not add up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from autoresearch.beliefs import Beliefs, added
from autoresearch.noise import noise_of
from autoresearch.researcher.proposals import Evidence, Proposers, Suggestion
from autoresearch.researcher.squares import Square, cells_of, pair_verdict, square
from autoresearch.researcher.untried import Edit, best_knobs, edited
from bench.config import RunConfig, fingerprint, slot_named
from bench.records import State
from bench.tracks import PUBLISHED_SEEDS
from studies.views import TrialView, VerdictView

MOST_JOINED = 2


@dataclass(frozen=True, kw_only=True)
class Combine:
    """What the runs `before` this phase make likely; its own trials only fill in what was decided then."""

    proposers: Proposers
    before: Evidence
    beliefs: Beliefs  # from that evidence
    trials: Sequence[TrialView]

    @cached_property
    def known(self) -> set[str]:
        return {t.fingerprint for t in self.trials}

    def next(self, left: int) -> Suggestion | None:
        """A joined stack, else a missing cell; no square is begun that the trials left can't complete."""
        if self.before.incumbent() is None or left < 1:
            return None
        return next(self._joined(), None) or next(self._cells(left), None)

    def _joined(self) -> Iterator[Suggestion]:
        """Everything that helped, then its better half."""
        if sum(t.proposer == "combine" for t in self.trials) >= MOST_JOINED:
            return
        incumbent = self.before.incumbent()
        assert incumbent is not None, "asked only beside one"
        assert incumbent.val_loss is not None, "an incumbent has a score"
        helped = self._helped(incumbent.config)
        for names in (helped, helped[: (len(helped) + 1) // 2]):
            config, joined = self._join(incumbent.config, names)
            if not joined or fingerprint(config) in self.known:
                continue
            mean, _ = self.beliefs.difference(config, incumbent.config)
            effects = ", ".join(f"{name} {self.beliefs.effect(name).mean:+.4f}" for name in joined)
            yield Suggestion(
                params=self.proposers.space.params_for(config),
                proposer="combine",
                rule="what helped apart is joined, within caps, needs and clashes",
                reason=f"trial {incumbent.number} with what is believed to help: {effects}",
                hypothesis=f"together they lower val_loss below trial {incumbent.number}'s {incumbent.val_loss:.4f}",
                expected=incumbent.val_loss + mean,
            )

    def _helped(self, incumbent: RunConfig) -> list[str]:
        """Techniques with a run of their own that help by more than a standard deviation, the best first."""
        present = added(incumbent, self.beliefs.base)
        effects = [self.beliefs.effect(name) for name in self._techniques if name not in present]
        helped = [e for e in effects if not e.from_prior and e.mean + e.sd < 0]
        return [e.name for e in sorted(helped, key=lambda e: (e.mean, e.name))]

    @cached_property
    def _techniques(self) -> list[str]:
        return [term[0] for term in self.beliefs.terms if len(term) == 1 and "." not in term[0]]

    def _join(self, config: RunConfig, names: Sequence[str]) -> tuple[RunConfig, list[str]]:
        """One after the other, each only where it displaces nothing better and nothing known speaks against it."""
        joined: list[str] = []
        for name in names:
            if (with_it := self._with(config, [name])) is not None and self._suits(name, config):
                config, joined = with_it, [*joined, name]
        return config, joined

    def _with(self, config: RunConfig, names: Sequence[str]) -> RunConfig | None:
        """The config as the study would build it, if all of it has its place and may run."""
        space = self.proposers.space
        slots = {card["name"]: str(card["slot"]) for card in self.proposers.cards}
        edits = [Edit(slots[name], name) for name in names if name in slots and slots[name] in space.division.free]
        asked = edited(config, edits, best_knobs(self.beliefs))
        found, _ = space.recall(space.params_for(asked))
        whole = added(found, space.base) == added(asked, space.base) and {*names} <= {*added(found, space.base)}
        return found if whole and not self.proposers.objections(found) else None

    def _suits(self, name: str, config: RunConfig) -> bool:
        cards = {card["name"]: card for card in self.proposers.cards}
        present = added(config, self.beliefs.base)
        if not slot_named(cards[name]["slot"]).many:
            here = [pick.name for pick in config.picks[cards[name]["slot"]] if pick.name in present]
            if any(self.beliefs.effect(other).mean <= self.beliefs.effect(name).mean for other in here):
                return False
        clashing = {clash["other"] for clash in cards[name].get("clashes", ())}
        clashing |= {o for o in present if any(c["other"] == name for c in cards.get(o, {}).get("clashes", ()))}
        all_present = {pick.name for picks in config.picks.values() for pick in picks}
        needs = {need["other"] for need in cards[name].get("needs", ())}
        return not clashing & all_present and needs <= all_present

    @cached_property
    def squares(self) -> list[tuple[Square, TrialView]]:
        """Of each suspicious pair whose techniques have runs, that on its best stack; the best scored one, or the
        incumbent with both. The strongest suspicion first."""
        base, space = self.beliefs.base, self.proposers.space
        incumbent = self.before.incumbent()
        assert incumbent is not None, "asked only beside one"
        means = {print_: sample.mean for print_, sample in self.before.samples().items()}
        ranked = sorted(self.before.scored, key=lambda t: (means[t.fingerprint], t.number))
        found = []
        for a, b in sorted(self.beliefs.pairs(), key=self._suspicion):
            if self.beliefs.effect(a).from_prior or self.beliefs.effect(b).from_prior:
                continue
            stack = next((t for t in ranked if {a, b} <= {*added(t.config, base)}), None)
            lacking = [name for name in (a, b) if name not in added(incumbent.config, base)]
            both = stack.config if stack else self._with(incumbent.config, lacking)
            if both is not None and {a, b} <= {*added(both, base)}:
                made = square(both, a, b, base, lambda c: space.recall(space.params_for(c))[0])
                if made is not None:
                    found.append((made, stack or incumbent))
        return found

    def _suspicion(self, pair: tuple[str, str]) -> tuple[float, tuple[str, str]]:
        term = self.beliefs.pair(*pair)
        assert term is not None, "asked of pairs in the model"
        return -abs(term.mean) / term.sd, pair

    def _cells(self, left: int) -> Iterator[Suggestion]:
        lost = {t.fingerprint for t in self.trials if t.state in (State.FAILED, State.PRUNED, State.REFUSED)}
        open_ = []
        for place, (made, stack) in enumerate(self.squares):
            missing = [c for c in (made.both, *made.corners) if fingerprint(c) not in self.known]
            broken = lost & {*made.prints} or any(self.proposers.objections(c) for c in missing)
            if missing and len(missing) <= left and not broken:
                begun = any(t.proposer == "2x2 cell" and t.fingerprint in made.prints for t in self.trials)
                open_.append((not begun, place, made, stack, missing[0]))
        for _, _, made, stack, config in sorted(open_, key=lambda row: row[:2]):
            pair = self.beliefs.pair(made.first, made.second)
            assert pair is not None, "squares are of pairs in the model"
            having = [n for n in (made.first, made.second) if n in added(config, self.beliefs.base)]
            yield Suggestion(
                params=self.proposers.space.params_for(config),
                proposer="2x2 cell",
                rule="the most suspicious pairs get whole 2x2 tables",
                reason=f"{made.first} and {made.second} are believed to do {pair.mean:+.4f} +- {pair.sd:.4f} beyond "
                f"their sum; trial {stack.number}'s stack with {' and '.join(having) or 'neither'} of the two",
                hypothesis=f"{made.first} and {made.second} do not add up",
            )

    def verdicts(self) -> tuple[VerdictView, ...]:
        """Of every suspicious pair whose table is whole."""
        evidence = Evidence(self.trials, self.before.usual_noise)
        samples = evidence.samples()
        if self.before.incumbent() is None:
            return ()
        return tuple(
            pair_verdict(
                made, cells, noise, self.proposers.space.spec.track.rules[0].alpha, f"trial {stack.number}'s stack",
                runs_of(dict(zip(("both", made.first, made.second, "neither"), made.prints, strict=True)), self.trials),
            )
            for made, stack in self.squares
            if (cells := cells_of(made, samples)) is not None
            and (noise := noise_of(cells.all, samples.values())) is not None
        )  # fmt: skip


def runs_of(prints: Mapping[str, str], trials: Sequence[TrialView]) -> dict[str, list[int]]:
    """Scored runs of search seeds by arm, each once."""
    return {
        arm: list(
            dict.fromkeys(
                t.run.id
                for t in trials
                if t.fingerprint == print_ and t.run and t.val_loss is not None and t.run.seed not in PUBLISHED_SEEDS
            )
        )
        for arm, print_ in prints.items()
    }
