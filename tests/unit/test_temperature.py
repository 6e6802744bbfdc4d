"""Temperature: chosen as a float64 search over the last training batches chooses, and on nothing else."""

import dataclasses
import math

import pytest
import torch

from bench.artifact import pack, unpack
from bench.catalog import full_pick, realise
from bench.config import Budget
from bench.divisions import GOLF_OPEN, OPEN, baseline
from bench.estimate import estimate, forward_flops
from bench.layers import Params
from bench.ranks import ALONE, Ranks
from bench.run import initialise
from bench.techniques.logits.temperature import GRID, Temperature, nats_at
from bench.tracks import GOLF_CPU
from bench.training import Moment, train


def golf(batches=3, logits=("softcap", "temperature")):
    config = baseline(Budget(steps=5, batch=2, seq_len=16), GOLF_CPU.name)
    config = config.replaced("shape", [full_pick("shape", "sized", {"n_layer": 1, "n_head": 4, "head_width": 16})])
    knobs = {"softcap": {"cap": 30.0}, "temperature": {"batches": batches}}
    return config.replaced("logits", [full_pick("logits", name, knobs[name]) for name in logits])


def started(config, sharpness=1.0):
    stack = realise(config)
    model = stack.model(16)
    initialise(Params(model), stack.init, seed=1)
    with torch.no_grad():
        model.embedding.weight.mul_(sharpness)
    return stack, model


def by_search(model, batches):
    """Which temperature the targets are likeliest at, a position at a time."""
    totals = dict.fromkeys(GRID, 0.0)
    with torch.no_grad():
        for x_BT, y_BT in batches:
            for logits_V, y in zip(model(x_BT).double().flatten(0, 1), y_BT.flatten().tolist(), strict=True):
                for temperature in GRID:
                    scaled = (logits_V / temperature).tolist()
                    top = max(scaled)
                    totals[temperature] += top + math.log(math.fsum(math.exp(z - top) for z in scaled)) - scaled[y]
    return min(totals, key=lambda temperature: totals[temperature])


def answers(model, tokens_BT, right):
    """Targets of which a share is what the model thinks likeliest, the rest drawn."""
    drawing = torch.Generator().manual_seed(7)
    with torch.no_grad():
        likeliest = model(tokens_BT).argmax(-1)
    other = torch.randint(1024, tokens_BT.shape, generator=drawing)
    return torch.where(torch.rand(tokens_BT.shape, generator=drawing) < right, likeliest, other)


@pytest.mark.parametrize(("right", "side"), [(1.0, -1), (0.0, 1)])
def test_it_is_the_best_on_the_last_batches(right, side):
    """Where the likeliest token is always right it gets colder, where it never is warmer."""
    stack, model = started(golf(batches=3), sharpness=40.0)
    tokens = torch.randint(1024, (5, 2, 16), generator=torch.Generator().manual_seed(3))
    hook = stack.hooks(Params(model), None)[0]
    seen = []
    for step, x_BT in enumerate(tokens):
        # the first two would say the opposite
        y_BT = answers(model, x_BT, right if step >= 2 else 1 - right)
        seen.append((x_BT, y_BT))
        hook.before_gradients(Moment(step, 5, model, x_BT, y_BT, torch.Generator()))
    expected = by_search(model, seen[2:])
    hook.at_end(model, ALONE)
    found = 1 / model.logits[1].gain.item()
    assert found == pytest.approx(expected, rel=1e-6)
    assert (found - 1) * side > 0.04


class Beside(Ranks):
    """One of two ranks; what the other has is known beforehand."""

    def __init__(self, other):
        super().__init__(0, 2)
        object.__setattr__(self, "other", other)

    def summed(self, own):
        return own + self.other


def test_ranks_choose_one_temperature_for_all_their_batches():
    """Each alone would turn another way."""
    stack, model = started(golf(batches=1), sharpness=40.0)
    tokens = torch.randint(1024, (2, 2, 16), generator=torch.Generator().manual_seed(3))
    cold, hot = ((x_BT, answers(model, x_BT, right)) for x_BT, right in zip(tokens, (1.0, 0.0), strict=True))
    other = nats_at(model(hot[0]), hot[1]).detach()
    hook = stack.hooks(Params(model), None)[0]
    hook.before_gradients(Moment(0, 1, model, *cold, torch.Generator()))
    assert by_search(model, [cold]) < by_search(model, [cold, hot])
    expected = by_search(model, [cold, hot])
    hook.at_end(model, Beside(other))
    assert 1 / model.logits[1].gain.item() == pytest.approx(expected, rel=1e-6)


def trained(config):
    stack, model = started(config)
    params = Params(model)
    optimizer = stack.optimizer_of(params)
    tokens = torch.randint(1024, (5, 2, 17), generator=torch.Generator().manual_seed(3))
    gains = []

    def draw(step, n_steps):
        gains.extend(change.gain.item() for change in model.logits if hasattr(change, "gain"))
        return tokens[step, :, :-1], tokens[step, :, 1:]

    hooks = stack.hooks(params, optimizer)
    train(model, optimizer, stack.schedule.lr_scale, hooks, draw, torch.Generator(), 5, lambda: 1.0, 10, lambda p: None)
    return model, gains


def test_training_is_as_it_was_without_it():
    """It is one at every step, whatever the optimizer would do to it; all other weights end as they would."""
    (plain, _), (tempered, gains) = trained(golf(logits=("softcap",))), trained(golf())
    assert gains == [1.0] * 5
    assert all(torch.equal(p, tempered.get_parameter(name)) for name, p in plain.named_parameters())
    assert any(1 / tempered.logits[1].gain.item() == pytest.approx(temperature) for temperature in GRID)


def test_it_ships_as_it_was_chosen():
    config = golf()
    _, model = started(config)
    with torch.no_grad():
        model.logits[1].gain.fill_(1 / 0.95)
    shipped = unpack(pack(model, config), config)
    assert torch.equal(shipped.logits[1].gain, model.logits[1].gain)


def test_its_forward_passes_and_its_time_count():
    plain, config = golf(logits=("softcap",)), golf(batches=2)
    extra, stack = estimate(config).train_flops - estimate(plain).train_flops, realise(plain)
    assert extra == 2 * 2 * 16 * forward_flops(stack, 16, stack.order(1.0))
    assert estimate(config).parameters == estimate(plain).parameters + 1
    assert Temperature(batches=2).hook(None).steps_held_back == 2
    assert dataclasses.replace(Temperature(), batches=64).calibration_batches(5) == 5


def test_golf_alone_has_it():
    assert GOLF_OPEN.enters("logits", "temperature")
    assert not OPEN.enters("logits", "temperature")
