"""Two optimizers that own disjoint tensors, as one."""

from typing import Any

from torch.optim import Optimizer as TorchOptimizer


class Combined:
    """Steps each part in turn; one list of groups, so that a schedule reaches all of them."""

    def __init__(self, *parts: TorchOptimizer) -> None:
        self.parts = parts
        owned = [id(p) for part in parts for group in part.param_groups for p in group["params"]]
        assert len(owned) == len(set(owned)), "a tensor has two owners"

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return [group for part in self.parts for group in part.param_groups]

    def step(self) -> None:
        for part in self.parts:
            part.step()

    def zero_grad(self) -> None:
        for part in self.parts:
            part.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        return {str(number): part.state_dict() for number, part in enumerate(self.parts)}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        for number, part in enumerate(self.parts):
            part.load_state_dict(saved[str(number)])
