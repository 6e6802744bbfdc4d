"""Effects with uncertainty, from simulated runs whose truth is known."""

import math
import random
import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoresearch.beliefs import PRIOR_SD, Beliefs, Observation, believe, expected_improvement
from bench.cards import cards
from bench.config import Pick, RunConfig
from bench.divisions import BASE

NOISE = 0.003
NAMES = [f"t{at:02d}" for at in range(12)]


def card(name: str, sign: int = 0, grade: str = "N", **more: object) -> dict[str, object]:
    return {"slot": "addons", "name": name, "prior": {"sign": sign, "grade": grade, "base": "elsewhere"}} | more


CARDS = [card(name) for name in NAMES]


def config(names: Iterable[str] = (), lr: float | None = None) -> RunConfig:
    made = BASE.replaced("addons", [Pick(name) for name in names])
    if lr is None:
        return made
    adamw = made.pick("optimizer")
    return made.replaced("optimizer", [replace(adamw, knobs={**adamw.knobs, "lr": lr})])


def runs(
    n: int, effects: Mapping[str, float], together: float = 0.0, names: list[str] = NAMES, seed: int = 0
) -> list[Observation]:
    """Random stacks; t00 and t01 have `together` beyond their sum."""
    rng = random.Random(seed)
    made = []
    for at in range(n):
        chosen = [name for name in names if rng.random() < 0.3] if at else []
        loss = 1.4 + sum(effects.get(name, 0.0) for name in chosen) + rng.gauss(0, NOISE)
        loss += together * ("t00" in chosen and "t01" in chosen)
        made.append(Observation(f"#{at}", config(chosen), loss))
    return made


EFFECTS = {name: (at - 5) * 0.006 for at, name in enumerate(NAMES)}


def test_known_effects_are_recovered():
    beliefs = believe(runs(80, EFFECTS), NOISE, CARDS, BASE)
    off = [abs(beliefs.effect(name).mean - EFFECTS[name]) / beliefs.effect(name).sd for name in NAMES]
    assert max(off) < 2.5
    assert sum(z < 2 for z in off) >= 11
    assert max(beliefs.effect(name).sd for name in NAMES) < NOISE


def test_a_planted_interaction_is_found_and_sized():
    beliefs = believe(runs(80, EFFECTS, together=-0.02), NOISE, CARDS, BASE)
    pair = beliefs.pair("t01", "t00")
    assert pair is not None
    assert abs(pair.mean + 0.02) < 2 * pair.sd
    assert abs(beliefs.effect("t00").mean - EFFECTS["t00"]) < 2 * beliefs.effect("t00").sd


def test_without_an_interaction_few_pairs_are_suspected():
    assert len(believe(runs(80, EFFECTS), NOISE, CARDS, BASE).pairs()) <= 5


def test_without_runs_the_prior_speaks():
    known = [card("better", -1, "A"), card("worse", 1, "C"), card("unclear", -1, "N")]
    beliefs = believe([], NOISE, known, BASE)
    said = {name: beliefs.effect(name) for name in ("better", "worse", "unclear")}
    assert {name: belief.mean for name, belief in said.items()} == pytest.approx(
        {"better": -0.01, "worse": 0.005, "unclear": 0.0}
    )
    assert all(belief.from_prior and belief.sd == pytest.approx(PRIOR_SD) for belief in said.values())


def test_a_declared_need_is_a_pair_that_is_expected_to_help():
    wants = [card("a", needs=[{"other": "b"}], clashes=[{"other": "c"}]), card("b"), card("c")]
    beliefs = believe([], NOISE, wants, BASE)
    assert beliefs.pair("b", "a").mean == pytest.approx(-0.01)
    assert beliefs.pair("a", "c").mean == pytest.approx(0.01)
    assert beliefs.pair("b", "c") is None


def test_a_need_for_what_the_baseline_has_is_no_pair():
    assert believe([], NOISE, [card("a", needs=[{"other": "softmax"}]), *CARDS], BASE).pairs() == []


def test_more_runs_narrow_a_belief():
    widths = [believe(runs(n, EFFECTS), NOISE, CARDS, BASE).effect("t03").sd for n in (1, 10, 40, 160)]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 4


def test_the_number_of_runs_behind_a_belief_is_told():
    rows = [Observation("#0", config(), 1.4), Observation("#1", config(["t00"]), 1.39)]
    beliefs = believe(rows, NOISE, CARDS, BASE)
    assert (beliefs.effect("t00").n_runs, beliefs.effect("t00").from_prior) == (1, False)
    assert (beliefs.effect("t01").n_runs, beliefs.effect("t01").from_prior) == (0, True)


ROWS = runs(12, EFFECTS)


@settings(max_examples=15, deadline=None)
@given(st.permutations(ROWS))
def test_the_order_of_runs_does_not_matter(rows):
    one, other = believe(ROWS, NOISE, CARDS, BASE), believe(rows, NOISE, CARDS, BASE)
    assert np.array_equal(one.mean, other.mean)
    assert np.array_equal(one.covariance, other.covariance)
    assert one.incumbent == other.incumbent


def test_a_run_that_diverged_flips_no_sign():
    rows = runs(60, EFFECTS)
    diverged = next(row for row in rows if len(row.config.picks["addons"]) >= 5)
    broken = [replace(row, val_loss=row.val_loss + 1.0) if row is diverged else row for row in rows]
    clean, hit = believe(rows, NOISE, CARDS, BASE), believe(broken, NOISE, CARDS, BASE)
    for name in NAMES:
        assert abs(clean.effect(name).mean - hit.effect(name).mean) < NOISE


def test_accidents_here_and_there_leave_the_noise_and_the_effects_as_they_are():
    rng = random.Random(100)
    rows = [replace(row, val_loss=row.val_loss + (rng.random() < 0.05)) for row in runs(100, EFFECTS)]
    assert sum(row.val_loss > 2 for row in rows) >= 3
    beliefs = believe(rows, NOISE, CARDS, BASE)
    assert beliefs.noise_sd < 1.3 * NOISE
    assert all(abs(beliefs.effect(name).mean - EFFECTS[name]) < 3 * beliefs.effect(name).sd for name in NAMES)


def test_of_two_seeds_that_disagree_the_one_like_the_rest_is_believed():
    rows = runs(40, {}, names=NAMES[1:])
    pair = [Observation("#90", config(["t00"]), 1.39), Observation("#91", config(["t00"]), 2.4)]
    belief = believe([*rows, *pair], NOISE, CARDS, BASE).effect("t00")
    assert abs(belief.mean + 0.01) < 3 * belief.sd < 0.02


def test_one_awful_run_does_not_condemn_its_technique_and_two_do():
    rows = runs(40, EFFECTS, names=NAMES[1:])
    awful = Observation("#90", config(["t00"]), 2.4)
    once = believe([*rows, awful], NOISE, CARDS, BASE).effect("t00")
    twice = believe([*rows, awful, replace(awful, trial="#91")], NOISE, CARDS, BASE).effect("t00")
    assert 0.03 < once.mean < 0.06
    assert once.sd > 0.02
    assert twice.mean > 0.5


def test_a_worse_run_never_makes_its_technique_more_promising():
    rows = runs(40, {}, names=NAMES[1:])
    tries = [Observation("#90", config(["t00"]), 1.4 + off) for off in (0.0, 0.02, 0.05, 0.1, 0.15, 0.3, 1.0)]
    hopes = []
    for row in tries:
        belief = believe([*rows, row], NOISE, CARDS, BASE).effect("t00")
        hopes.append(expected_improvement(belief.mean, belief.sd))
    assert max(hopes) == hopes[0]
    assert max(hopes[1:]) < hopes[0] / 4


def test_two_settings_that_both_fail_to_help_are_no_accident():
    rows = runs(40, {}, names=NAMES[1:])
    tries = [
        Observation(f"#9{at}", config(["t00"], lr=lr), 1.4 + off)
        for at, (lr, off) in enumerate([(8e-3, 0.3), (1e-3, 0.9)])
    ]
    assert believe([*rows, *tries], NOISE, CARDS, BASE).effect("t00").mean > 0.25


def test_of_one_stacks_settings_the_best_speaks():
    rows = runs(40, {}, names=NAMES[1:])
    tuned = Observation("#90", config(["t00"], lr=8e-3), 1.38)
    untuned = [Observation(f"#9{at}", config(["t00"], lr=8e-3 * 3**at), 1.38 + 0.1 * at) for at in (1, 2, 3)]
    belief = believe([*rows, tuned, *untuned], NOISE, CARDS, BASE).effect("t00")
    assert abs(belief.mean + 0.02) < 2 * belief.sd < 0.01
    assert belief.n_runs == 4


def test_a_great_run_is_believed_at_once():
    great = Observation("#90", config(["t00"]), 1.2)
    rows = runs(40, {}, names=NAMES[1:])
    assert believe([*rows, great], NOISE, CARDS, BASE).effect("t00").mean < -0.15


def test_a_badly_tuned_run_does_not_condemn_what_ran_with_it():
    good = [Observation(f"#{at}", config([], lr=8e-3), 1.4) for at in range(3)]
    sweep = [
        Observation(f"#1{at}", config([], lr=8e-3 * f), 1.4 + 0.2 * math.log10(f) ** 2)
        for at, f in enumerate((0.2, 0.5, 3))
    ]
    bad = Observation("#20", config(["t00"], lr=8e-3 * 4), 1.4 + 0.2 * math.log10(4) ** 2 - 0.01)
    assert bad.val_loss > 1.46
    assert believe([*good, *sweep, bad], NOISE, CARDS, BASE).effect("t00").mean < 0.0


def test_noise_beyond_the_seeds_is_taken_from_the_runs():
    rng = random.Random(1)
    rows = [replace(row, val_loss=row.val_loss + rng.gauss(0, 0.012)) for row in runs(120, EFFECTS)]
    assert believe(rows, NOISE, CARDS, BASE).noise_sd == pytest.approx(math.hypot(0.012, NOISE), rel=0.3)


def test_the_posterior_equals_a_brute_force_solve():
    rows = runs(30, EFFECTS)
    beliefs = believe(rows, 0.05, CARDS, BASE)
    assert beliefs.noise_sd == 0.05
    assert beliefs.pairs() == []
    X = np.array([[1.0, *(float(Pick(name) in row.config.picks["addons"]) for name in NAMES)] for row in rows])
    y = np.array([row.val_loss for row in rows])
    prior = np.linalg.inv(np.diag([1.0] + [PRIOR_SD**2] * len(NAMES)))
    covariance = np.linalg.inv(prior + X.T @ X / 0.05**2)
    mean = covariance @ (X.T @ (y - np.median(y))) / 0.05**2
    np.testing.assert_allclose([beliefs.effect(name).mean for name in NAMES], mean[1:], rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose([beliefs.effect(name).sd for name in NAMES], np.sqrt(np.diag(covariance))[1:], rtol=1e-9)


def test_what_is_expected_of_a_stack_is_relative_to_the_best_run():
    beliefs = believe(runs(80, EFFECTS), NOISE, CARDS, BASE)
    best = min(beliefs.observations, key=lambda o: o.val_loss)
    assert beliefs.expected(best.config) == (0.0, 0.0)
    mean, sd = beliefs.difference(config(["t02"]), config())
    assert (mean, sd) == pytest.approx((beliefs.effect("t02").mean, beliefs.effect("t02").sd))


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (-1.0, 0.5), (2.0, 1.0), (0.5, 3.0)])
def test_expected_improvement_agrees_with_many_draws(mean, sd):
    drawn = np.maximum(0.0, -np.random.default_rng(0).normal(mean, sd, 400_000))
    assert expected_improvement(mean, sd) == pytest.approx(drawn.mean(), abs=4 * drawn.std() / math.sqrt(len(drawn)))


def test_expected_improvement_is_exact_at_its_ends():
    assert expected_improvement(-0.5, 0.0) == 0.5
    assert expected_improvement(0.5, 0.0) == 0.0
    assert expected_improvement(30.0, 1.0) >= 0.0


def test_value_is_per_unit_of_cost():
    beliefs = believe([], NOISE, CARDS, BASE)
    dear, cheap = (beliefs.expected_value(config(["t00"]), config(), cost) for cost in (2.0, 1.0))
    assert dear == cheap / 2 > 0


def test_a_thousand_runs_of_120_techniques_take_under_two_seconds():
    names = [f"u{at:03d}" for at in range(120)]
    rng = random.Random(0)
    rows = [Observation(f"#{at}", config(rng.sample(names, 6)), 1.4 + rng.gauss(0, NOISE)) for at in range(1000)]
    begun = time.process_time()
    believe(rows, NOISE, [card(name) for name in names], BASE)
    assert time.process_time() - begun < 2.0


def test_the_catalogs_own_cards_are_understood():
    beliefs: Beliefs = believe([], NOISE, cards(), BASE)
    assert ("ema", "xsa") in beliefs.pairs()
    assert statistics.fmean(beliefs.effect(name).sd for name in ("xsa", "muon")) == pytest.approx(PRIOR_SD)
