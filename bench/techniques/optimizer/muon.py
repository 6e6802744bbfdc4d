"""Muon: momentum, orthogonalised (Jordan et al. 2024, kellerjordan.github.io/posts/muon)."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Params
from bench.techniques.optimizer.combined import Combined
from bench.techniques.optimizer.points import attached, decay_everywhere, replaced
from bench.techniques.technique import Prior
from bench.training import Optimizer

# Quintic whose five iterations bring singular values in (0, 1] near 1; steep at zero (Jordan et al. 2024).
QUINTIC = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5

MUON_POINTS = frozenset({"direction", "orthogonaliser", "update", "weight_decay", "decay"})


@dataclass(frozen=True, kw_only=True)
class Muon:
    """Each matrix inside a block moves by lr in every singular direction alike; AdamW moves the rest.

    The update does not depend on the gradient's scale, so clipping a matrix does nothing. Modifiers may change what
    is orthogonalised and what comes of it, or replace the iteration or the decay; matrices of one shape come together.
    """

    slot: ClassVar = "optimizer"
    name: ClassVar = "muon"
    source: ClassVar = "kellerjordan.github.io/posts/muon"
    points: ClassVar = MUON_POINTS
    prior: ClassVar = Prior(-1, "A", "every record of Parameter Golf's March and April")

    lr: float = knob(0.03, Span(3e-3, 0.1, log=True), "spectral norm of a matrix's change per step")
    momentum: float = knob(0.95, Span(0.8, 0.98), "decay of the momentum, Nesterov's form")
    weight_decay: float = knob(0.01, Span(1e-3, 0.3, log=True), "decoupled, scaled by lr; matrices only")
    rest_lr: float = knob(4e-3, Span(5e-4, 2e-2, log=True), "AdamW's lr for embedding, head and vectors")

    def build(self, params: Params, modifiers: Sequence[Any] = ()) -> Optimizer:
        return Combined(
            muon_of(params.matrices, self.lr, self.momentum, self.weight_decay, modifiers),
            torch.optim.AdamW(params.rest, lr=self.rest_lr, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
        )


def at_unit_norm(x: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.matrix_norm(x, keepdim=True)
    return x / (norm + 1e-7)


def orthogonalised(
    matrices: Tensor,
    scaled: Callable[[Tensor], Tensor] = at_unit_norm,
    iterations: Sequence[tuple[float, float, float]] = (QUINTIC,) * NEWTON_SCHULZ_STEPS,
) -> Tensor:
    """The nearest orthogonal matrix of each [n, rows, cols], roughly: singular values land in about 0.7 to 1.2.

    `scaled` gets the wide form, rows <= cols, and has to bring its singular values into (0, 1].
    """
    tall = matrices.size(-2) > matrices.size(-1)
    x = scaled(matrices.mT if tall else matrices)
    for a, b, c in iterations:
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def muon_of(
    matrices: list[nn.Parameter], lr: float, momentum: float, weight_decay: float, modifiers: Sequence[Any]
) -> torch.optim.Optimizer:
    """Muon over some matrices, for optimizers that give the rest to another rule."""
    return _MuonOptimizer(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}, modifiers)


class _MuonOptimizer(torch.optim.Optimizer):
    def __init__(self, matrices: list[nn.Parameter], settings: dict[str, float], modifiers: Sequence[Any]) -> None:
        # the loop says how far training is
        super().__init__(matrices, {**settings, "progress": 0.0})
        self.direction_changes = attached(modifiers, "direction")
        self.orthogonaliser = replaced(modifiers, "orthogonaliser", orthogonalised)
        self.update_changes = attached(modifiers, "update")
        self.decay = replaced(modifiers, "decay", decay_everywhere)
        self.momentum_at = replaced(modifiers, "momentum", lambda step, full: full)
        self.weight_decay_at = replaced(modifiers, "weight_decay", lambda progress, full: full)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            momentum = self.momentum_at(group.setdefault("steps_done", 0), group["momentum"])
            group["steps_done"] += 1
            weight_decay = self.weight_decay_at(group["progress"], group["weight_decay"])
            # matrices of one shape go through the iteration together: fewer, larger products
            by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for p in group["params"]:
                by_shape[p.shape].append(p)
            for (rows, cols), members in by_shape.items():
                directions = torch.stack([self._direction(p, momentum) for p in members])
                for change in self.direction_changes:
                    directions = change(directions)
                updates = self.orthogonaliser(directions)
                for change in self.update_changes:
                    # with each matrix's saved state, where a modifier keeps its own under a name of its own
                    updates = change(updates, [self.state[p] for p in members])
                length = group["lr"] * max(1.0, rows / cols) ** 0.5
                for p, update in zip(members, updates, strict=True):
                    self.decay(p, update, group["lr"] * weight_decay)
                    p.add_(update, alpha=-length)

    def _direction(self, p: Tensor, decay: float) -> Tensor:
        """Fold the gradient into the momentum and look one step ahead."""
        state = self.state[p]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(p)
        assert p.grad is not None, "a matrix without a gradient"
        momentum: Tensor = state["momentum"].mul_(decay).add_(p.grad)
        return torch.add(p.grad, momentum, alpha=decay)
