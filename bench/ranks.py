"""The processes that train one model together, a copy each, and the device that each computes on.

Alone, a process has the whole batch; among several, gradients are averaged by DDP and every decision of the loop is
taken on numbers that all of them share. Shapes: B batch, T time, V vocabulary.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

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
    compiles: bool = False  # else the model is trained as it is written

    def forward_of(self, model: nn.Module) -> Forward:
        """The model's training pass: in half precision on a GPU, compiled if asked for, its gradients shared."""
        trained = compiled(model) if self.compiles else model
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
        losses, clocks = self._every(torch.tensor([loss, seconds], dtype=torch.float64, device=self.device)).unbind(1)
        return losses.mean().item(), clocks.max().item()

    def summed(self, own: Tensor) -> Tensor:
        """Over all ranks, added up in their order: the same bits for each of them."""
        return own if self.size == 1 else self._every(own).sum(0)

    def slowest(self, seconds: float) -> float:
        """The slowest clock, for what is no step of the loop."""
        return self.agreed(0.0, seconds)[1]

    def _every(self, own: Tensor) -> Tensor:
        """What each rank has, one after the other along a new first dimension."""
        every = [torch.empty_like(own) for _ in range(self.size)]
        dist.all_gather(every, own.contiguous())
        return torch.stack(every)


ALONE = Ranks()


def compiled(model: nn.Module) -> nn.Module:
    """By inductor, which would else leave out the rounding of a scale to half precision: training would see other
    weights than are packed (logits of two small blocks at int6 differed by 0.03, and by 1e-6 with this)."""
    model_compiled: Any = torch.compile(model, options={"emulate_precision_casts": True})
    return model_compiled  # type: ignore[no-any-return]


def gpu(number: int) -> torch.device:
    """A CUDA device made this process's own, its products of fp32 numbers in TF32."""
    torch.cuda.set_device(number)
    torch.set_float32_matmul_precision("high")
    return torch.device("cuda", number)


def device_of(model: nn.Module) -> torch.device:
    """Where its weights lie; the CPU for a model without any."""
    return next((p.device for p in model.parameters()), CPU)


def unshared(forward: Forward, last: bool) -> AbstractContextManager[None]:
    """Gradients of all but a step's last pass stay in this process: they are averaged once, summed."""
    no_sync: Callable[[], AbstractContextManager[None]] = getattr(forward, "no_sync", nullcontext)
    return nullcontext() if last else no_sync()
