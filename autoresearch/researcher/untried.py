"""The stacks near the incumbent that no run has tried, the most valuable first, each with the numbers it rests on."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from autoresearch.beliefs import Belief, Beliefs, Card, Observation, added, expected_improvement, stack_of
from bench.config import SLOT_NAMES, Pick, RunConfig, slot_named

# pairs are made of the best few single edits; all of them would be thousands that no sentence could tell apart
SINGLES_IN_PAIRS = 12
TRIALS_NAMED = 3

Lost = tuple[str, RunConfig]  # a trial that ended without a score: what it is called in a sentence, what it was


@dataclass(frozen=True)
class Edit:
    """One step from the incumbent: a technique put in (or, in a slot that takes one, in place), or taken out."""

    slot: str
    name: str
    puts_in: bool = True

    def __str__(self) -> str:
        if not self.puts_in:
            return f"drop {self.name}"
        return f"add {self.name}" if slot_named(self.slot).many else f"{self.slot} to {self.name}"


@dataclass(frozen=True, kw_only=True)
class Untried:
    """A stack nobody ran. `value` is expected improvement per unit of cost; an idea can be ranked and not run."""

    edits: tuple[Edit, ...]
    config: RunConfig
    mean: float  # of val_loss relative to the incumbent's, nats per byte
    sd: float
    value: float
    reason: str
    runnable: bool

    @property
    def change(self) -> str:
        return _change(self.edits)


def ranked_untried(
    beliefs: Beliefs,
    incumbent: RunConfig | None = None,
    *,
    failed: Sequence[Lost] = (),
    free: Iterable[str] = SLOT_NAMES,
    may_run: Callable[[RunConfig], bool] = lambda config: True,
    cost: Callable[[RunConfig], float] = lambda config: 1.0,
) -> Iterator[Untried]:
    """Add one, swap one, drop one, or add two, in the free slots; the most valuable first, ties by name.

    What failed is not proposed again, and each technique that tends to fail takes its share off
    the value of what has it. `may_run` is where refusals, breaches and caps are asked, and only
    as far down as the caller reads; ideas are not put to it, and cost what the incumbent does.
    """
    incumbent = incumbent or beliefs.incumbent
    tried = {stack_of(config) for config in (*(lost for _, lost in failed), *(o.config for o in beliefs.observations))}
    knobs = best_knobs(beliefs)
    ideas = {card["name"] for card in beliefs.cards if card.get("status") == "idea"}
    singles = list(_singles(beliefs.cards, beliefs.base, incumbent, frozenset(free)))
    ranked: list[tuple[float, str, tuple[Edit, ...], RunConfig]] = []
    for edits in (*((edit,) for edit in singles), *_doubles(beliefs, incumbent, singles, ideas, knobs)):
        config = edited(incumbent, edits, knobs)
        if stack_of(config) not in tried:
            price = cost(incumbent if edits[0].name in ideas else config)
            value = beliefs.expected_value(config, incumbent, price) * _chance(beliefs, config, failed)
            ranked.append((-value, _change(edits), edits, config))
    for minus_value, _, edits, config in sorted(ranked, key=lambda row: row[:2]):
        runnable = edits[0].name not in ideas
        if runnable and not may_run(config):
            continue
        mean, sd = beliefs.difference(config, incumbent)
        reason = _reason(beliefs, incumbent, config, edits, failed)
        yield Untried(
            edits=edits, config=config, mean=mean, sd=sd, value=-minus_value, reason=reason, runnable=runnable
        )


def _singles(cards: Sequence[Card], base: RunConfig, incumbent: RunConfig, free: frozenset[str]) -> Iterator[Edit]:
    for slot in SLOT_NAMES:
        if slot not in free:
            continue
        present = {pick.name for pick in incumbent.picks[slot]}
        known = {card["name"] for card in cards if card["slot"] == slot} | {pick.name for pick in base.picks[slot]}
        yield from (Edit(slot, name) for name in sorted(known - present))
        if slot_named(slot).many:
            yield from (Edit(slot, name, puts_in=False) for name in sorted(present))


def _doubles(
    beliefs: Beliefs, incumbent: RunConfig, singles: Iterable[Edit], ideas: Collection[str], knobs: Mapping[str, Pick]
) -> Iterator[tuple[Edit, Edit]]:
    """The best single edits two by two, and both halves of each suspicious pair."""

    def value(edit: Edit) -> float:
        return expected_improvement(*beliefs.difference(edited(incumbent, (edit,), knobs), incumbent))

    runnable = [edit for edit in singles if edit.puts_in and edit.name not in ideas]
    ranked = sorted(runnable, key=lambda edit: (-value(edit), edit.name))
    promising = {edit.name for edit in ranked[:SINGLES_IN_PAIRS]}
    suspicious = set(beliefs.pairs())
    for one, two in combinations(sorted(ranked, key=lambda edit: edit.name), 2):
        same_place = one.slot == two.slot and not slot_named(one.slot).many
        if not same_place and ({one.name, two.name} <= promising or (one.name, two.name) in suspicious):
            yield one, two


def edited(config: RunConfig, edits: Iterable[Edit], knobs: Mapping[str, Pick]) -> RunConfig:
    for edit in edits:
        kept = [pick for pick in config.picks[edit.slot] if pick.name != edit.name and slot_named(edit.slot).many]
        config = config.replaced(edit.slot, [*kept, knobs[edit.name]] if edit.puts_in else kept)
    return config


def best_knobs(beliefs: Beliefs) -> dict[str, Pick]:
    """Each technique as its best run had it, else as the baseline has it, else at its defaults."""
    known = {
        card["name"]: Pick(card["name"], {knob["name"]: knob["default"] for knob in card.get("knobs", ())})
        for card in beliefs.cards
    }
    by_loss = sorted(beliefs.observations, key=lambda o: -o.val_loss)
    for config in (beliefs.base, *(o.config for o in by_loss)):
        known |= {pick.name: pick for picks in config.picks.values() for pick in picks}
    return known


def _chance(beliefs: Beliefs, config: RunConfig, failed: Sequence[Lost]) -> float:
    """Of a run completing: that of its shakiest technique, counting one success beforehand for each."""
    chances = [1.0]
    for name in added(config, beliefs.base):
        completed = len(beliefs.runs_with[(name,)]) + 1
        chances.append(completed / (completed + len(_failures(name, beliefs.base, failed))))
    return min(chances)


def _failures(name: str, base: RunConfig, failed: Iterable[Lost]) -> list[str]:
    return [called for called, config in failed if name in added(config, base)]


def _change(edits: Iterable[Edit]) -> str:
    return ", ".join(map(str, edits))


def _reason(
    beliefs: Beliefs, incumbent: RunConfig, config: RunConfig, edits: Sequence[Edit], failed: Sequence[Lost]
) -> str:
    """One sentence of what is expected, and of every effect, pair, need and clash behind it."""
    before, after = set(added(incumbent, beliefs.base)), set(added(config, beliefs.base))
    size = _size(*beliefs.difference(config, incumbent))
    said = [f"{_change(edits)}: expected {size} against {_called(beliefs, incumbent)}"]
    for name in sorted(before ^ after):
        said.append(_effect(beliefs.effect(name), name, beliefs.runs_with[(name,)]))
        if name in after and (lost := _failures(name, beliefs.base, failed)):
            said[-1] += f", {len(lost)} more failed ({_first(lost)})"
    for a, b in beliefs.pairs():
        if ({a, b} <= before) != ({a, b} <= after) and (pair := beliefs.pair(a, b)):
            said.append(_effect(pair, f"{a} and {b} beyond their sum", beliefs.runs_with[(a, b)]))
    present = {name for _, name in stack_of(config)}
    for card in sorted(beliefs.cards, key=lambda card: str(card["name"])):
        if card["name"] in after:
            wanted = [need["other"] for need in card.get("needs", ()) if need["other"] not in present]
            clashing = [clash["other"] for clash in card.get("clashes", ()) if clash["other"] in present]
            said += [f"{card['name']} wants {other}" for other in wanted]
            said += [f"{card['name']} clashes with {other}" for other in clashing]
    return "; ".join(said)


def _effect(belief: Belief, called: str, runs: Sequence[Observation]) -> str:
    size = f"{called} {_size(belief.mean, belief.sd)}"
    if belief.from_prior:
        return f"{size} by its prior alone"
    return f"{size} over {belief.n_runs} run{'s' * (belief.n_runs > 1)} ({_named(runs)})"


def _size(mean: float, sd: float) -> str:
    return f"{mean:+.4f} +- {sd:.4f}"


def _named(runs: Sequence[Observation]) -> str:
    """The best few, by name."""
    return _first([o.trial for o in sorted(runs, key=lambda o: (o.val_loss, o.trial))])


def _first(trials: Sequence[str]) -> str:
    return ", ".join(trials[:TRIALS_NAMED]) + (", ..." if len(trials) > TRIALS_NAMED else "")


def _called(beliefs: Beliefs, config: RunConfig) -> str:
    runs = [o for o in beliefs.observations if o.config == config]
    return _named(runs[:1]) if runs else "the incumbent"
