"""Noise pooled from replicates, what pairing by seed buys, and two techniques together."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from autoresearch.noise import Cells, Noise, Sample, Together, interaction, noise_of, pairing_ratio, pooled_noise

# examples take as long as the machine is busy
calm = settings(max_examples=50, deadline=None)


def sample(*scores):
    return Sample(dict(enumerate(scores, start=1001)))


def test_pooled_sigma_weighs_each_config_by_its_degrees_of_freedom():
    # sums of squares 2 and 0.5 about means 2 and 10.5, with 2 and 1 degrees of freedom
    assert pooled_noise([sample(1.0, 2.0, 3.0), sample(10.0, 11.0)]).sigma == pytest.approx(math.sqrt(2.5 / 3))


def test_the_interval_of_sigma_is_the_chi_square_one():
    noise = pooled_noise([sample(1.0, 2.0, 3.0), sample(10.0, 11.0)])
    low, high = stats.chi2.interval(0.95, 3)
    assert (noise.low, noise.high) == pytest.approx((math.sqrt(2.5 / high), math.sqrt(2.5 / low)))


def test_the_interval_of_sigma_covers_the_truth_19_times_in_20():
    scores = np.random.default_rng(5).normal(1.14, 0.0007, (1000, 2, 3))
    noises = [pooled_noise([sample(*map(float, a)), sample(*map(float, b))]) for a, b in scores]
    assert sum(noise.low < 0.0007 < noise.high for noise in noises) / 1000 == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("samples", [[], [sample(1.1), sample(1.2)], [sample(1.1, 1.1, 1.1)]])
def test_without_replicates_that_differ_there_is_no_noise_to_divide_by(samples):
    assert pooled_noise(samples) is None


@calm
@given(st.lists(st.lists(st.floats(1, 2), min_size=1, max_size=4), min_size=1, max_size=5), st.permutations(range(5)))
def test_the_order_of_configs_does_not_change_the_noise(groups, order):
    one, other = (
        pooled_noise([sample(*g) for g in groups]),
        pooled_noise([sample(*groups[i]) for i in order if i < len(groups)]),
    )
    assert (one is None) == (other is None)
    if one is not None:
        assert (one.df, one.sigma) == (other.df, pytest.approx(other.sigma))


STEADY = sample(1.030, 1.032, 1.034)
SHAKY = sample(1.36, 1.35, 1.44, 1.37, 1.33)


def test_a_shaky_baseline_says_nothing_of_a_steady_stack():
    assert noise_of([STEADY], [SHAKY, STEADY]) == pooled_noise([STEADY])
    assert noise_of([SHAKY], [SHAKY, STEADY]) == pooled_noise([SHAKY])


def test_configs_that_may_be_as_noisy_lend_their_replicates():
    alike = sample(1.30, 1.303, 1.309)
    assert noise_of([STEADY], [alike, sample(2.0)]) == pooled_noise([STEADY, alike])


def test_arms_of_one_seed_each_have_the_noise_of_all_there_are():
    assert noise_of([sample(1.2)], [SHAKY, STEADY]) == pooled_noise([SHAKY, STEADY])


def test_one_config_in_twenty_of_equal_noise_is_taken_for_another():
    scores = np.random.default_rng(6).normal(1.14, 0.0007, (2000, 8))
    pairs = [(sample(*map(float, row[:3])), sample(*map(float, row[3:]))) for row in scores]
    assert sum(noise_of([one], [other]).df == 2 for one, other in pairs) / 2000 == pytest.approx(0.05, abs=0.015)


NOISE = Noise(sigma=0.0007, low=0.0005, high=0.0012, df=12)


def test_a_delta_under_two_sigma_root_two_of_single_runs_is_inconclusive():
    assert NOISE.single_run_bound == pytest.approx(0.00198, abs=1e-5)
    assert NOISE.describe(-0.0019) == (
        "-0.00190 nats/byte, -2.7 sigma: inconclusive, "
        "within the 0.00198 nats/byte that two single runs differ by chance"
    )


def test_a_delta_beyond_the_bound_earns_seeds_and_not_a_win():
    assert NOISE.describe(-0.0021) == (
        "-0.00210 nats/byte, -3.0 sigma: worth more seeds, "
        "beyond the 0.00198 nats/byte that two single runs differ by chance"
    )


@pytest.mark.parametrize("scores", [{}, {1001: math.nan}, {1001: 1.1, 1002: math.inf}])
def test_a_sample_is_finite_scores(scores):
    with pytest.raises(ValueError, match="finite scores by seed"):
        Sample(scores)


def test_seeds_that_move_both_configs_alike_make_the_pairing_ratio_0():
    assert pairing_ratio([(sample(1.0, 2.0, 4.0), sample(2.0, 3.0, 5.0))]) == pytest.approx(0)


def test_seeds_that_move_each_config_by_itself_make_the_pairing_ratio_1():
    draws = np.random.default_rng(3).normal(size=(2, 2000)).tolist()
    assert pairing_ratio([(sample(*draws[0]), sample(*draws[1]))]) == pytest.approx(1, abs=0.07)


def test_the_pairing_ratio_pools_variances_over_shared_seeds_alone():
    one = Sample({1: 1.0, 2: 3.0, 3: 100.0}), Sample({1: 2.0, 2: 2.5, 4: -100.0})
    other = sample(1.0, 2.0, 4.0), sample(1.0, 2.5, 3.0)
    of_difference = statistics.variance([-1.0, 0.5]) + 2 * statistics.variance([0.0, -0.5, 1.0])
    of_both = 2.0 + 0.125 + 2 * (statistics.variance([1, 2, 4]) + statistics.variance([1, 2.5, 3]))
    assert pairing_ratio([one, other]) == pytest.approx(of_difference / of_both)


@pytest.mark.parametrize("pair", [(sample(1.1), sample(1.2)), (sample(1.1, 1.1), sample(1.2, 1.2))])
def test_there_is_no_pairing_ratio_without_spread_over_shared_seeds(pair):
    assert pairing_ratio([pair]) is None


def together(first, second, both, n=3, neither=1.20):
    arms = {"neither": neither, "first": first, "second": second, "both": both}
    return interaction(Cells(**{name: sample(*[mean] * n) for name, mean in arms.items()}), NOISE, 0.05)


def test_effects_that_add_up_are_no_interaction():
    assert together(1.18, 1.19, 1.17).kind is Together.NONE


def test_a_contrast_within_noise_is_no_interaction():
    # standard error 2 sigma / sqrt 3 = 0.00081
    assert together(1.18, 1.19, 1.171).kind is Together.NONE


def test_a_pair_better_than_the_sum_is_synergy():
    assert together(1.18, 1.19, 1.16).kind is Together.SYNERGY


def test_a_pair_as_good_as_the_better_one_alone_is_redundancy():
    assert together(1.18, 1.19, 1.18).kind is Together.REDUNDANCY


def test_a_pair_worse_than_the_better_one_alone_is_conflict():
    assert together(1.18, 1.19, 1.185).kind is Together.CONFLICT


def test_a_pair_worse_than_the_better_one_by_less_than_noise_is_redundancy():
    assert together(1.18, 1.19, 1.181).kind is Together.REDUNDANCY


def test_an_interaction_says_its_numbers():
    assert together(1.18, 1.19, 1.185).why == (
        "the pair is worse than the better one alone: contrast +0.01500 nats/byte "
        "(95 % interval +0.01324 to +0.01676), the pair against the better one alone +0.00500 nats/byte"
    )


def test_the_error_of_a_contrast_is_two_sigma_over_root_n_for_equal_cells():
    found = together(1.18, 1.19, 1.185)
    assert found.high - found.contrast == pytest.approx(stats.t.ppf(0.975, 12) * 2 * 0.0007 / math.sqrt(3))
    assert found.p == pytest.approx(2 * stats.t.sf(0.015 / (2 * 0.0007 / math.sqrt(3)), 12))


def test_cells_of_unequal_size_weigh_by_their_seeds():
    cells = Cells(neither=sample(1.2), first=sample(1.2, 1.2), second=sample(1.2, 1.2), both=sample(*[1.2] * 4))
    found = interaction(cells, NOISE, 0.05)
    assert found.high == pytest.approx(stats.t.ppf(0.975, 12) * 0.0007 * math.sqrt(1 + 1 / 2 + 1 / 2 + 1 / 4))


@calm
@given(*[st.floats(1.1, 1.3)] * 3)
def test_it_does_not_matter_which_technique_is_called_first(first, second, both):
    one, other = together(first, second, both), together(second, first, both)
    # the last bit may differ by the order of sums
    assert one.contrast == pytest.approx(other.contrast, abs=1e-12)
    assert one.kind is other.kind or abs(one.p - 0.05) < 1e-6


def test_redundant_techniques_are_rarely_called_a_conflict():
    # no true difference between the pair and either alone: the better of two is lucky, and the test allows for it
    draws = np.random.default_rng(11).normal([1.2, 1.18, 1.18, 1.18], 0.0007, (2000, 4))
    kinds = [
        interaction(
            Cells(neither=sample(a), first=sample(b), second=sample(c), both=sample(d)),
            Noise(sigma=0.0007, low=0.0006, high=0.0008, df=10_000),
            0.05,
        ).kind
        for a, b, c, d in draws.tolist()
    ]
    assert kinds.count(Together.REDUNDANCY) + kinds.count(Together.CONFLICT) == 2000
    assert kinds.count(Together.CONFLICT) / 2000 < 0.05 + 0.01
