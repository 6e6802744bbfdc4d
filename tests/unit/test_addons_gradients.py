"""Add-ons that change gradients: clipping by group, and sharpness-aware steps."""

import pytest
import torch
from reference import noise
from torch import nn

from bench.layers import Embedding, Linear, Params, Role
from bench.techniques.addons.adaptive_clip import AdaptiveClip
from bench.techniques.addons.late_sam import LateSam
from bench.training import Moment, mean_nats


class TwoGroups(nn.Module):
    """A table and a head, from bytes to logits."""

    def __init__(self):
        super().__init__()
        self.embedding = Embedding(5, 3)
        self.head = Linear(3, 5, Role.HEAD)
        for seed, p in enumerate(self.parameters()):
            p.data = noise(*p.shape, seed=seed).detach()

    def forward(self, tokens_BT, progress=1.0):
        return self.head(self.embedding(tokens_BT))


X_BT, Y_BT = torch.tensor([[0, 1, 2, 3]]), torch.tensor([[1, 2, 3, 4]])


def moment(model, step=0, n_steps=10):
    return Moment(step, n_steps, model, X_BT, Y_BT, torch.Generator())


def clipped(technique, norms_of_steps):
    """Norms of both groups after the hook, where they came in as given: unit directions, scaled."""
    model = TwoGroups()
    hook, found = technique.hook(Params(model)), []
    for step, norms in enumerate(norms_of_steps):
        for p, norm in zip(model.parameters(), norms, strict=True):
            p.grad = p.detach() / p.detach().norm() * norm
        hook.after_gradients(moment(model, step))
        found.append([p.grad.norm().item() for p in model.parameters()])
    return found


def test_a_burst_is_cut_to_the_ratio_and_the_other_group_left_alone():
    found = clipped(AdaptiveClip(ratio=1.5), [[1.0, 2.0]] * 5 + [[10.0, 2.0]])
    assert found[:5] == [pytest.approx([1.0, 2.0])] * 5
    assert found[5] == pytest.approx([1.5, 2.0])


def test_the_average_takes_in_the_norm_as_it_came():
    found = clipped(AdaptiveClip(ratio=1.5, decay=0.9), [[1.0, 1.0], [4.0, 1.0], [4.0, 1.0]])
    # two steps of 1 and 4 with weights 0.09 and 0.1
    average = (0.09 * 1 + 0.1 * 4) / 0.19
    assert [one for one, _ in found] == pytest.approx([1.0, 1.5, 1.5 * average])


def test_a_group_without_gradient_is_not_held_at_zero_afterwards():
    """Behind an output that starts at zero the first gradient is zero, and the second is not."""
    assert clipped(AdaptiveClip(), [[0.0, 1.0], [3.0, 1.0]])[1] == pytest.approx([3.0, 1.0])


def sam_by_hand(model, radius):
    """The gradient at the point `radius` up the slope."""
    mean_nats(model(X_BT), Y_BT).backward()
    grads = [p.grad.clone() for p in model.parameters()]
    norm = sum(float((g**2).sum()) for g in grads) ** 0.5
    above = TwoGroups()
    for p, g in zip(above.parameters(), grads, strict=True):
        p.data += radius * g / norm
    mean_nats(above(X_BT), Y_BT).backward()
    return [p.grad for p in above.parameters()]


@pytest.mark.parametrize("radius", [0.005, 0.5])
def test_late_sam_leaves_the_gradient_from_up_the_slope(radius):
    expected, model = sam_by_hand(TwoGroups(), radius), TwoGroups()
    mean_nats(model(X_BT), Y_BT).backward()
    LateSam(radius=radius).hook(Params(model)).after_gradients(moment(model, step=9))
    for p, grad in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(p.grad, grad)


def test_late_sam_gives_the_weights_back_bit_for_bit():
    model, untouched = TwoGroups().float(), TwoGroups().float()
    mean_nats(model(X_BT), Y_BT).backward()
    LateSam(radius=0.5).hook(Params(model)).after_gradients(moment(model, step=9))
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), untouched.parameters(), strict=True))


@pytest.mark.parametrize("n_steps", [1, 7, 50, 500])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.15, 0.2])
def test_late_sam_takes_no_more_passes_than_it_declares(share, n_steps):
    technique, model = LateSam(share=share), TwoGroups()
    hook, second = technique.hook(Params(model)), []
    for step in range(n_steps):
        for p in model.parameters():
            p.grad = torch.ones_like(p)
        hook.after_gradients(moment(model, step, n_steps))
        if not torch.equal(model.head.weight.grad, torch.ones_like(model.head.weight)):
            second.append(step)
    # the last ones, in a row, and less than one fewer than declared
    assert second == list(range(n_steps - len(second), n_steps))
    assert technique.extra_passes() * n_steps - 1 < len(second) <= technique.extra_passes() * n_steps


def test_late_sam_of_a_flat_spot_is_no_trouble():
    model = TwoGroups()
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    LateSam().hook(Params(model)).after_gradients(moment(model, step=9))
    assert all(p.grad.isfinite().all() for p in model.parameters())
