"""The processes that train one model together, a copy each, and the device that each computes on.

Alone, a process has the whole batch; among several, gradients are averaged by DDP and every decision of the loop is
taken on numbers that all of them share. Shapes: B batch, T time, V vocabulary.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

Forward = Callable[[Tensor, float], Tensor]  # tokens [B, T] and the share of training done, to logits [B, T, V]

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Ranks:
    """Where this process stands among `size`. More than one need torch's default process group."""

    rank: int = 0
    size: int = 1
    device: torch.device = CPU
    backend: str | None = None  # of torch.compile; None trains the model as it is written

    def forward_of(self, model: nn.Module) -> Forward:
        """The model's training pass: in half precision on a GPU, compiled if asked for, its gradients shared."""
        trained = model if self.backend is None else torch.compile(model, backend=self.backend)
        if self.size > 1:
            trained = DistributedDataParallel(trained)
        if self.device.type == "cpu":
            return trained

        def forward(tokens_BT: Tensor, progress: float) -> Tensor:
            with torch.autocast(self.device.type, torch.bfloat16):
                logits_BTV: Tensor = trained(tokens_BT, progress)
            return logits_BTV

        forward.no_sync = getattr(trained, "no_sync", nullcontext)  # type: ignore[attr-defined]
        return forward

    def agreed(self, loss: float, seconds: float) -> tuple[float, float]:
        """The mean loss and the slowest clock: one answer for all, or their weights and schedules would part."""
        if self.size == 1:
            return loss, seconds
        own = torch.tensor([loss, seconds], dtype=torch.float64, device=self.device)
        every = [torch.empty_like(own) for _ in range(self.size)]
        dist.all_gather(every, own)
        losses, clocks = torch.stack(every).unbind(1)
        return losses.mean().item(), clocks.max().item()


ALONE = Ranks()


def unshared(forward: Forward, last: bool) -> AbstractContextManager[None]:
    """Gradients of all but a step's last pass stay in this process: they are averaged once, summed."""
    no_sync: Callable[[], AbstractContextManager[None]] = getattr(forward, "no_sync", nullcontext)
    return nullcontext() if last else no_sync()
