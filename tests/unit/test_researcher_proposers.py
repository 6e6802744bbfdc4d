"""Local edits and the mixture: what they may propose, on the landscape and on the real space."""

import random
import statistics
from collections import Counter
from dataclasses import replace

import landscape
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from landscape_search import POLICIES, best_so_far, researcher
from ledger_rows import SPEC

from autoresearch.researcher.local import changed, drawn_from, local_edit
from autoresearch.researcher.mixture import SHARES, phase_of, proposer
from autoresearch.space import Space
from bench.knobs import Choice, Span

SEEDS = st.integers(0, 2**32)


def neighbour(incumbent, seed, known=lambda params: False):
    rng = random.Random(seed)
    return local_edit(landscape.walk, incumbent, lambda name, values: drawn_from(values, rng), rng, known)


def differing(one, other):
    """Choices that both have, with different values."""
    return [name for name in one if name in other and one[name] != other[name]]


@settings(max_examples=50, deadline=None)
@given(SEEDS)
def test_a_neighbour_differs_in_one_or_two_choices_and_stays_in_range(seed):
    edited = neighbour(landscape.BASELINE, seed)
    assert 1 <= len(differing(landscape.BASELINE, edited)) <= 2
    assert landscape.walk(lambda name, values: edited[name]) == edited


def test_seven_neighbours_in_ten_differ_in_one_choice():
    counts = Counter(len(differing(landscape.BASELINE, neighbour(landscape.BASELINE, seed))) for seed in range(400))
    assert 0.63 < counts[1] / 400 < 0.77


def test_a_technique_switched_on_brings_its_knob():
    switched = [n for seed in range(300) if (n := neighbour(landscape.BASELINE, seed))["xsa"]]
    assert switched
    assert all(1 <= n["xsa.k"] <= 11 for n in switched)


def test_a_known_neighbour_is_drawn_again():
    first = neighbour(landscape.BASELINE, 3)
    assert neighbour(landscape.BASELINE, 3, known=lambda params: params == first) != first


def test_when_everything_is_known_it_still_answers():
    assert neighbour(landscape.BASELINE, 3, known=lambda params: True)


def test_the_same_seed_gives_the_same_neighbour():
    assert neighbour(landscape.BASELINE, 8) == neighbour(landscape.BASELINE, 8)


def test_a_learning_rate_is_jittered_and_stays_in_its_range():
    rng = random.Random(0)
    drawn = [changed("muon.lr", Span(1e-3, 1e-1, log=True), 0.09, rng) for _ in range(200)]
    assert max(drawn) == 0.1
    assert 0.01 < sorted(drawn)[20] < 0.09


@pytest.mark.parametrize("values", [Choice(("a", "b")), Span(1, 2), Span(0.1, 0.9)], ids=str)
def test_an_edit_never_proposes_what_is_there(values):
    now = values.options[0] if isinstance(values, Choice) else values.low
    assert all(changed("knob", values, now, random.Random(seed)) != now for seed in range(20))


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_on_the_real_space_a_neighbour_is_a_config_of_the_study(seed):
    space = Space(replace(SPEC, division_name="open"))
    baseline = space.params_of({})
    edited = local_edit(space.walk, baseline, space.unchanged, random.Random(seed))
    config, distributions = space.recall(edited)
    assert set(distributions) == set(edited)
    assert space.spec.division.breaches(config) == []
    assert differing(baseline, edited)


def test_shares_sum_to_one_in_every_phase():
    assert all(sum(shares.values()) == 1.0 for shares in SHARES.values())


@pytest.mark.parametrize(
    ("phase", "who", "share"), [(p, w, s) for p, shares in SHARES.items() for w, s in shares.items()]
)
def test_any_forty_trials_keep_the_shares(phase, who, share):
    for first in range(0, 400, 40):
        given_to = Counter(proposer(phase, 7, number) for number in range(first, first + 40))
        assert abs(given_to[who] - 40 * share) <= 2


def test_a_proposer_depends_on_seed_and_number_alone():
    said = [[proposer("search", seed, number) for number in range(30)] for seed in (1, 2)]
    assert said[0] == [proposer("search", 1, number) for number in range(30)]
    assert said[0] != said[1]


def test_the_short_search_is_for_few_trials_and_known_recipes():
    assert [phase_of(60, 2), phase_of(61, 2), phase_of(50, 0)] == ["short search", "search", "search"]


def median_best(policy, n_trials, seeds, recipes=()):
    found = [best_so_far(POLICIES[policy], seed, n_trials, recipes)[-1] for seed in seeds]
    return statistics.median(found)


def test_with_recipes_fifty_trials_of_the_mixture_beat_tpe_and_tpe_beats_random():
    assert phase_of(50, len(landscape.RECIPES)) == "short search"
    random_, tpe, mixture = (
        median_best(policy, 50, range(5), landscape.RECIPES) for policy in ("random", "tpe", "short search")
    )
    assert mixture < tpe < random_


@pytest.mark.slow
def test_with_recipes_150_trials_of_the_mixture_beat_tpe_and_tpe_beats_random():
    assert phase_of(150, len(landscape.RECIPES)) == "search"
    random_, tpe, mixture = (
        median_best(policy, 150, range(12), landscape.RECIPES) for policy in ("random", "tpe", "search")
    )
    assert mixture < tpe < random_


@pytest.mark.slow
@pytest.mark.parametrize("n_trials", [50, 150])
def test_from_the_baseline_alone_both_beat_random_and_the_mixture_is_no_worse_than_tpe(n_trials):
    random_, tpe, mixture = (median_best(policy, n_trials, range(12)) for policy in ("random", "tpe", "search"))
    assert max(tpe, mixture) < random_
    # twelve medians of either stray by this much
    assert mixture < tpe + 0.002


@pytest.mark.parametrize(
    ("n_trials", "seeds", "recipes", "tie"),
    [
        pytest.param(50, range(8), landscape.RECIPES, 0.0, id="50, with recipes"),
        pytest.param(50, range(8), (), 0.0, id="50, from the baseline"),
        pytest.param(150, range(12), landscape.RECIPES, 0.0, id="150, with recipes", marks=pytest.mark.slow),
        # a tie: 1.1664 against 1.1654, where a mean of twelve strays by 0.0021 and another processor's rounding decides
        pytest.param(150, range(12), (), 0.002, id="150, from the baseline", marks=pytest.mark.slow),
    ],
)
def test_the_researchers_phases_beat_tpe_and_tpe_beats_random(n_trials, seeds, recipes, tie):
    policies = (researcher(n_trials), POLICIES["tpe"], POLICIES["random"])
    phases, tpe, random_ = (
        statistics.fmean(best_so_far(policy, seed, n_trials, recipes)[-1] for seed in seeds) for policy in policies
    )
    assert phases <= tpe + tie
    assert tpe <= random_


def test_a_learning_rate_is_moved_three_times_as_often_as_another_choice():
    moved = Counter(
        n for seed in range(1500) for n in differing(landscape.BASELINE, neighbour(landscape.BASELINE, seed))
    )
    others = [moved[name] for name in ("layers", "quant", "seq", "weight_decay")]
    assert 2.3 < moved["muon.lr"] / statistics.fmean(others) < 3.7
