"""The arithmetic of the plot: no widget, no app."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena_tui.widgets.curves import Ema, Range, Smoother, clipped, column_spans, ema, fit, nearest
from arena_tui.widgets.plot_axes import log_ticks, ticks, value_label

VALUES = st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=60)
WEIGHTS = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.98])


@given(VALUES, WEIGHTS, st.integers(0, 60))
def test_the_average_of_a_prefix_is_the_prefix_of_the_average(values, weight, cut):
    y = np.array(values, dtype=np.float64)
    np.testing.assert_array_equal(ema(y[:cut], weight), ema(y, weight)[:cut])


@given(VALUES, WEIGHTS, st.integers(0, 60))
def test_an_average_that_goes_on_equals_one_made_at_once(values, weight, cut):
    y, parts = np.array(values, dtype=np.float64), Ema(weight)
    np.testing.assert_array_equal(np.concatenate([parts.extend(y[:cut]), parts.extend(y[cut:])]), ema(y, weight))


def test_the_average_of_a_constant_is_that_constant_from_the_first_step():
    np.testing.assert_allclose(ema(np.full(50, 3.25), 0.98), 3.25, rtol=1e-12)


def test_the_average_follows_its_definition():
    # (1 - b) sum b^(n-i) y_i / (1 - b^n) at n = 3, b = 0.5
    assert ema(np.array([4.0, 2.0, 1.0]), 0.5)[2] == pytest.approx((0.5 * 1 + 0.25 * 2 + 0.125 * 4) / 0.875)


def test_a_nan_stays_a_gap_and_leaves_the_memory_alone():
    with_gap, without = ema(np.array([1.0, np.nan, np.inf, 3.0]), 0.9), ema(np.array([1.0, 3.0]), 0.9)
    assert np.isnan(with_gap[1:3]).all()
    np.testing.assert_array_equal(with_gap[[0, 3]], without)


def test_the_smoother_notices_a_changed_past_and_a_changed_weight():
    smoother, y = Smoother(), np.arange(10.0)
    smoother.smooth("a", y, 0.9)
    y[2] = 99.0
    np.testing.assert_array_equal(smoother.smooth("a", y, 0.9), ema(y, 0.9))
    np.testing.assert_array_equal(smoother.smooth("a", y[:4], 0.9), ema(y[:4], 0.9))
    np.testing.assert_array_equal(smoother.smooth("a", y, 0.5), ema(y, 0.5))


def test_a_one_step_spike_among_100k_points_is_in_its_column():
    y = np.ones(100_000)
    y[54_321] = 9.0
    column = np.arange(100_000) * 200 // 100_000
    low, high = column_spans(column, y, 200)
    assert high[108] == 9.0
    assert low[108] == 1.0
    assert np.nanmax(np.delete(high, [107, 108, 109])) == 1.0


def test_neighbouring_columns_are_joined_without_a_hole():
    low, high = column_spans(np.array([0, 1, 2]), np.array([0.0, 10.0, 0.0]), 3)
    assert high[0] == low[1] == high[2] == 5.0
    assert high[1] == 10.0


def test_columns_without_a_point_get_the_straight_line():
    low, high = column_spans(np.array([0, 4]), np.array([0.0, 8.0]), 5)
    np.testing.assert_allclose((low[1:4] + high[1:4]) / 2, [2.0, 4.0, 6.0])


def test_a_nan_breaks_the_line():
    low, _ = column_spans(np.array([0, 2, 4]), np.array([1.0, np.nan, 1.0]), 5)
    np.testing.assert_array_equal(np.isnan(low), [False, True, True, True, False])


def test_a_line_from_outside_enters_the_plot_at_its_edge():
    low, high = column_spans(np.array([-10, 10]), np.array([0.0, 20.0]), 5)
    np.testing.assert_allclose((low + high) / 2, [10.0, 11.0, 12.0, 13.0, 14.0])


def test_a_curve_with_no_finite_value_is_absent_everywhere():
    low, high = column_spans(np.array([0, 1]), np.array([np.nan, np.nan]), 3)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_a_constant_gets_a_range_around_it():
    shown = fit([np.full(9, 2.0)], robust=True)
    assert shown.low < 2.0 < shown.high
    assert fit([np.zeros(3)], robust=False).span > 0


def test_a_robust_range_leaves_a_lone_outlier_out_and_a_full_one_does_not():
    y = np.append(np.linspace(1.0, 2.0, 500), 1e4)
    assert fit([y], robust=True).high < 2.1
    assert fit([y], robust=False).high > 1e4


def test_a_robust_range_keeps_ordinary_noise_whole():
    y = np.random.default_rng(0).normal(2.0, 0.1, 5_000)
    shown = fit([y], robust=True)
    assert clipped([y], shown).above == clipped([y], shown).below == 0


def test_nothing_finite_has_no_range():
    assert fit([], robust=True) is None
    assert fit([np.array([np.nan])], robust=True) is None


def test_clipped_counts_every_point_beyond_either_edge():
    counts = clipped([np.array([0.5, 3.0, 7.14, np.nan]), np.array([4.0])], Range(1.0, 2.5))
    assert (counts.above, counts.highest, counts.below, counts.lowest) == (3, 7.14, 1, 0.5)


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (0, 500, 6, ["0", "100", "200", "300", "400", "500"]),
        (1.31, 3.6, 6, ["1.5", "2.0", "2.5", "3.0", "3.5"]),
        (-0.1, 0.1, 5, ["-0.10", "-0.05", "0", "0.05", "0.10"]),
        (0, 100_000, 6, ["0", "20k", "40k", "60k", "80k", "100k"]),
        (0, 2_500, 6, ["0", "500", "1000", "1500", "2000", "2500"]),
        (0, 5e6, 6, ["0", "1M", "2M", "3M", "4M", "5M"]),
        (0, 3e-7, 4, ["0", "1e-7", "2e-7", "3e-7"]),
    ],
)
def test_ticks_are_multiples_of_one_two_five(low, high, most, labels):
    assert [tick.label for tick in ticks(low, high, most)] == labels


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(1, 20))
def test_ticks_lie_inside_fit_and_never_repeat_a_label(low, span, most):
    marks = ticks(low, low + span, most)
    labels = [tick.label for tick in marks]
    assert len(set(labels)) == len(labels) <= most
    assert "-0" not in labels
    assert all(low - 1e-6 * span - 1e-6 <= tick.at <= low + span * 1.000001 + 1e-6 for tick in marks)


@given(st.floats(-12, 12), st.floats(0.001, 20), st.integers(1, 12))
def test_log_ticks_fit_and_never_repeat_a_label(low, span, most):
    labels = [tick.label for tick in log_ticks(low, low + span, most)]
    assert len(set(labels)) == len(labels) <= most


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (0.0, 4.0, 5, ["1", "10", "100", "1000", "1e4"]),
        (0.0, 1.0, 5, ["1", "2", "5", "10"]),
        (-4.0, 4.0, 4, ["0.001", "1", "1000"]),
        (np.log10(1.3), np.log10(1.9), 4, ["1.4", "1.6", "1.8"]),
    ],
)
def test_log_ticks_are_powers_or_plain_values_within_a_decade(low, high, most, labels):
    marks = log_ticks(low, high, most)
    assert [tick.label for tick in marks] == labels
    np.testing.assert_allclose([10**tick.at for tick in marks], [float(label) for label in labels], rtol=1e-9)


@pytest.mark.parametrize(
    ("value", "label"), [(1.40201, "1.4020"), (9412.3, "9412.3"), (0.0, "0.0000"), (2e-5, "2.00e-5"), (np.nan, "-")]
)
def test_a_value_reads_with_the_digits_that_matter(value, label):
    assert value_label(value) == label


@pytest.mark.parametrize(("at", "index"), [(-5, 0), (1.4, 0), (1.6, 1), (99, 2)])
def test_nearest_is_the_closest_point(at, index):
    assert nearest(np.array([1.0, 2.0, 3.0]), at) == index
