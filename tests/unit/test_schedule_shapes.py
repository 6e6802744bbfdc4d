"""Schedules besides the straight line, by hand."""

import math

import pytest

from bench.techniques.schedule.cosine import Cosine
from bench.techniques.schedule.linear import Linear
from bench.techniques.schedule.one_minus_sqrt import OneMinusSqrt


def scales(technique, n_steps):
    return [technique.lr_scale(step, n_steps) for step in range(n_steps)]


def test_cosine_by_hand():
    falling = [0.1 + 0.9 * (1 + math.cos(math.pi * done / 8)) / 2 for done in range(8)]
    assert scales(Cosine(warmup=0.2, floor=0.1), 10) == pytest.approx([0.5, 1, *falling])


def test_one_minus_sqrt_by_hand():
    falling = [1 - math.sqrt(done / 4) for done in range(4)]
    assert scales(OneMinusSqrt(warmup=0.1, hold=0.5, floor=0.0), 10) == pytest.approx([1] * 6 + falling)


def test_one_minus_sqrt_falls_first_faster_than_the_line_and_never_crosses_it():
    line, root = (scales(kind(warmup=0.0, hold=0.2), 50) for kind in (Linear, OneMinusSqrt))
    assert all(r < straight for straight, r in zip(line[11:], root[11:], strict=True))


GRID = [Cosine(warmup=warmup, floor=floor) for warmup in (0.0, 0.04, 0.2) for floor in (0.0, 0.2)]
GRID += [
    OneMinusSqrt(warmup=warmup, hold=hold, floor=floor)
    for warmup in (0.0, 0.2)
    for hold in (0.0, 0.3, 0.8)
    for floor in (0.0, 0.2)
]


@pytest.mark.parametrize("n_steps", [1, 2, 3, 12, 500])
@pytest.mark.parametrize("technique", GRID, ids=str)
def test_a_schedule_reaches_its_peak_and_never_stands_still(technique, n_steps):
    factors = scales(technique, n_steps)
    assert max(factors) == pytest.approx(1)
    assert min(factors) > 0


@pytest.mark.parametrize("technique", GRID, ids=str)
def test_a_schedule_rises_then_falls(technique):
    factors = scales(technique, 100)
    peak = factors.index(max(factors))
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
