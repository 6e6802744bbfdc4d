"""What every optimizer keeps: it owns each tensor once, learns, obeys the schedule, and can be stopped and resumed.

Shapes: B batch, T time, D width, V vocabulary.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from bench.catalog import CATALOG, full_pick, realise
from bench.config import Budget
from bench.divisions import baseline
from bench.layers import Embedding, Linear, Params, Role, rms
from bench.techniques.optimizer.combined import Combined
from bench.training import Hook, Moment, mean_nats, train

V, D, T = 5, 8, 16


class Tiny(nn.Module):
    """Every role once; what follows a byte depends on that byte alone."""

    def __init__(self):
        super().__init__()
        self.embedding = Embedding(V, D)
        self.up, self.down = Linear(D, 2 * D), Linear(2 * D, D, Role.OUTPUT)
        self.gain = nn.Parameter(torch.ones(D))
        self.head = Linear(D, V, Role.HEAD)
        noise = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for p in self.parameters():
                if p.dim() > 1:
                    p.normal_(std=0.3, generator=noise)

    def forward(self, tokens_BT, progress=1.0):
        x_BTD = rms(self.embedding(tokens_BT)) * self.gain
        return self.head(rms(x_BTD + self.down(self.up(x_BTD).relu())))


def draw(step):
    """A cycle of the five bytes, started anywhere."""
    starts = torch.randint(V, (4, 1), generator=torch.Generator().manual_seed(step))
    bytes_BT = (starts + torch.arange(T + 1)) % V
    return bytes_BT[:, :-1], bytes_BT[:, 1:]


def advance(model, optimizer, first, last):
    """Steps `first` to `last` by hand, so that nothing lives outside model and optimizer."""
    hooks = [optimizer] if isinstance(optimizer, Hook) else []
    for step in range(first, last):
        x_BT, y_BT = draw(step)
        for hook in hooks:
            hook.before_gradients(Moment(step, 100, model, x_BT, y_BT, torch.Generator().manual_seed(step)))
        mean_nats(model(x_BT), y_BT).backward()
        for group in optimizer.param_groups:
            group["progress"] = step / 24
        optimizer.step()
        optimizer.zero_grad()


def through_a_file(state):
    saved = io.BytesIO()
    torch.save(state, saved)
    saved.seek(0)
    return torch.load(saved, weights_only=True)


@dataclass(frozen=True)
class Case:
    """An optimizer with the modifiers it is examined with, all at default knobs."""

    host: Any
    modifiers: tuple[Any, ...] = ()

    def build(self, params):
        return self.host().build(params, [modifier() for modifier in self.modifiers])

    def __str__(self):
        return "+".join(t.name for t in (self.host, *self.modifiers))


CASES = [Case(host) for host in CATALOG["optimizer"]] + [
    Case(host, (modifier,))
    for modifier in CATALOG["optimizer_modifiers"]
    for host in CATALOG["optimizer"]
    if modifier.point in host.points
]


@pytest.fixture(params=CASES, ids=str)
def case(request):
    return request.param


def test_it_owns_every_tensor_of_the_model_once(case):
    config = baseline(Budget(steps=1)).replaced("features", [full_pick("features", "smear_gate", {})])
    model = realise(config).model(96)
    owned = [id(p) for group in case.build(Params(model)).param_groups for p in group["params"]]
    assert sorted(owned) == sorted(id(p) for p in model.parameters())


def test_it_learns_a_small_problem(case):
    model = Tiny()
    optimizer = case.build(Params(model))
    steps = iter(range(150))
    points = []
    train(
        model,
        optimizer,
        # a problem this small bears larger steps than the defaults
        lambda step, n_steps: 4 * (1 - step / n_steps),
        [optimizer] if isinstance(optimizer, Hook) else [],
        lambda step, n_steps: draw(next(steps)),
        torch.Generator().manual_seed(0),
        150,
        lambda: 0.0,
        150,
        points.append,
    )
    assert points[-1].train_loss < 0.25 * math.log(V)


def test_stopped_and_resumed_equals_never_stopped(case):
    through = Tiny()
    advance(through, case.build(Params(through)), 0, 24)

    stopped = Tiny()
    optimizer = case.build(Params(stopped))
    advance(stopped, optimizer, 0, 13)
    weights, state = through_a_file(stopped.state_dict()), through_a_file(optimizer.state_dict())

    resumed = Tiny()
    resumed.load_state_dict(weights)
    optimizer = case.build(Params(resumed))
    optimizer.load_state_dict(state)
    advance(resumed, optimizer, 13, 24)
    assert [n for n, p in through.named_parameters() if not torch.equal(p, resumed.get_parameter(n))] == []


def test_forgetting_its_state_shows(case):
    """The examiner of resuming, examined."""
    through, forgetful = Tiny(), Tiny()
    advance(through, case.build(Params(through)), 0, 24)
    advance(forgetful, case.build(Params(forgetful)), 0, 13)
    advance(forgetful, case.build(Params(forgetful)), 13, 24)
    assert any(not torch.equal(p, forgetful.get_parameter(n)) for n, p in through.named_parameters())


def test_the_schedule_reaches_every_tensor(case):
    model = Tiny()
    before = {name: p.clone() for name, p in model.named_parameters()}
    optimizer = case.build(Params(model))
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    advance(model, optimizer, 0, 2)
    assert [n for n, p in model.named_parameters() if not torch.equal(p, before[n])] == []


def test_every_tensor_moves(case):
    model = Tiny()
    before = {name: p.clone() for name, p in model.named_parameters()}
    advance(model, case.build(Params(model)), 0, 2)
    assert [n for n, p in model.named_parameters() if torch.equal(p, before[n])] == []


def test_a_gradient_of_zero_is_no_trouble(case):
    model = Tiny()
    optimizer = case.build(Params(model))
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    assert all(p.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("modifier", CATALOG["optimizer_modifiers"], ids=lambda t: t.name)
def test_a_modifier_makes_a_difference(modifier):
    """A host that never calls it would pass every other examination."""
    host = next(t for t in CATALOG["optimizer"] if modifier.point in t.points)
    plain, modified = Tiny(), Tiny()
    advance(plain, Case(host).build(Params(plain)), 0, 24)
    advance(modified, Case(host, (modifier,)).build(Params(modified)), 0, 24)
    assert any(not torch.equal(p, modified.get_parameter(n)) for n, p in plain.named_parameters())


# The examiners, examined.


@dataclass(frozen=True, kw_only=True)
class Skipping:
    """An optimizer that never hears of the head."""

    name: ClassVar = "skipping"

    def build(self, params: Params, modifiers: Sequence[Any] = ()):
        return torch.optim.SGD(params.of(*(role for role in Role if role is not Role.HEAD)), lr=0.1)


@dataclass(frozen=True, kw_only=True)
class Idle:
    """One that owns the head and never moves it."""

    name: ClassVar = "idle"

    def build(self, params: Params, modifiers: Sequence[Any] = ()):
        head = torch.optim.SGD(params.of(Role.HEAD), lr=0.1)
        head.step = lambda: None
        return Combined(Skipping().build(params), head)


@pytest.mark.parametrize("planted", [Skipping, Idle], ids=lambda t: t.name)
def test_an_optimizer_that_leaves_a_tensor_where_it_was_is_caught(planted):
    with pytest.raises(AssertionError, match=r"head\.weight"):
        test_every_tensor_moves(Case(planted))


def test_an_optimizer_that_skips_a_tensor_is_caught():
    with pytest.raises(AssertionError):
        test_it_owns_every_tensor_of_the_model_once(Case(Skipping))


def test_a_tensor_with_two_owners_is_caught():
    p = nn.Parameter(torch.zeros(2, 2))
    with pytest.raises(AssertionError, match="a tensor has two owners"):
        Combined(torch.optim.SGD([p], lr=1.0), torch.optim.SGD([p], lr=1.0))


def test_the_small_problem_is_unsolved_at_the_start():
    assert mean_nats(Tiny()(draw(0)[0]), draw(0)[1]) > math.log(V)
