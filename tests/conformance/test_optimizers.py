"""What every optimizer keeps: it owns each tensor once, learns, obeys the schedule, and can be stopped and resumed.

Shapes: B batch, T time, D width, V vocabulary.
"""

import io
import math

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
        optimizer.step()
        optimizer.zero_grad()


def through_a_file(state):
    saved = io.BytesIO()
    torch.save(state, saved)
    saved.seek(0)
    return torch.load(saved, weights_only=True)


@pytest.fixture(params=CATALOG["optimizer"], ids=lambda t: t.name)
def technique(request):
    return request.param


def test_it_owns_every_tensor_of_the_model_once(technique):
    config = baseline(Budget(steps=1)).replaced("optimizer", [full_pick("optimizer", technique.name, {})])
    config = config.replaced("features", [full_pick("features", "smear_gate", {})])
    model = realise(config).model(96)
    owned = [id(p) for group in technique().build(Params(model)).param_groups for p in group["params"]]
    assert sorted(owned) == sorted(id(p) for p in model.parameters())


def test_it_learns_a_small_problem(technique):
    model = Tiny()
    optimizer = technique().build(Params(model))
    steps = iter(range(150))
    points = []
    train(
        model,
        optimizer,
        # a problem this small bears larger steps than the defaults
        lambda step, n_steps: 4 * (1 - step / n_steps),
        [optimizer] if isinstance(optimizer, Hook) else [],
        lambda step: draw(next(steps)),
        torch.Generator().manual_seed(0),
        150,
        lambda: 0.0,
        150,
        points.append,
    )
    assert points[-1].train_loss < 0.25 * math.log(V)


def test_stopped_and_resumed_equals_never_stopped(technique):
    through = Tiny()
    advance(through, technique().build(Params(through)), 0, 24)

    stopped = Tiny()
    optimizer = technique().build(Params(stopped))
    advance(stopped, optimizer, 0, 13)
    weights, state = through_a_file(stopped.state_dict()), through_a_file(optimizer.state_dict())

    resumed = Tiny()
    resumed.load_state_dict(weights)
    optimizer = technique().build(Params(resumed))
    optimizer.load_state_dict(state)
    advance(resumed, optimizer, 13, 24)
    assert [n for n, p in through.named_parameters() if not torch.equal(p, resumed.get_parameter(n))] == []


def test_forgetting_its_state_shows(technique):
    """The examiner of resuming, examined."""
    through, forgetful = Tiny(), Tiny()
    advance(through, technique().build(Params(through)), 0, 24)
    advance(forgetful, technique().build(Params(forgetful)), 0, 13)
    advance(forgetful, technique().build(Params(forgetful)), 13, 24)
    assert any(not torch.equal(p, forgetful.get_parameter(n)) for n, p in through.named_parameters())


def test_the_schedule_reaches_every_tensor(technique):
    model = Tiny()
    before = {name: p.clone() for name, p in model.named_parameters()}
    optimizer = technique().build(Params(model))
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    advance(model, optimizer, 0, 2)
    assert [n for n, p in model.named_parameters() if not torch.equal(p, before[n])] == []


def test_every_tensor_moves(technique):
    model = Tiny()
    before = {name: p.clone() for name, p in model.named_parameters()}
    advance(model, technique().build(Params(model)), 0, 2)
    assert [n for n, p in model.named_parameters() if torch.equal(p, before[n])] == []


def test_a_gradient_of_zero_is_no_trouble(technique):
    model = Tiny()
    optimizer = technique().build(Params(model))
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    assert all(p.isfinite().all() for p in model.parameters())


def test_a_tensor_with_two_owners_is_caught():
    p = nn.Parameter(torch.zeros(2, 2))
    with pytest.raises(AssertionError, match="a tensor has two owners"):
        Combined(torch.optim.SGD([p], lr=1.0), torch.optim.SGD([p], lr=1.0))


def test_the_small_problem_is_unsolved_at_the_start():
    assert mean_nats(Tiny()(draw(0)[0]), draw(0)[1]) > math.log(V)
