"""What a study may choose from: a division's free slots and knobs, narrowed by its settings, as Optuna sees them.

The only code that knows Optuna's `suggest_*`. Every slot and toggle is always sampled, knobs only where their
technique was chosen, so that TPE models the choice of techniques jointly.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from autoresearch.beliefs import Observation, stack_of
from autoresearch.settings import Settings, entrants, parse_settings
from bench.catalog import CATALOG, HOSTS, Technique, displaced, full_pick, technique, technique_of
from bench.config import BROUGHT, SLOTS, Pick, Picks, RunConfig, fingerprint, make_config
from bench.divisions import Division, baseline
from bench.knobs import Choice, Knob, Span, Value, knobs_of
from bench.recipes import published
from bench.techniques.technique import Need
from studies.definitions import StudySpec

Chooser = Callable[[str, Span | Choice], Value]

# Enough to tell two settings apart, few enough to read; equal configs then meet under one fingerprint.
SIGNIFICANT_DIGITS = 3


@dataclass(frozen=True)
class Opening:
    """A proposal made before any evidence of the study's own: a fighter given, a published stack, or one technique
    on the baseline."""

    params: dict[str, Value]
    proposer: str
    reason: str
    hypothesis: str = ""


class Space:
    """The choices of one study; the same definition gives the same names and ranges."""

    def __init__(self, spec: StudySpec) -> None:
        self.spec = spec
        self.division: Division = spec.division
        self.base = baseline(spec.budget, spec.track_name)
        self.base_knobs: dict[str, Value] = {
            f"{pick.name}.{knob}": value
            for picks in self.base.picks.values()
            for pick in picks
            for knob, value in pick.knobs.items()
        }
        self.settings: Settings = parse_settings(spec.settings, self.division)
        self.brought = spec.start.pick("mixer") if spec.start and spec.start.brings_code else None
        # a study of a mixer of one's own searches around that mixer; the openings alone may differ
        self.held: dict[str, Value] = {"mixer": BROUGHT} if self.brought else {}
        self._distributions: dict[str, BaseDistribution] = {}  # of each parameter recalled so far
        self.given: dict[str, Value] = {}
        # published values, and a fighter's that was given, keep every digit
        self.exact = {told for recipe in published(spec.track, spec.budget) for told in recipe.values()}
        if spec.start is not None:
            self.given = self.params_for(spec.start)
            self.exact |= set(self.given.items())

    def walk(self, choose: Chooser) -> RunConfig:
        """The config that answers to every choice make, in a fixed order."""
        picks: dict[str, tuple[Pick, ...]] = {}
        for slot in SLOTS:
            picks[slot.name] = tuple(self._picks(slot.name, slot.many, picks, choose))
        return make_config(self.spec.track_name, picks, self.spec.budget)

    def _picks(self, slot: str, many: bool, so_far: Picks, choose: Chooser) -> Iterator[Pick]:
        if slot not in self.division.free:
            for fixed in self.base.picks[slot]:
                yield self._pick(slot, fixed.name, fixed, choose)
            return
        allowed = self.allowed(slot)
        if many:
            for name in allowed:
                # asked only where it can attach, so that no trial is spent on what has no place
                if has_place(slot, name, so_far) and choose(name, Choice((False, True))):
                    yield self._pick(slot, name, None, choose)
        else:
            name = str(choose(slot, Choice(allowed))) if len(allowed) > 1 else allowed[0]
            yield self._pick(slot, name, None, choose)

    def allowed(self, slot: str) -> tuple[str, ...]:
        if slot not in self.settings.narrowed and slot == "mixer" and self.brought:
            # the baseline's own too, for the difference to be measured from
            return (*(pick.name for pick in self.base.picks[slot]), BROUGHT)
        return self.settings.narrowed.get(slot, entrants(slot, self.division))

    def technique(self, slot: str, name: str) -> Technique:
        return technique_of(slot, self.brought) if self.brought and name == BROUGHT else technique(slot, name)

    def _pick(self, slot: str, name: str, fixed: Pick | None, choose: Chooser) -> Pick:
        """A technique with each knob pinned, searched, or as the division fixes it."""
        chosen = self.technique(slot, name)
        knobs: dict[str, Value] = dict(getattr(chosen, "carried", {}))
        for knob in knobs_of(chosen):
            if knob.name in (pinned := self.settings.pinned(slot, name)):
                knobs[knob.name] = pinned[knob.name]
            elif fixed is None or knob.name in self.division.free_knobs:
                value = choose(f"{name}.{knob.name}", knob.range)
                exact = (f"{name}.{knob.name}", value) in self.exact
                knobs[knob.name] = knob.coerced(value if exact else _rounded(value))
            else:
                knobs[knob.name] = fixed.knobs[knob.name]
        return full_pick(slot, name, knobs)

    def suggest(self, trial: optuna.Trial) -> RunConfig:
        """A config from the sampler, or from what was enqueued."""

        def choose(name: str, values: Span | Choice) -> Value:
            match values:
                case Choice(options=options):
                    chosen: Value = trial.suggest_categorical(name, options)  # type: ignore[assignment]
                    return chosen
                case Span(low=low, high=high, log=log) if values.whole:
                    return trial.suggest_int(name, int(low), int(high), log=log)
                case Span(low=low, high=high, log=log):
                    return trial.suggest_float(name, low, high, log=log)

        return self.walk(choose)

    def recall(self, params: Mapping[str, Any]) -> tuple[RunConfig, dict[str, BaseDistribution]]:
        """The config of stored parameters and the distributions they came from.

        What the catalog has learnt since is as the baseline has it, and no part of what was sampled.
        """
        distributions: dict[str, BaseDistribution] = {}

        def choose(name: str, values: Span | Choice) -> Value:
            if name not in params:
                return self.unchanged(name, values)
            distributions[name] = self._distributions.setdefault(name, _distribution(values))
            value: Value = params[name]
            return value

        return self.walk(choose), distributions

    def distributions(self, params: Mapping[str, Any]) -> dict[str, BaseDistribution]:
        """Those of `recall`, without its config: a name has one distribution in a study, so few trials need a walk."""
        if not self._distributions.keys() >= params.keys():
            return self.recall(params)[1]
        return {name: self._distributions[name] for name in params}

    def openings(self) -> Iterator[Opening]:
        """A fighter that was given, the baseline, then each technique alone at its defaults, with what it needs."""
        plain = self.params_of({})
        if self.given and self.given != plain:
            yield Opening(self.given, "user", f"from {self.spec.start_file}")
        yield Opening(plain, "baseline", "every delta is measured from here")
        if not self.held:
            yield from (opening for opening in self._techniques() if opening.params != self.given)

    def proven(self, earlier: Iterable[Observation], most: int) -> Iterator[Opening]:
        """The lowest stacks of earlier studies below their baseline that this one may choose, as they were run there;
        of seeds of one config the mean counts."""
        runs: dict[str, list[Observation]] = defaultdict(list)
        for run in earlier:
            if run.config.budget == self.spec.budget:
                runs[fingerprint(run.config)].append(run)
        means = {print_: fmean(run.val_loss for run in found) for print_, found in runs.items()}
        plain = fingerprint(self.base)
        seen = {stack_of(self.base)}
        for print_ in sorted(means, key=lambda print_: (means[print_], print_)):
            first, stack = runs[print_][0], stack_of(runs[print_][0].config)
            params = self.params_for(first.config)
            if means[print_] >= means.get(plain, math.inf) or len(seen) > most:
                return
            if stack not in seen and fingerprint(self.recall(params)[0]) == print_:
                seen.add(stack)
                said = (
                    f"{first.trial} at {first.val_loss:.4f}, among the lowest of earlier studies under these conditions"
                )
                yield Opening(params, "recipe", said, "below the baseline, as there")

    def recipes(self) -> Iterator[Opening]:
        """The published stacks that the study may choose whole, with their source and what it claims."""
        seen = [self.params_of({})]
        for recipe in () if self.held else published(self.spec.track, self.spec.budget):
            wanted: dict[str, Value] = {}
            for slot, names in recipe.techniques.items():
                for name in names:
                    if slot in self.division.free and name in self.allowed(slot):
                        wanted |= _taken_off(slot, name) | _choice(slot, name)
            params = self.params_of(wanted | dict(recipe.values()))
            config, _ = self.recall(params)
            whole = all({p.name for p in config.picks[slot]} >= {*names} for slot, names in recipe.techniques.items())
            # in miniature some are the baseline, or one another
            if whole and params not in seen:
                seen.append(params)
                said = f"{recipe.name} ({recipe.source}), {recipe.tuning}"
                claim = f"{recipe.claim}; here only the sign is expected: below the baseline"
                yield Opening(params, "recipe", said, claim)

    def _techniques(self) -> Iterator[Opening]:
        """Each technique alone on the baseline, at its defaults, with what evidence says it needs beside it."""
        for slot in SLOTS:
            if slot.name not in self.division.free:
                continue
            fixed = [pick.name for pick in self.base.picks[slot.name]]
            for name in self.allowed(slot.name):
                if name in fixed:
                    continue
                if not any(self.hosts(slot.name, name)):
                    continue
                wanted = self.with_needs(slot.name, name)
                # a toggle stands under its own name, the technique of a `one` slot under the slot's
                chosen = [choice if value is True else str(value) for choice, value in wanted.items() if value]
                beside = ", ".join(other for other in chosen if other != name)
                gone = ", ".join(choice for choice, value in wanted.items() if value is False and choice in fixed)
                why = f"{name} at its defaults" + (f", with {beside} beside it" if beside else "")
                why += f", in the place of {gone}" if gone else ""
                yield Opening(self.params_of(wanted), "opening", why)

    def hosts(self, slot: str, name: str) -> Iterator[str]:
        """The techniques at hand that a modifier can attach to; itself for what attaches to none."""
        host = HOSTS.get(slot)
        if host is None:
            yield name
        elif host not in self.division.free:
            yield from (pick.name for pick in self.base.picks[host] if has_place(slot, name, self.base.picks))
        else:
            point = technique(slot, name).point
            yield from (t for t in self.allowed(host) if point in self.technique(host, t).points)

    def with_needs(self, slot: str, name: str) -> dict[str, Value]:
        """The choices that add a technique and its needs to the baseline, as far as the study may choose them."""
        chosen: dict[str, Value] = _taken_off(slot, name) | _choice(slot, name)
        if (host := HOSTS.get(slot)) and not has_place(slot, name, self.base.picks):
            chosen |= next((_choice(host, other) for other in self.hosts(slot, name)), {})
        for need in getattr(technique(slot, name), "needs", ()):
            assert isinstance(need, Need)
            for other in SLOTS:
                if other.name in self.division.free and need.other in self.allowed(other.name):
                    chosen |= _choice(other.name, need.other)
        return chosen

    def params_of(self, wanted: Mapping[str, Value]) -> dict[str, Value]:
        """Every parameter for the given choices; the rest as the baseline has it, or at default."""
        params: dict[str, Value] = {}

        def choose(name: str, values: Span | Choice) -> Value:
            params[name] = value = wanted[name] if name in wanted else self.unchanged(name, values)
            return value

        self.walk(choose)
        return params

    def params_for(self, config: RunConfig) -> dict[str, Value]:
        """The parameters nearest to a config: what the study fixes, or has no place for, stays as the study has it."""
        # what the baseline has and the config has not is off
        based = [pick.name for slot in SLOTS if slot.many for pick in self.base.picks[slot.name]]
        chosen: dict[str, Value] = dict.fromkeys(based, False)
        for slot, picks in config.picks.items():
            for pick in picks:
                chosen |= _choice(slot, pick.name) | {f"{pick.name}.{k}": v for k, v in pick.shown.items()}
        params: dict[str, Value] = {}

        def choose(name: str, values: Span | Choice) -> Value:
            # a technique that the study was narrowed from is no option
            offered = name in chosen and (isinstance(values, Span) or chosen[name] in values.options)
            params[name] = value = chosen[name] if offered else self.unchanged(name, values)
            return value

        self.walk(choose)
        return params

    def unchanged(self, name: str, values: Span | Choice) -> Value:
        """A choice as the baseline has it, or a knob at its default where the baseline has none."""
        if name in self.base_knobs:
            return self.base_knobs[name]
        if "." in name:
            return self._default(name)
        assert isinstance(values, Choice), f"{name} is no choice of techniques"
        if values.options == (False, True):
            return any(pick.name == name for picks in self.base.picks.values() for pick in picks)
        (fixed,) = self.base.picks[name]
        return fixed.name if fixed.name in values.options else values.options[0]

    def _default(self, param: str) -> Value:
        name, _, knob_name = param.partition(".")
        slot = next((s for s, known in CATALOG.items() if name in {t.name for t in known}), "mixer")
        found: Knob = next(k for k in knobs_of(self.technique(slot, name)) if k.name == knob_name)
        return found.default


def has_place(slot: str, name: str, picks: Picks) -> bool:
    """False for a modifier whose host, as picked, has no such point."""
    host = HOSTS.get(slot)
    return host is None or all(technique(slot, name).point in technique_of(host, p).points for p in picks[host])


def _choice(slot: str, name: str) -> dict[str, Value]:
    many = next(s.many for s in SLOTS if s.name == slot)
    return {name: True} if many else {slot: name}


def _taken_off(slot: str, name: str) -> dict[str, Value]:
    """What has to go from the baseline for a technique that takes its place."""
    return dict.fromkeys(sorted(displaced(technique(slot, name))), False)


def _rounded(value: Value) -> Value:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value


def _distribution(values: Span | Choice) -> BaseDistribution:
    match values:
        case Choice(options=options):
            return CategoricalDistribution(options)
        case Span(low=low, high=high, log=log) if values.whole:
            return IntDistribution(int(low), int(high), log=log)
        case Span(low=low, high=high, log=log):
            return FloatDistribution(low, high, log=log)
