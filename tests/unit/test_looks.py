"""Power, seeds, looks and corrections, each against a calculation of another kind."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from autoresearch.looks import (
    MOST_SEEDS,
    holm,
    least_seeds,
    paired_power,
    planned_looks,
    pooled_power,
    seeds_needed,
    welch_power,
)

calm = settings(max_examples=30, deadline=None)

# search.md 4.6: simulated, alpha 0.01, sigma 0.0007 nats/byte
POWERS = {3: (0.08, 0.36, 0.70), 5: (0.28, 0.90, 1.00), 7: (0.50, 0.99, 1.00), 10: (0.73, 1.00, 1.00)}
# the same for the paired test at a gain of 0.002 and correlations 0.1 and 0.8
PAIRED_POWERS = {3: (0.25, 0.71), 5: (0.78, 1.00), 7: (0.97, 1.00), 10: (1.00, 1.00)}


def welch_ps(new, old):
    """One-sided p of every row, by the formula of Welch 1947."""
    part_new, part_old = new.var(1, ddof=1) / new.shape[1], old.var(1, ddof=1) / old.shape[1]
    df = (part_new + part_old) ** 2 / (part_new**2 / (new.shape[1] - 1) + part_old**2 / (old.shape[1] - 1))
    return stats.t.cdf((new.mean(1) - old.mean(1)) / np.sqrt(part_new + part_old), df)


@pytest.mark.parametrize(("n", "powers"), POWERS.items())
def test_welch_power_is_that_of_the_measured_table(n, powers):
    assert [welch_power(gain, 0.0007, n, n, 0.01) for gain in (0.001, 0.002, 0.003)] == pytest.approx(powers, abs=0.02)


@pytest.mark.parametrize(("n", "powers"), PAIRED_POWERS.items())
def test_paired_power_is_that_of_the_measured_table(n, powers):
    sds = [0.0007 * math.sqrt(2 * (1 - correlation)) for correlation in (0.1, 0.8)]
    assert [paired_power(0.002, sd, n, 0.01) for sd in sds] == pytest.approx(powers, abs=0.02)


@pytest.mark.parametrize(("n_new", "n_old", "gain"), [(2, 2, 6.0), (3, 3, 2.0), (3, 7, 2.0), (6, 2, 2.0)])
def test_welch_power_is_what_simulation_finds(n_new, n_old, gain):
    draw = np.random.default_rng(17)
    ps = welch_ps(draw.normal(-gain, 1, (20_000, n_new)), draw.normal(0, 1, (20_000, n_old)))
    # three standard errors of 20,000 draws are 0.0106 at most
    assert welch_power(gain, 1.0, n_new, n_old, 0.05) == pytest.approx(np.mean(ps < 0.05), abs=0.0106)


def test_pooled_power_is_what_simulation_finds():
    draw = np.random.default_rng(19)
    sigma = np.sqrt(draw.chisquare(6, 20_000) / 6)
    t = draw.normal(2, math.sqrt(2 / 2), 20_000) / (sigma * math.sqrt(2 / 2))
    assert pooled_power(2.0, 1.0, 6, 2, 0.05) == pytest.approx(np.mean(stats.t.sf(t, 6) < 0.05), abs=0.0106)


@calm
@given(st.integers(2, 10), st.floats(0.1, 5), st.sampled_from((0.01, 0.05, 0.25)))
def test_a_larger_gain_and_another_seed_each_add_power(n, gain, alpha):
    here = welch_power(gain, 1.0, n, n, alpha)
    assert here <= welch_power(gain * 1.1, 1.0, n, n, alpha) + 1e-9
    assert here <= welch_power(gain, 1.0, n + 1, n + 1, alpha) + 1e-6


def test_with_many_seeds_power_is_that_of_a_normal_test():
    assert welch_power(0.2, 1.0, 400, 400, 0.05) == pytest.approx(
        stats.norm.sf(stats.norm.isf(0.05) - 0.2 / math.sqrt(2 / 400)), abs=2e-3
    )


def test_the_needed_seeds_are_the_least_that_reach_the_power():
    needed = seeds_needed(0.001, 0.0007, 0.01)
    assert welch_power(0.001, 0.0007, needed, needed, 0.01) >= 0.8
    assert welch_power(0.001, 0.0007, needed - 1, needed - 1, 0.01) < 0.8


def test_five_seeds_show_a_gain_of_three_sigma():
    assert seeds_needed(0.002, 0.0007, 0.01) == 5


@pytest.mark.parametrize("gain", [0.0, -0.002, 0.00001])
def test_a_gain_out_of_reach_has_no_number_of_seeds(gain):
    assert seeds_needed(gain, 0.0007, 0.01) is None


@pytest.mark.parametrize("first", [2, 3, 17, 511, MOST_SEEDS])
def test_the_least_seeds_are_found_wherever_they_are(first):
    assert least_seeds(lambda n: float(n >= first)) == first


def closed_holm(ps):
    """Adjusted p by the closure principle: the largest Bonferroni p of all sets of hypotheses that hold this one."""
    sets = [s for size in range(1, len(ps) + 1) for s in itertools.combinations(range(len(ps)), size)]
    return [max(min(1.0, len(s) * min(ps[j] for j in s)) for s in sets if i in s) for i in range(len(ps))]


@calm
@given(st.lists(st.floats(0, 1), max_size=6))
def test_holm_is_the_closure_of_bonferroni(ps):
    assert holm(ps) == pytest.approx(closed_holm(ps))


def test_holm_of_a_hand_example():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@calm
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_lowers_a_p(ps):
    adjusted = holm(ps)
    assert all(a >= p for a, p in zip(adjusted, ps, strict=True))
    assert all(adjusted[i] <= adjusted[j] for i in range(len(ps)) for j in range(len(ps)) if ps[i] <= ps[j])


def test_the_looks_of_five_equal_steps_are_the_published_bounds():
    # Lan-DeMets with O'Brien-Fleming spending, one-sided 0.025: the bounds that every group-sequential text tables
    looks = planned_looks(0.025, (2, 4, 6, 8, 10))
    assert [stats.norm.isf(look.alpha) for look in looks] == pytest.approx(
        [4.877, 3.357, 2.680, 2.290, 2.031], abs=1e-3
    )


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.25])
def test_the_whole_error_is_spent_at_the_last_look_and_little_at_the_first(alpha):
    looks = planned_looks(alpha)
    assert [look.n for look in looks] == [3, 5, 7]
    assert looks[-1].spent == pytest.approx(alpha)
    assert looks[0].alpha < looks[1].alpha < looks[2].alpha < alpha
    assert looks[0].alpha < alpha / 3


def test_one_look_alone_has_all_of_alpha():
    assert planned_looks(0.01, (5,))[0].alpha == pytest.approx(0.01)


@pytest.mark.parametrize("ns", [(), (5, 3), (3, 3), (1, 3)])
def test_looks_must_rise_and_hold_a_spread(ns):
    with pytest.raises(ValueError, match="rising numbers of seeds"):
        planned_looks(0.01, ns)


@pytest.fixture(scope="module")
def null_ps():
    """p of Welch's test after 3, 5 and 7 seeds of 60,000 experiments without any effect."""
    draw = np.random.default_rng(7)
    new, old = draw.normal(size=(2, 60_000, 7))
    return {n: welch_ps(new[:, :n], old[:, :n]) for n in (3, 5, 7)}


@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_planned_looks_together_err_no_more_than_alpha(null_ps, alpha):
    erred = np.mean(np.any([null_ps[look.n] < look.alpha for look in planned_looks(alpha)], axis=0))
    assert alpha / 2 < erred < alpha + 3 * math.sqrt(alpha * (1 - alpha) / 60_000)


def test_looking_each_time_at_full_alpha_errs_nearly_twice_as_often(null_ps):
    assert np.mean(np.any([ps < 0.05 for ps in null_ps.values()], axis=0)) > 0.085


def test_three_candidates_under_holm_at_three_looks_err_no_more_than_alpha():
    draw = np.random.default_rng(23)
    *news, old = draw.normal(size=(4, 20_000, 7))
    # under the null of all three, Holm errs when the least p is below a third of the level
    crossed = [
        3 * np.min([welch_ps(new[:, : look.n], old[:, : look.n]) for new in news], axis=0) < look.alpha
        for look in planned_looks(0.05)
    ]
    assert np.mean(np.any(crossed, axis=0)) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 20_000)
