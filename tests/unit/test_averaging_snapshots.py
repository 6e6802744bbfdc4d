"""Averages of snapshots against means written out by hand."""

import pytest
import torch
from reference import noise

from bench.layers import Linear, Params
from bench.ranks import ALONE
from bench.techniques.averaging.lawa import Lawa
from bench.techniques.averaging.swa import Swa
from bench.training import Moment


def averaged(technique, n_steps):
    """What ships after n steps whose weights are the steps' numbers, 1 to n, times one matrix."""
    model, unit = Linear(3, 2), noise(2, 3).detach().float()
    hook = technique.hook(Params(model))
    for step in range(n_steps):
        model.weight.data.copy_((step + 1) * unit)
        hook.after_step(Moment(step, n_steps, model, torch.zeros(1), torch.zeros(1), torch.Generator()))
    hook.at_end(model, ALONE)
    return (model.weight / unit).detach()


@pytest.mark.parametrize(
    ("share", "every", "n_steps", "snapshots"),
    [
        (0.5, 1, 10, [6, 7, 8, 9, 10]),
        (0.5, 2, 10, [6, 8, 10]),
        (0.6, 3, 10, [7, 10]),
        (0.25, 7, 100, [79, 86, 93, 100]),
        # never without the last step, however short the share and the run
        (0.02, 25, 10, [10]),
        (0.1, 1, 1, [1]),
    ],
)
def test_swa_is_the_mean_of_the_last_share_counted_back_from_the_end(share, every, n_steps, snapshots):
    mean = sum(snapshots) / len(snapshots)
    torch.testing.assert_close(averaged(Swa(share=share, every=every), n_steps), torch.full((2, 3), mean))


@pytest.mark.parametrize(
    ("snapshots", "every", "n_steps", "taken"),
    [
        (3, 1, 10, [8, 9, 10]),
        (3, 4, 21, [12, 16, 20]),
        # fewer than the queue holds
        (12, 4, 9, [4, 8]),
        # none at all: the last weights stay
        (2, 25, 7, [7]),
    ],
)
def test_lawa_is_the_mean_of_its_latest_snapshots(snapshots, every, n_steps, taken):
    mean = sum(taken) / len(taken)
    torch.testing.assert_close(averaged(Lawa(snapshots=snapshots, every=every), n_steps), torch.full((2, 3), mean))


@pytest.mark.parametrize("technique", [Swa(share=0.6, every=1), Lawa(snapshots=3, every=1)], ids=lambda t: t.name)
def test_averaging_leaves_training_alone(technique):
    model = Linear(3, 2)
    hook = technique.hook(Params(model))
    for step in range(4):
        model.weight.data.copy_(torch.full((2, 3), float(step)))
        hook.after_step(Moment(step, 4, model, torch.zeros(1), torch.zeros(1), torch.Generator()))
        assert torch.equal(model.weight, torch.full((2, 3), float(step)))
