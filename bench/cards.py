"""Techniques and ideas as plain data: what `catalog --json` prints and the ledger keeps."""

import inspect
from typing import Any

from bench.catalog import CATALOG, Technique, declared
from bench.ideas import IDEAS, Idea
from bench.knobs import knobs_of
from bench.techniques.technique import Clash, Need


def card(technique: Technique) -> dict[str, Any]:
    """A technique as data."""
    prior = getattr(technique, "prior", None)
    return {
        "slot": technique.slot,
        "name": technique.name,
        "doc": inspect.getdoc(technique),
        "source": technique.source,
        "status": "ready",
        "late": getattr(technique, "late", False),
        "knobs": [knob.to_json() for knob in knobs_of(technique)],
        "needs": [vars(need) for need in declared(technique, "needs", Need)],
        "clashes": [vars(clash) for clash in declared(technique, "clashes", Clash)],
        "prior": None if prior is None else vars(prior),
    }


def idea_card(idea: Idea) -> dict[str, Any]:
    """An idea as data, in the form of a technique's card."""
    nothing: dict[str, Any] = {"late": False, "knobs": [], "needs": [], "clashes": []}
    return {**vars(idea), "status": "idea", **nothing, "prior": vars(idea.prior)}


def cards() -> list[dict[str, Any]]:
    """Slot by slot, what is built before what is not."""
    return [
        plain
        for slot, techniques in CATALOG.items()
        for plain in (*map(card, techniques), *(idea_card(idea) for idea in IDEAS if idea.slot == slot))
    ]
