"""Zoom and pan as arithmetic."""

import math

import pytest

from arena_tui.widgets.curves import Range
from arena_tui.widgets.plot_window import panned, zoomed

WHOLE = Range(0.0, 500.0)


def test_zooming_keeps_the_anchor_where_it_is() -> None:
    assert zoomed(WHOLE, WHOLE, 1, 100.0, False) == (50.0, 300.0)
    assert zoomed(Range(50.0, 300.0), WHOLE, -1, 100.0, False) is None


def test_on_a_logarithmic_axis_half_is_half_the_decades() -> None:
    whole = Range(1.0, 10_000.0)
    low, high = zoomed(whole, whole, 1, 10_000.0, True) or (0, 0)
    assert (low, high) == pytest.approx((100.0, 10_000.0))
    assert panned(Range(low, high), whole, -0.5, True) == pytest.approx((10.0, 1000.0))


def test_panning_stops_at_both_ends_and_keeps_the_width() -> None:
    assert panned(Range(400.0, 450.0), WHOLE, 5.0, False) == (450.0, 500.0)
    assert panned(Range(10.0, 60.0), WHOLE, -5.0, False) == (0.0, 50.0)
    assert panned(WHOLE, WHOLE, 0.25, False) is None


def test_there_is_an_end_to_zooming_in() -> None:
    window = (0.0, 500.0)
    for _ in range(60):
        window = zoomed(Range(*window), WHOLE, 1, 250.0, False) or window
    assert math.isclose(window[1] - window[0], 0.05)
