"""What every technique does to the model: it trains, it keeps time and rows apart, it costs what it declares.

Shapes: B batch, T time, D width, V vocabulary.
"""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from bench.batches import generator
from bench.catalog import CATALOG, alone, full_pick, realise
from bench.config import Budget, Pick
from bench.divisions import baseline
from bench.errors import ConfigError
from bench.estimate import calibration_flops, estimate
from bench.examine import (
    counted_flops,
    examine,
    looks_ahead,
    mixes_rows,
    same_start,
    started,
    stirred,
    text,
    unseen,
    untrained,
)
from bench.layers import Params
from bench.techniques.mixer.softmax import Softmax
from bench.tracks import FEATHERWEIGHT
from bench.training import Hook, Moment, mean_nats, train

# A codec never meets the model: tests/conformance/test_codecs.py examines those.
MODELLED = [t for slot, techniques in CATALOG.items() if slot != "codec" for t in techniques]


@pytest.fixture(params=MODELLED, ids=lambda t: f"{t.slot}-{t.name}")
def technique(request):
    return request.param


def test_three_steps_end_in_a_finite_loss(config):
    stack, model = realise(config), started(config)
    params = Params(model)
    optimizer = stack.optimizer_of(params)
    x_BT = text(config.budget.batch, config.budget.seq_len + 1)
    points = []
    train(
        model,
        optimizer,
        stack.schedule.lr_scale,
        stack.hooks(params, optimizer),
        lambda step, n_steps: (x_BT[:, :-1], x_BT[:, 1:]),
        generator(1, "noise"),
        config.budget.steps,
        lambda: stack.evaluator.nats(model, x_BT.flatten().to(torch.uint8).numpy(), config.budget.seq_len),
        1,
        points.append,
    )
    assert math.isfinite(points[-1].train_loss)
    assert points[-1].probe_loss < math.log(256)


def test_every_parameter_gets_a_gradient(config):
    assert untrained(stirred(config), text(2, 25)) == []


def test_declared_parameters_are_the_real_ones(config):
    model = realise(config).model(config.budget.seq_len)
    assert estimate(config).parameters == sum(p.numel() for p in model.parameters())


# Exact, without a tolerance: torch counts matrix products only, and so do the declarations.
def test_declared_flops_are_what_torch_counts(config):
    B, T = 2, config.budget.seq_len
    assert counted_flops(started(config), B, T) == (estimate(config).forward_flops - unseen(config)) * B * T


def knows_the_step(stack, hooks, budget):
    """Whether a step may cost another than the one before it: a hook acts, or batches change."""
    plans = {stack.plan(step, 4, replace(budget, steps=4)) for step in range(4)}
    return len(plans) > 1 or any(type(hook) is not Hook for hook in hooks)


def test_declared_training_flops_are_what_torch_counts(config):
    """Three times the forward ones, and every extra pass; optimizer arithmetic stays out, and what follows training."""
    stack, model = realise(config), started(config)
    params = Params(model)
    hooks = stack.hooks(params, stack.optimizer_of(params))
    # twice, because two extra passes may come at once
    steps = round(2 / stack.extra_passes()) if stack.extra_passes() else 4
    if not knows_the_step(stack, hooks, config.budget):
        steps = 2
    budget = replace(config.budget, steps=steps)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        for step in range(steps):
            batch, seq_len = stack.plan(step, steps, budget)
            x_BT = text(batch, seq_len + 1)
            moment = Moment(step, steps, model, x_BT[:, :-1], x_BT[:, 1:], generator(1, "noise"))
            for hook in hooks:
                hook.before_gradients(moment)
            mean_nats(model(moment.x_BT), moment.y_BT).backward()
            for hook in hooks:
                hook.after_gradients(moment)
    # what the counter can't see is left out on both sides
    seen = 1 - unseen(config) / estimate(config).forward_flops
    budgeted = replace(config, budget=budget)
    expected = (estimate(budgeted).train_flops - calibration_flops(stack, budget)) * seen
    assert counter.get_total_flops() == pytest.approx(expected, rel=1e-12)


def test_no_byte_sees_its_future(config):
    assert looks_ahead(stirred(config), 12) == []


def test_rows_of_a_batch_do_not_meet(config):
    assert not mixes_rows(stirred(config))


def test_a_shorter_window_gives_the_same_start(config):
    assert same_start(stirred(config), 24)


PAIRS = [
    (mixer, modifier)
    for mixer in CATALOG["mixer"]
    for modifier in CATALOG["mixer_modifiers"]
    if modifier.point in mixer.points
]


@pytest.fixture(params=PAIRS, ids=lambda pair: "+".join(t.name for t in pair))
def modified(request):
    """The baseline with a mixer and one of the modifiers that find their point there."""
    mixer, modifier = request.param
    config = baseline(Budget(steps=1, batch=2, seq_len=24)).replaced("mixer", [full_pick("mixer", mixer.name, {})])
    return config.replaced("mixer_modifiers", [full_pick("mixer_modifiers", modifier.name, {})])


def test_a_modifier_fits_every_mixer_with_its_point(modified):
    model = stirred(modified)
    assert (looks_ahead(model, 12), mixes_rows(model)) == ([], False)


def test_a_modifier_learns_in_every_mixer_with_its_point(modified):
    test_every_parameter_gets_a_gradient(modified)


def test_a_modifier_costs_the_same_in_every_mixer_with_its_point(modified):
    test_declared_parameters_are_the_real_ones(modified)
    test_declared_flops_are_what_torch_counts(modified)


# The examiners, examined.


class PeekingMixer(nn.Module):
    def forward(self, x_BTD, context):
        return torch.roll(x_BTD, -1, 1)


class RowMixer(nn.Module):
    def forward(self, x_BTD, context):
        return x_BTD + x_BTD.mean(0, keepdim=True)


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A mixer that breaks the rule under test."""

    slot: ClassVar = "mixer"
    name: ClassVar = "planted"
    source: ClassVar = "this test"
    points: ClassVar = frozenset()
    module: ClassVar = PeekingMixer

    def build(self, site, modifiers=()):
        return self.module()


@pytest.fixture
def planted(monkeypatch):
    """The config whose mixer is the given module."""

    def plant(module):
        monkeypatch.setattr(Planted, "module", module)
        monkeypatch.setitem(CATALOG, "mixer", (Planted,))
        return baseline(Budget(steps=1, batch=2, seq_len=24)).replaced("mixer", [Pick("planted")])

    return plant


def test_a_mixer_that_peeks_one_byte_ahead_is_caught(planted):
    assert looks_ahead(stirred(planted(PeekingMixer)), 12) == list(range(1, 12))


def test_a_mixer_of_batch_rows_is_caught(planted):
    assert mixes_rows(stirred(planted(RowMixer)))


def test_an_undeclared_cost_is_caught(planted, monkeypatch):
    config = planted(PeekingMixer)
    monkeypatch.setattr(Planted, "flops", lambda self, site: 1, raising=False)
    monkeypatch.setattr(Planted, "parameters", lambda self, site: 1, raising=False)
    with pytest.raises(AssertionError):
        test_declared_flops_are_what_torch_counts(config)
    with pytest.raises(AssertionError):
        test_declared_parameters_are_the_real_ones(config)


def test_flops_declared_at_half_are_caught(monkeypatch):
    config = alone("mixer", "softmax", Budget(steps=1, batch=2, seq_len=24))
    test_declared_flops_are_what_torch_counts(config)
    honest = Softmax.flops
    monkeypatch.setattr(Softmax, "flops", lambda self, site: honest(self, site) // 2)
    with pytest.raises(AssertionError):
        test_declared_flops_are_what_torch_counts(config)


def test_unseen_flops_never_lower_a_cost(monkeypatch):
    config = alone("mixer", "softmax", Budget(steps=1, batch=2, seq_len=24))
    monkeypatch.setattr(Softmax, "unseen_flops", lambda self, site: -1000, raising=False)
    with pytest.raises(ConfigError, match="softmax declares -4,000 unseen FLOPs"):
        examine(config, FEATHERWEIGHT)


def test_estimates_of_curvature_every_ten_steps_cost_a_tenth():
    base = baseline(Budget(steps=500))
    sophia = base.replaced("optimizer", [full_pick("optimizer", "sophia", {"every": 10})])
    assert estimate(sophia).train_flops == round(1.1 * estimate(base).train_flops)
