"""curve.svg: valid XML whatever the curve and the title, with readable axes."""

import math
from xml.etree import ElementTree

import pytest

from autoresearch.submission.picture import HEIGHT, WIDTH, ticks, to_svg
from bench.records import Point

SVG = "{http://www.w3.org/2000/svg}"
CURVE = [Point(s, s / 4, 1 + 4 / s, 1.1 + 4 / s if s % 50 == 0 else None) for s in range(10, 501, 10)]


def drawn(points, title="a title"):
    return ElementTree.fromstring(to_svg(points, title))


def texts(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def test_both_curves_are_drawn_with_legend_axes_and_title():
    root = drawn(CURVE)
    assert len(list(root.iter(f"{SVG}polyline"))) == 2
    shown = texts(root)
    assert {"train_loss", "probe_loss", "step", "nats per byte", "a title", "0", "500"} <= set(shown)


@pytest.mark.parametrize(
    "points",
    [
        CURVE,
        [],
        [Point(1, 0.1, 5.0, 5.0)],
        [Point(10, 0.1, 2.0), Point(20, 0.2, 2.0)],
        [Point(10, 0.1, 2.0), Point(20, 0.2, 3e30)],
    ],
    ids=["usual", "empty", "one point", "flat", "exploding"],
)
def test_every_point_lies_within_the_picture(points):
    for line in drawn(points).iter(f"{SVG}polyline"):
        for pair in line.get("points", "").split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


def test_an_empty_curve_says_so():
    assert "no point was recorded" in texts(drawn([]))


def test_a_title_is_text_and_never_markup():
    root = drawn(CURVE, '<script>"&\x00\x1b[31m\ud800')
    assert '<script>"&??[31m?' in texts(root)
    assert not list(root.iter(f"{SVG}script"))


@pytest.mark.parametrize(("low", "high"), [(0, 500), (1.13, 5.5), (0.3, 0.3), (0, 0), (-1e-9, 1e-9), (2.0, 3e30)])
def test_ticks_are_round_and_enclose_the_range(low, high):
    found = ticks(low, high, 6)
    slack = max(abs(low), abs(high)) * 1e-9 + 1e-12
    assert 2 <= len(found) <= 9
    assert found[0] <= low + slack
    assert found[-1] >= high - slack
    assert found == sorted(set(found))
    assert all(math.isfinite(tick) for tick in found)
