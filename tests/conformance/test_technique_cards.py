"""What every technique says about itself."""

import dataclasses
import itertools
import json

import pytest

from bench.cards import card
from bench.catalog import CATALOG, HOSTS, declared, find, full_pick, realise, refusals
from bench.config import SLOT_NAMES, canonical, fingerprint, from_json, slot_named, to_json
from bench.divisions import BASE
from bench.knobs import Choice, Span, knobs_of
from bench.techniques.technique import Clash, Need, Prior

# A host has one of each of these: a second modifier there would be dropped without a word.
HOLD_ONE = {"mixer_modifiers": {"rotation", "mask"}, "optimizer_modifiers": {"orthogonaliser", "decay"}}
PAIRS = [
    pair
    for slot, points in HOLD_ONE.items()
    for pair in itertools.combinations((t for t in CATALOG[slot] if t.point in points), 2)
    if pair[0].point == pair[1].point
]


def ends(knob):
    """The values at the borders of a knob's range."""
    return knob.range.options if isinstance(knob.range, Choice) else (knob.range.low, knob.range.high)


def test_the_catalog_has_every_slot_in_order():
    assert tuple(CATALOG) == SLOT_NAMES


def test_every_slot_has_a_technique():
    assert all(CATALOG.values())


def test_no_name_stands_for_two_techniques():
    names = [t.name for techniques in CATALOG.values() for t in techniques]
    assert sorted(names) == sorted(set(names))


def test_neutral_picks_are_techniques_without_knobs():
    for name in SLOT_NAMES:
        if neutral := slot_named(name).neutral:
            assert full_pick(name, neutral, {}).knobs == {}


def test_it_stands_in_the_tuple_of_its_slot(technique):
    assert technique in CATALOG[technique.slot]


def test_its_name_is_one_plain_word(technique):
    assert technique.name.isidentifier()
    assert technique.name.islower()


def test_it_says_what_it_is(technique):
    # a dataclass without a docstring gets its signature as one
    assert technique.__doc__
    assert not technique.__doc__.startswith(f"{technique.__name__}(")


def test_it_says_where_it_comes_from(technique):
    assert technique.source.strip()


def test_it_cannot_be_changed_once_built(technique):
    assert technique.__dataclass_params__.frozen


def test_every_field_is_a_knob(technique):
    assert [field.name for field in dataclasses.fields(technique)] == [knob.name for knob in knobs_of(technique)]


def test_its_defaults_lie_inside_their_ranges(technique):
    assert {k.name: k.misfit(k.default) for k in knobs_of(technique)} == {k.name: None for k in knobs_of(technique)}


def test_its_ranges_contain_their_own_ends(technique):
    assert [(k.name, end) for k in knobs_of(technique) for end in ends(k) if k.misfit(k.coerced(end))] == []


def test_its_ranges_leave_a_choice(technique):
    assert all(len(set(ends(knob))) > 1 for knob in knobs_of(technique))


def test_its_log_ranges_start_above_zero(technique):
    assert all(k.range.low > 0 for k in knobs_of(technique) if isinstance(k.range, Span) and k.range.log)


def test_whole_ranges_belong_to_whole_knobs(technique):
    for knob in knobs_of(technique):
        if isinstance(knob.range, Span):
            assert knob.range.whole == isinstance(knob.default, int), knob.name


def test_every_knob_gives_its_reason(technique):
    assert all(knob.why.strip() for knob in knobs_of(technique))


def test_its_needs_and_clashes_name_other_techniques(technique):
    others = [
        item.other for kind, what in ((Need, "needs"), (Clash, "clashes")) for item in declared(technique, what, kind)
    ]
    assert [other for other in others if find(other) is None or other == technique.name] == []


def test_its_needs_and_clashes_carry_reason_and_source(technique):
    for kind, what in ((Need, "needs"), (Clash, "clashes")):
        assert all(item.why and item.source for item in declared(technique, what, kind))


def test_its_prior_is_a_sign_with_a_grade(technique):
    prior = getattr(technique, "prior", Prior(0, "N", "none"))
    assert prior.sign in (-1, 0, 1)
    assert prior.grade in "ABCDN"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: "+".join(t.name for t in pair))
def test_two_replacements_of_one_part_refuse_each_other(pair):
    slot, config = pair[0].slot, BASE
    if pair[0].point not in find(config.pick(HOSTS[slot]).name).points:
        host = next(t for t in CATALOG[HOSTS[slot]] if pair[0].point in t.points)
        config = config.replaced(HOSTS[slot], [full_pick(HOSTS[slot], host.name, {})])
    assert all(refusals(config.replaced(slot, [full_pick(slot, t.name, {})])) == [] for t in pair)
    assert refusals(config.replaced(slot, [full_pick(slot, t.name, {}) for t in pair]))


def test_its_card_is_plain_data(technique):
    assert json.loads(json.dumps(card(technique), allow_nan=False)) == card(technique)


def test_its_config_survives_json(config):
    assert from_json(json.loads(canonical(to_json(config)))) == config


@pytest.mark.parametrize("end", [0, -1], ids=["low", "high"])
def test_knobs_at_the_ends_of_their_ranges_survive_json(technique, config, end):
    knobs = {knob.name: ends(knob)[end] for knob in knobs_of(technique)}
    extreme = config.replaced(technique.slot, [full_pick(technique.slot, technique.name, knobs)])
    assert fingerprint(from_json(json.loads(canonical(to_json(extreme))))) == fingerprint(extreme)


def test_a_config_gives_it_back_with_its_knobs(technique, config):
    built = getattr(realise(config), technique.slot)
    built = built[0] if isinstance(built, tuple) else built
    assert built == technique()
