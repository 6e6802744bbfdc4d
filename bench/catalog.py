"""Every technique by slot. A name becomes a class here and nowhere else."""

import inspect
from collections.abc import Iterator
from typing import Any

from bench.brought import declared as brought
from bench.config import BROUGHT, SLOTS, Pick, RunConfig, slot_named
from bench.errors import ConfigError
from bench.knobs import Value, defaults_of, knobs_of
from bench.stack import Stack
from bench.techniques.addons.grad_clip import GradClip
from bench.techniques.averaging.ema import Ema
from bench.techniques.averaging.last import Last
from bench.techniques.block_modifiers.ln_scale import LnScale
from bench.techniques.codec.zstd import Zstd
from bench.techniques.evaluator.windows import Windows
from bench.techniques.features.smear_gate import SmearGate
from bench.techniques.ffn.relu2 import Relu2
from bench.techniques.head.untied import Untied
from bench.techniques.init.orthogonal import Orthogonal
from bench.techniques.init.zero_output import ZeroOutput
from bench.techniques.logits.softcap import Softcap
from bench.techniques.mixer.double_conv import DoubleConv
from bench.techniques.mixer.softmax import Softmax
from bench.techniques.mixer_modifiers.nope import Nope
from bench.techniques.mixer_modifiers.partial_rope import PartialRope
from bench.techniques.mixer_modifiers.xsa import Xsa
from bench.techniques.optimizer.adamw import AdamW
from bench.techniques.optimizer.lion import Lion
from bench.techniques.optimizer.muon import Muon
from bench.techniques.optimizer.sophia import Sophia
from bench.techniques.optimizer_modifiers.muoneq_r import MuonEqR
from bench.techniques.precision.fp32 import Fp32
from bench.techniques.precision.int8_post import Int8Post
from bench.techniques.precision.int8_ste import Int8Ste
from bench.techniques.precision_modifiers.late_rounding import LateRounding
from bench.techniques.residual.pre_norm import PreNorm
from bench.techniques.schedule.linear import Linear
from bench.techniques.technique import Clash, Need

Technique = Any  # a class of bench/techniques: slot, name, source, knobs as fields, and what its slot asks of it

CATALOG: dict[str, tuple[Technique, ...]] = {
    "features": (SmearGate,),
    "mixer": (Softmax, DoubleConv),
    "mixer_modifiers": (Xsa, PartialRope, Nope),
    "ffn": (Relu2,),
    "residual": (PreNorm,),
    "block_modifiers": (LnScale,),
    "head": (Untied,),
    "logits": (Softcap,),
    "init": (ZeroOutput, Orthogonal),
    "optimizer": (AdamW, Lion, Muon, Sophia),
    "optimizer_modifiers": (MuonEqR,),
    "schedule": (Linear,),
    "averaging": (Last, Ema),
    "addons": (GradClip,),
    "precision": (Fp32, Int8Post, Int8Ste),
    "precision_modifiers": (LateRounding,),
    "codec": (Zstd,),
    "evaluator": (Windows,),
}

# Modifiers attach at points of the technique in another slot, which says which it has.
HOSTS = {"mixer_modifiers": "mixer", "optimizer_modifiers": "optimizer", "precision_modifiers": "precision"}


def technique(slot: str, name: str) -> Technique:
    """The class that fills a slot under a name; ConfigError lists the known ones."""
    known = CATALOG[slot_named(slot).name]
    for candidate in known:
        if candidate.name == name:
            return candidate
    raise ConfigError(f"slot {slot} has no technique named {name}", f"it has {', '.join(t.name for t in known)}")


def technique_of(slot: str, pick: Pick) -> Technique:
    """The class behind a pick: the catalog's, or what stands for a mixer that the pick itself brings."""
    if slot == "mixer" and pick.name == BROUGHT:
        return brought(str(pick.knobs.get("code", "")))
    return technique(slot, pick.name)


def find(name: str) -> Technique | None:
    """A technique by its name alone, in whatever slot."""
    return next((t for techniques in CATALOG.values() for t in techniques if t.name == name), None)


def full_pick(slot: str, name: str, knobs: dict[str, Value]) -> Pick:
    """A pick with every knob explicit: those given, checked against their ranges, the rest at default."""
    chosen = technique_of(slot, Pick(name, knobs))
    carried: dict[str, Value] = dict(getattr(chosen, "carried", {}))
    known = {knob.name: knob for knob in knobs_of(chosen)}
    for given, value in knobs.items():
        if given in carried and value == carried[given]:
            continue
        if given not in known:
            raise ConfigError(
                f"{slot}.{given} is set, but {name} has no knob {given}",
                f"{name} has {', '.join(known) or 'no knobs'}",
            )
        if wrong := known[given].misfit(value):
            raise ConfigError(f"{slot}.{given} = {value} {wrong} ({name})", f"choose {known[given].range}")
    values = defaults_of(chosen) | {given: value for given, value in knobs.items() if given in known}
    return Pick(name, carried | {knob: known[knob].coerced(value) for knob, value in values.items()})


def realise(config: RunConfig) -> Stack:
    """The techniques of a config with their knobs set; raises ConfigError for what the catalog does not know."""
    built: dict[str, Any] = {}
    for slot in SLOTS:
        made = []
        for pick in config.picks[slot.name]:
            chosen = technique_of(slot.name, pick)
            full = full_pick(slot.name, pick.name, dict(pick.knobs))
            if missing := set(full.knobs) - set(pick.knobs):
                raise ConfigError(
                    f"{pick.label} leaves {', '.join(sorted(missing))} to default", "a config spells out every knob"
                )
            made.append(chosen(**full.shown))
        built[slot.name] = tuple(made) if slot.many else made[0]
    return Stack(**built)


def refusals(config: RunConfig) -> list[str]:
    """Why this config can't be built, as sentences; empty when it can. Only hard needs and clashes refuse."""
    return [text for hard, text in _relations(config) if hard]


def advice(config: RunConfig) -> list[str]:
    """What evidence says against this config, with its source; it may be run all the same."""
    return [text for hard, text in _relations(config) if not hard]


def _relations(config: RunConfig) -> Iterator[tuple[bool, str]]:
    chosen = [technique_of(slot, pick) for slot, picks in config.picks.items() for pick in picks]
    present = {t.name for t in chosen}
    for t in chosen:
        for clash in declared(t, "clashes", Clash):
            if clash.other in present:
                yield clash.hard, f"{t.name} clashes with {clash.other}: {clash.why} ({clash.source})"
        for need in declared(t, "needs", Need):
            if need.other not in present:
                yield need.hard, f"{t.name} wants {need.other}: {need.why} ({need.source})"
        if host := HOSTS.get(t.slot):
            hosting = technique_of(host, config.pick(host))
            if t.point not in hosting.points:
                yield True, f"{t.name} attaches to a {host}'s {t.point}, and {hosting.name} has none"


def declared(technique: Technique, what: str, kind: type) -> tuple[Any, ...]:
    """The needs or clashes of a technique; most declare none."""
    found = getattr(technique, what, ())
    assert all(isinstance(item, kind) for item in found), f"{technique.name}.{what} holds something else"
    return tuple(found)


def card(technique: Technique) -> dict[str, Any]:
    """A technique as data: what `catalog --json` prints and the ledger keeps."""
    prior = getattr(technique, "prior", None)
    return {
        "slot": technique.slot,
        "name": technique.name,
        "doc": inspect.getdoc(technique),
        "source": technique.source,
        "status": "ready",
        "knobs": [knob.to_json() for knob in knobs_of(technique)],
        "needs": [vars(need) for need in declared(technique, "needs", Need)],
        "clashes": [vars(clash) for clash in declared(technique, "clashes", Clash)],
        "prior": None if prior is None else vars(prior),
    }


def cards() -> list[dict[str, Any]]:
    return [card(t) for techniques in CATALOG.values() for t in techniques]
