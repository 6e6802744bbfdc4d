"""Lion: the sign of an interpolated momentum (Chen et al. 2023, arXiv:2302.06675)."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.knobs import Span, knob
from bench.layers import Params
from bench.techniques.technique import Prior
from bench.training import Optimizer


@dataclass(frozen=True, kw_only=True)
class Lion:
    """Every weight moves by exactly lr per step; only the sign of the direction is learned.

    Wants lr 3-10x below AdamW's and weight_decay as many times above: their product,
    the pull towards zero per step, then stays where AdamW's was.
    """

    slot: ClassVar = "optimizer"
    name: ClassVar = "lion"
    source: ClassVar = "arXiv:2302.06675"
    points: ClassVar[frozenset[str]] = frozenset()
    prior: ClassVar = Prior(-1, "C", "Mizan's page: about 6 % better than AdamW")

    lr: float = knob(3e-3, Span(1e-4, 2e-2, log=True), "change of each weight per step")
    beta1: float = knob(0.9, Span(0.8, 0.98), "weight of momentum in the direction taken")
    beta2: float = knob(0.99, Span(0.9, 0.999), "decay of the momentum itself")
    weight_decay: float = knob(0.1, Span(0.01, 3.0, log=True), "decoupled, scaled by lr")

    def build(self, params: Params, modifiers: Sequence[Any] = ()) -> Optimizer:
        return _LionOptimizer(params.tensors, asdict(self))


def lion_update(
    p: Tensor, grad: Tensor, momentum: Tensor, *, lr: float, beta1: float, beta2: float, weight_decay: float
) -> None:
    """One step in place; the three tensors share one shape and momentum starts at zero."""
    direction = torch.lerp(grad, momentum, beta1).sign_()
    p.mul_(1 - lr * weight_decay).add_(direction, alpha=-lr)
    # only now: the direction must come from the momentum of the step before
    momentum.lerp_(grad, 1 - beta2)


class _LionOptimizer(torch.optim.Optimizer):
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            settings: dict[str, Any] = {k: group[k] for k in ("lr", "beta1", "beta2", "weight_decay")}
            for p in group["params"]:
                if "momentum" not in self.state[p]:
                    self.state[p]["momentum"] = torch.zeros_like(p)
                lion_update(p, p.grad, self.state[p]["momentum"], **settings)
