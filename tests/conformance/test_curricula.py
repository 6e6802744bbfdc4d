"""What every curriculum keeps: never more than the budget, and the tokens it declares are those it draws."""

import dataclasses
import itertools

import pytest

from bench.batches import batches
from bench.catalog import CATALOG, full_pick, realise
from bench.config import Budget
from bench.divisions import baseline
from bench.estimate import estimate
from bench.knobs import Choice, knobs_of

CURRICULA = [t for t in CATALOG["addons"] if hasattr(t, "plan")]
# lengths that halve evenly and lengths that do not, batches of one
BUDGETS = [Budget(steps=37, batch=batch, seq_len=seq_len) for batch in (1, 2, 7) for seq_len in (1, 2, 13, 24)]


def ends(knob):
    return knob.range.options if isinstance(knob.range, Choice) else (knob.range.low, knob.range.high)


def extremes(technique):
    """Every combination of its knobs' ends, and the defaults."""
    knobs = knobs_of(technique)
    yield {}
    for values in itertools.product(*(ends(knob) for knob in knobs)):
        yield {knob.name: value for knob, value in zip(knobs, values, strict=True)}


def stack_of(budget, *picks):
    return realise(baseline(budget).replaced("addons", [full_pick("addons", name, knobs) for name, knobs in picks]))


def overdrawn(stack, budget):
    """Steps whose plan is empty or beyond the budget."""
    plans = [stack.plan(step, budget.steps, budget) for step in range(budget.steps)]
    return [
        (step, batch, seq_len)
        for step, (batch, seq_len) in enumerate(plans)
        if not (batch >= 1 and 1 <= seq_len <= budget.seq_len and batch * seq_len <= budget.batch * budget.seq_len)
    ]


@pytest.mark.parametrize("technique", CURRICULA, ids=lambda t: t.name)
def test_no_step_draws_more_than_the_budget(technique):
    for knobs, budget in itertools.product(extremes(technique), BUDGETS):
        assert overdrawn(stack_of(budget, (technique.name, knobs)), budget) == [], (knobs, budget)


@pytest.mark.parametrize("pair", itertools.combinations(CURRICULA, 2), ids=lambda p: "+".join(t.name for t in p))
def test_two_curricula_together_draw_no_more_than_the_budget(pair):
    for budget in BUDGETS:
        assert overdrawn(stack_of(budget, *((t.name, {}) for t in pair)), budget) == []


@pytest.mark.parametrize("technique", CURRICULA, ids=lambda t: t.name)
def test_it_ends_with_whole_batches_of_whole_windows(technique):
    budget = Budget(steps=37, batch=7, seq_len=24)
    for knobs in extremes(technique):
        assert stack_of(budget, (technique.name, knobs)).plan(36, budget.steps, budget) == (7, 24)


@pytest.mark.parametrize("technique", CURRICULA, ids=lambda t: t.name)
def test_it_starts_with_less(technique):
    budget = Budget(steps=37, batch=7, seq_len=24)
    assert stack_of(budget, (technique.name, {})).plan(0, budget.steps, budget) != (7, 24)


@pytest.mark.parametrize(
    "budget", [Budget(steps=9, batch=3, seq_len=13), Budget(steps=9, batch=4, seq_len=24)], ids=str
)
@pytest.mark.parametrize("names", [[t.name for t in CURRICULA], *([t.name] for t in CURRICULA)], ids="+".join)
def test_declared_tokens_are_those_drawn(names, budget, corpus):
    config = baseline(budget).replaced("addons", [full_pick("addons", name, {}) for name in names])
    stack = realise(config)
    draw = batches(corpus, budget, stack.plan, seed=1)
    drawn = [draw(step, budget.steps) for step in range(budget.steps)]
    assert sum(x_BT.numel() for x_BT, _ in drawn) == estimate(config).train_tokens
    assert [x_BT.shape for x_BT, _ in drawn] == [stack.plan(step, budget.steps, budget) for step in range(budget.steps)]


def test_a_plan_beyond_the_budget_is_caught():
    @dataclasses.dataclass(frozen=True)
    class Greedy:
        def plan(self, progress, batch, seq_len):
            return batch + 1, seq_len

    budget = Budget(steps=2, batch=2, seq_len=8)
    assert overdrawn(dataclasses.replace(stack_of(budget), addons=(Greedy(),)), budget) == [(0, 3, 8), (1, 3, 8)]
