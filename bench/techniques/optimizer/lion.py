"""Lion: the sign of an interpolated momentum (Chen et al. 2023, arXiv:2302.06675)."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Params
from bench.techniques.optimizer.points import decay_everywhere, replaced
from bench.techniques.technique import Prior
from bench.training import Optimizer


@dataclass(frozen=True, kw_only=True)
class Lion:
    """Every weight moves by exactly lr per step; only the sign of the direction is learned.

    Wants weight_decay far above AdamW's: a weight whose gradient is noise moves as far as any other, and only the pull
    towards zero, lr times weight_decay, bounds it. The defaults are the best of `make measure optimizer`: at the
    paper's betas, 0.9 and 0.99, it learned less in 500 steps than SGD. A modifier may choose which weights decay.
    """

    slot: ClassVar = "optimizer"
    name: ClassVar = "lion"
    source: ClassVar = "arXiv:2302.06675"
    points: ClassVar = frozenset({"decay"})
    prior: ClassVar = Prior(-1, "C", "Mizan's page: about 6 % better than AdamW")

    lr: float = knob(4.5e-3, Span(1e-4, 2e-2, log=True), "change of each weight per step")
    beta1: float = knob(0.8, Span(0.8, 0.98), "weight of momentum in the direction taken")
    beta2: float = knob(0.998, Span(0.9, 0.999), "decay of the momentum itself")
    weight_decay: float = knob(2.65, Span(0.01, 30.0, log=True), "decoupled, scaled by lr")

    def build(self, params: Params, modifiers: Sequence[Any] = ()) -> Optimizer:
        return _LionOptimizer(params.tensors, asdict(self), modifiers)


def lion_direction(grad: Tensor, momentum: Tensor, beta1: float, beta2: float) -> Tensor:
    """The sign for each weight; the momentum, which starts at zero, moves on in place."""
    direction = torch.lerp(grad, momentum, beta1).sign_()
    # only now: the direction must come from the momentum of the step before
    momentum.lerp_(grad, 1 - beta2)
    return direction


class _LionOptimizer(torch.optim.Optimizer):
    def __init__(self, params: list[nn.Parameter], settings: dict[str, float], modifiers: Sequence[Any]) -> None:
        super().__init__(params, settings)
        self.decay = replaced(modifiers, "decay", decay_everywhere)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                if "momentum" not in self.state[p]:
                    self.state[p]["momentum"] = torch.zeros_like(p)
                direction = lion_direction(p.grad, self.state[p]["momentum"], group["beta1"], group["beta2"])
                self.decay(p, direction, group["lr"] * group["weight_decay"])
                p.add_(direction, alpha=-group["lr"])
