"""Ideas: listed and ranked beside techniques, never chosen."""

import json

import pytest
from ledger_rows import SPEC

from autoresearch.listing import catalog_table
from autoresearch.space import Space
from bench.cards import card, cards
from bench.catalog import CATALOG, full_pick, technique
from bench.config import SLOT_NAMES
from bench.errors import ConfigError
from bench.ideas import IDEAS
from studies.ownership import this_process
from studies.store import Store

every_idea = pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.name)


def test_no_name_stands_for_an_idea_and_a_technique():
    built = [t.name for techniques in CATALOG.values() for t in techniques]
    names = [*built, *(idea.name for idea in IDEAS)]
    assert sorted(names) == sorted(set(names))


@every_idea
def test_an_idea_says_what_it_is_where_from_and_what_was_seen(idea):
    assert idea.slot in SLOT_NAMES
    assert idea.name.isidentifier()
    assert idea.name.islower()
    assert idea.doc.strip()
    assert idea.source.strip()
    assert idea.prior.sign in (-1, 0, 1)
    assert idea.prior.grade in "ABCDN"


@every_idea
def test_its_card_has_the_form_of_a_technique(idea):
    (found,) = [one for one in cards() if one["name"] == idea.name]
    assert found.keys() == card(CATALOG["mixer"][0]).keys()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["status"], found["knobs"]) == ("idea", [])


def test_every_slot_lists_what_is_built_before_what_is_not():
    listed = [(SLOT_NAMES.index(one["slot"]), one["status"] == "idea") for one in cards()]
    assert listed == sorted(listed)


@every_idea
def test_an_idea_cannot_be_picked(idea):
    with pytest.raises(ConfigError, match=f"{idea.name} is an idea, not built"):
        full_pick(idea.slot, idea.name, {})


def test_the_refusal_of_an_idea_lists_what_there_is():
    with pytest.raises(ConfigError) as refused:
        technique("optimizer", "mousse")
    assert refused.value.hint == f"slot optimizer has {', '.join(t.name for t in CATALOG['optimizer'])}"


def test_no_study_proposes_an_idea():
    space = Space(SPEC)
    allowed = {name for slot in SLOT_NAMES for name in space.allowed(slot)}
    assert allowed.isdisjoint(idea.name for idea in IDEAS)


def test_the_listing_tells_ideas_from_what_can_be_run():
    text = catalog_table(cards())
    assert "  softmax (ready): " in text
    assert "  mousse (idea): " in text


def test_the_ledger_keeps_the_cards_of_ideas(tmp_path):
    store = Store(tmp_path / "arena.db")
    store.begin(SPEC, cards(), this_process())
    kept = store.read.cards(SPEC.name)
    store.release(SPEC.name, "done")
    store.close()
    assert kept == cards()
