"""Adam-mini: Adam with one step length per block of weights (Zhang et al. 2024, arXiv:2406.16793)."""

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
class AdamMini:
    """AdamW whose smoothed squared gradient is a mean over a block: half of AdamW's memory.

    A block is a row of a matrix, which is an output unit, a byte's embedding or a channel's taps, or a whole vector.
    The paper joins the rows of a head in query and key; here they stay apart, as its other matrices do.
    """

    slot: ClassVar = "optimizer"
    name: ClassVar = "adam_mini"
    source: ClassVar = "arXiv:2406.16793"
    points: ClassVar = frozenset({"decay"})
    prior: ClassVar = Prior(0, "C", "on par with AdamW at half its memory, by its paper")

    lr: float = knob(8e-3, Span(5e-4, 2e-2, log=True), "change of a weight per step, in the mean over its block")
    beta1: float = knob(0.9, Span(0.8, 0.98), "decay of the smoothed gradient")
    beta2: float = knob(0.95, Span(0.9, 0.999), "decay of the smoothed squared gradient of a block")
    weight_decay: float = knob(0.01, Span(1e-3, 1.0, log=True), "decoupled, scaled by lr")

    def build(self, params: Params, modifiers: Sequence[Any] = ()) -> Optimizer:
        return _AdamMiniOptimizer(params.tensors, asdict(self), modifiers)


class _AdamMiniOptimizer(torch.optim.Optimizer):
    def __init__(self, params: list[nn.Parameter], settings: dict[str, float], modifiers: Sequence[Any]) -> None:
        super().__init__(params, settings)
        self.decay = replaced(modifiers, "decay", decay_everywhere)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                direction = adam_mini_direction(p.grad, self.state[p], group["beta1"], group["beta2"])
                self.decay(p, direction, group["lr"] * group["weight_decay"])
                p.add_(direction, alpha=-group["lr"])


def adam_mini_direction(grad: Tensor, state: dict[str, Any], beta1: float, beta2: float) -> Tensor:
    """The state moves on in place; both averages start at zero and are corrected for it."""
    if not state:
        state["steps"], state["momentum"] = 0, torch.zeros_like(grad)
        state["block_size"] = torch.zeros_like(grad.mean(-1, keepdim=True))
    state["steps"] += 1
    momentum = state["momentum"].lerp_(grad, 1 - beta1)
    block_size = state["block_size"].lerp_(grad.square().mean(-1, keepdim=True), 1 - beta2)
    length = (block_size / (1 - beta2 ** state["steps"])).sqrt_().add_(1e-8)
    direction: Tensor = momentum / (1 - beta1 ** state["steps"]) / length
    return direction
