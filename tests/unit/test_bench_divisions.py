"""The rules: what may enter a division, what a fighter is called there, and the track's caps."""

import pytest

from bench.catalog import CATALOG, full_pick, realise
from bench.config import SLOT_NAMES, Budget, Pick, make_config
from bench.divisions import (
    ATTENTION,
    BASE,
    DIVISIONS,
    OPEN,
    OPTIMIZER,
    PRECISION,
    STATE_SPACE,
    TUNABLE,
    baseline,
    differences,
    division_named,
    names,
    recipe,
)
from bench.errors import ConfigError
from bench.estimate import estimate, over_caps, raw_bytes
from bench.tracks import (
    FEATHERWEIGHT,
    FIRST_SEARCH_SEED,
    GOLF,
    PUBLISHED_SEEDS,
    TRACKS,
    track_named,
)


def with_pick(slot, name, config=BASE, **knobs):
    return config.replaced(slot, [full_pick(slot, name, knobs)])


def retuned(slot, config=BASE, **knobs):
    """The baseline's own pick with some knobs changed."""
    pick = config.pick(slot)
    return config.replaced(slot, [Pick(pick.name, {**pick.knobs, **knobs})])


@pytest.mark.parametrize("division", DIVISIONS, ids=lambda d: d.name)
def test_the_baseline_may_enter(division):
    assert division.breaches(BASE) == []


@pytest.mark.parametrize("division", DIVISIONS, ids=lambda d: d.name)
def test_a_division_frees_slots_that_exist(division):
    assert division.free <= set(SLOT_NAMES)


@pytest.mark.parametrize("division", DIVISIONS, ids=lambda d: d.name)
def test_a_headline_is_a_free_slot(division):
    assert division.headline is None or division.headline in division.free


@pytest.mark.parametrize("division", DIVISIONS, ids=lambda d: d.name)
@pytest.mark.parametrize("budget", [Budget(steps=800), Budget(steps=3, batch=1, seq_len=8)], ids=str)
def test_a_budget_is_never_a_breach(division, budget):
    assert division.breaches(baseline(budget)) == []


@pytest.mark.parametrize("division", DIVISIONS, ids=lambda d: d.name)
def test_free_knobs_may_be_tuned_everywhere(division):
    tuned = retuned("optimizer", lr=1e-3, weight_decay=0.2, beta1=0.85, beta2=0.99)
    assert division.breaches(retuned("schedule", tuned, warmup=0.1)) == []


def test_the_free_knobs_are_rate_decay_betas_and_warm_up():
    assert {"lr", "weight_decay", "beta1", "beta2", "warmup"} == TUNABLE


def test_another_technique_in_a_fixed_slot_is_a_breach():
    lion = with_pick("optimizer", "lion", lr=1e-3, weight_decay=0.1)
    fixed = names(BASE.picks["optimizer"])
    assert PRECISION.breaches(lion) == [
        f"optimizer is lion(lr=0.001 beta1=0.8 beta2=0.998 weight_decay=0.1), but precision fixes it at {fixed}"
    ]


def test_a_bound_knob_of_a_fixed_slot_is_a_breach():
    assert OPTIMIZER.breaches(retuned("ffn", mult=3)) == [
        "ffn is relu2(mult=3), but optimizer fixes it at relu2(mult=4)"
    ]


def test_a_modifier_where_none_is_free_is_a_breach():
    assert OPTIMIZER.breaches(with_pick("mixer_modifiers", "nope")) == [
        "mixer_modifiers is nope, but optimizer fixes it at nothing"
    ]


def test_several_picks_are_joined_in_a_breach():
    config = BASE.replaced("mixer_modifiers", [Pick("xsa", {"layers": 4}), Pick("nope")])
    assert PRECISION.breaches(config) == ["mixer_modifiers is nope + xsa(layers=4), but precision fixes it at nothing"]


def test_every_breach_is_named():
    config = with_pick("precision", "int8_post", with_pick("ffn", "relu2", mult=3))
    assert [breach.split(" is ")[0] for breach in OPTIMIZER.breaches(config)] == ["ffn", "precision"]


def test_a_free_slot_is_free():
    assert OPTIMIZER.breaches(with_pick("optimizer", "muon")) == []
    assert ATTENTION.breaches(with_pick("mixer_modifiers", "xsa")) == []


def test_the_open_division_fixes_what_is_measured():
    assert set(SLOT_NAMES) - OPEN.free == {"shape", "evaluator", "codec"}
    assert OPEN.breaches(retuned("codec", level=19)) == ["codec is zstd(level=19), but open fixes it at zstd(level=9)"]


def test_an_unknown_division_lists_the_known_ones():
    with pytest.raises(ConfigError) as error:
        division_named("heavyweight")
    assert error.value.problem == "there is no division named heavyweight"
    assert error.value.hint == "the divisions are precision, optimizer, attention, state-space, community, open"


@pytest.mark.parametrize("division", DIVISIONS, ids=lambda d: d.name)
def test_a_division_is_found_by_its_name(division):
    assert division_named(division.name, division.fixed.track) is division


def test_a_fighter_is_called_by_its_headline():
    assert OPTIMIZER.label(BASE) == "adamw"
    assert OPTIMIZER.label(with_pick("optimizer", "lion")) == "lion"


def test_a_fighter_is_called_by_what_else_it_chose():
    assert ATTENTION.label(with_pick("mixer_modifiers", "xsa")) == "softmax+xsa"


def test_an_open_fighter_is_called_by_what_differs():
    assert OPEN.label(with_pick("optimizer", "muon", with_pick("features", "smear_gate"))) == "smear_gate+muon"
    assert OPEN.label(BASE) == "baseline"


def test_a_label_does_not_depend_on_knobs():
    assert OPEN.label(retuned("optimizer", lr=1e-3)) == "baseline"


def test_a_recipe_is_the_difference_from_the_baseline():
    config = with_pick("mixer_modifiers", "xsa", retuned("optimizer", lr=1e-3), layers=2)
    assert recipe(config) == "xsa(layers=2) adamw(lr=0.001)"
    assert recipe(BASE) == "baseline"


def test_differences_name_their_slots():
    assert list(differences(with_pick("precision", "int8_ste"))) == [("precision", "int8_ste")]


def test_the_baseline_spells_out_every_knob():
    assert realise(BASE)


def test_the_baseline_at_a_budget_differs_in_the_budget_alone():
    assert baseline(Budget(steps=7)).picks == BASE.picks
    assert baseline(Budget(steps=7)).budget == Budget(steps=7)


def test_the_baseline_keeps_the_caps():
    assert over_caps(BASE, FEATHERWEIGHT) == []


def test_too_many_parameters_are_refused_with_number_and_limit():
    assert over_caps(with_pick("ffn", "relu2", mult=6), FEATHERWEIGHT)[0] == (
        "1,114,112 parameters, and featherweight caps them at 1,000,000"
    )


def test_too_many_flops_are_refused_with_number_and_limit():
    assert over_caps(with_pick("optimizer", "sophia", every=2), FEATHERWEIGHT) == [
        "1.500 times the baseline's training FLOPs, and featherweight caps them at 1.25"
    ]


def test_every_cap_that_breaks_is_named():
    both = with_pick("optimizer", "sophia", with_pick("ffn", "relu2", mult=6), every=2)
    assert len(over_caps(both, FEATHERWEIGHT)) == 2


def test_flops_exactly_at_the_cap_are_allowed():
    assert over_caps(with_pick("optimizer", "sophia", every=4), FEATHERWEIGHT) == []


def test_caps_on_flops_hold_at_any_budget():
    sophia = full_pick("optimizer", "sophia", {"every": 2})
    short = baseline(Budget(steps=7, batch=3, seq_len=24)).replaced("optimizer", [sophia])
    assert over_caps(short, FEATHERWEIGHT)


def test_a_track_without_caps_refuses_nothing():
    assert over_caps(make_config("golf", with_pick("ffn", "relu2", mult=6).picks, Budget(steps=1)), GOLF) == []


def test_raw_bytes_follow_the_number_format():
    # int8: a byte a weight and two for each of the 5,120 rows' scales
    assert raw_bytes(realise(BASE), 96) == 4 * estimate(BASE).parameters
    assert raw_bytes(realise(with_pick("precision", "int8_post")), 96) == estimate(BASE).parameters + 2 * 5120


def test_training_flops_grow_with_every_token():
    assert estimate(baseline(Budget(steps=1000))).train_flops == 2 * estimate(baseline(Budget(steps=500))).train_flops


@pytest.mark.parametrize(
    ("budget", "exhibition"),
    [
        (Budget(steps=500), False),
        (Budget(steps=800), False),
        (Budget(steps=501), True),
        (Budget(steps=500, batch=16), True),
        (Budget(steps=800, seq_len=48), True),
    ],
    ids=str,
)
def test_only_the_belts_budgets_are_no_exhibition(budget, exhibition):
    assert FEATHERWEIGHT.is_exhibition(budget) is exhibition


def test_search_never_starts_at_a_published_seed():
    assert not set(range(FIRST_SEARCH_SEED, FIRST_SEARCH_SEED + 300)) & set(PUBLISHED_SEEDS)


@pytest.mark.parametrize("track", TRACKS, ids=lambda t: t.name)
def test_a_track_is_found_by_its_name(track):
    assert track_named(track.name) is track


def test_an_unknown_track_lists_the_known_ones():
    with pytest.raises(ConfigError) as error:
        track_named("bantam")
    assert (error.value.problem, error.value.hint) == (
        "there is no track named bantam",
        "the tracks are featherweight, golf, golf-1xgpu, golf-cpu, golf-sp4096, golf-1xgpu-sp4096, golf-cpu-sp4096, "
        "golf-sp8192, golf-1xgpu-sp8192, golf-cpu-sp8192, golf-caseops8192, golf-1xgpu-caseops8192, "
        "golf-cpu-caseops8192",
    )


def test_a_division_may_take_only_some_techniques_in_a_free_slot():
    assert STATE_SPACE.breaches(BASE.replaced("mixer", [Pick("mamba")])) == []
    assert ATTENTION.breaches(BASE.replaced("mixer", [Pick("mamba")])) == [
        "mixer is mamba, but attention takes softmax, sliding_window, gqa, sparse, differential"
    ]


@pytest.mark.parametrize("division", DIVISIONS, ids=lambda d: d.name)
def test_every_entrant_is_a_technique_and_the_baseline_is_one(division):
    for slot, allowed in division.entrants.items():
        assert set(allowed) <= {t.name for t in CATALOG[slot]}
        assert division.fixed.pick(slot).name in allowed
