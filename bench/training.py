"""The step loop and nothing else. Techniques that act while training attach as hooks.

Shapes: B batch, T time, V vocabulary.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.records import Point


@dataclass
class Moment:
    """What a hook sees of the step under way."""

    step: int  # steps done before this one
    n_steps: float  # all there will be; with a clock, those it leaves at the pace so far
    model: nn.Module
    x_BT: Tensor
    y_BT: Tensor
    noise: torch.Generator  # for techniques that sample; the batches have a generator of their own

    @property
    def progress(self) -> float:
        return self.step / self.n_steps


class Hook:
    """Points at which a training technique may act; each does nothing unless overridden."""

    # A budget in seconds ends so many steps' time earlier, for what the hook still does with training data at the end.
    steps_held_back = 0

    def before_gradients(self, moment: Moment) -> None:
        """The batch is drawn and gradients are clear; leave them clear."""

    def added_loss(self, logits_BTV: Tensor, moment: Moment) -> Tensor | None:
        """Something to learn besides the next byte; train_loss stays the plain one."""

    def after_gradients(self, moment: Moment) -> None:
        """Gradients of the step are in place, and may be changed."""

    def after_step(self, moment: Moment) -> None:
        """The weights have moved."""

    def at_end(self, model: nn.Module) -> None:
        """Training is over; what the model holds after this is packed."""


class Optimizer(Protocol):
    """What the loop asks of an optimizer; torch's own have it."""

    @property
    def param_groups(self) -> list[dict[str, Any]]: ...

    def step(self) -> Any: ...

    def zero_grad(self) -> None: ...


class Diverged(Exception):
    """A loss that is no finite number."""

    def __init__(self, what: str, step: int, last: float | None = None) -> None:
        before = "" if last is None else f"; the last finite one was {last:.4g}"
        super().__init__(f"{what} is not finite at step {step}{before}")
        self.step = step


POINT_EVERY = 10


@dataclass(frozen=True)
class Training:
    """What the loop used; probes are not part of the training time."""

    steps: int
    train_seconds: float
    probe_seconds: float


def train(
    model: nn.Module,
    optimizer: Optimizer,
    lr_scale: Callable[[int, float], float],
    hooks: Sequence[Hook],
    draw: Callable[[int], tuple[Tensor, Tensor]],
    noise: torch.Generator,
    n_steps: int,
    probe: Callable[[], float],
    probe_every: int,
    watch: Callable[[Point], None],
    seconds: float = math.inf,
) -> Training:
    """Run all steps, or to the end of the first that reaches the seconds; raises Diverged.

    Reports a point every few steps, with a probe_loss where one is due. What hooks do at the end is training time.
    """
    held_back = sum(hook.steps_held_back for hook in hooks)
    for group in optimizer.param_groups:
        group["peak_lr"] = group["lr"]
    optimizer.zero_grad()
    train_seconds = probe_seconds = 0.0
    recent: list[float] = []
    last: float | None = None
    done = 0
    over = n_steps == 0
    while not over:
        step = done
        started = time.perf_counter()
        x_BT, y_BT = draw(step)
        expected = steps_in_all(step, n_steps, train_seconds, seconds, held_back)
        moment = Moment(step, expected, model, x_BT, y_BT, noise)
        scale = lr_scale(step, expected)
        for group in optimizer.param_groups:
            group["lr"] = group["peak_lr"] * scale
        train_loss = advance(moment, optimizer, hooks).item()
        if not math.isfinite(train_loss):
            raise Diverged("train_loss", step + 1, last)
        recent.append(last := train_loss)
        train_seconds += time.perf_counter() - started
        done = step + 1
        over = done == n_steps or train_seconds >= seconds - held_back * train_seconds / done
        if done % POINT_EVERY == 0 or over:
            started = time.perf_counter()
            probe_loss = probe() if done % probe_every == 0 or over else None
            if probe_loss is not None and not math.isfinite(probe_loss):
                raise Diverged("probe_loss", done)
            probe_seconds += time.perf_counter() - started
            watch(Point(done, train_seconds, math.fsum(recent) / len(recent), probe_loss))
            recent.clear()
    started = time.perf_counter()
    # averaging, which comes last, first settles the weights that others look at
    for hook in reversed(hooks):
        hook.at_end(model)
    return Training(done, train_seconds + time.perf_counter() - started, probe_seconds)


def steps_in_all(step: int, n_steps: int, elapsed: float, seconds: float, held_back: int = 0) -> float:
    """How many steps there will be: all of them, or those the clock leaves at the pace so far (techniques.md 1.3)."""
    if step == 0 or seconds == math.inf:
        return n_steps
    return min(n_steps, step + (seconds - elapsed) * step / elapsed - held_back)


def advance(moment: Moment, optimizer: Optimizer, hooks: Sequence[Hook]) -> Tensor:
    """One step on the moment's batch; the plain loss before it, nats per byte."""
    for hook in hooks:
        hook.before_gradients(moment)
    logits_BTV = moment.model(moment.x_BT, moment.progress)
    loss = mean_nats(logits_BTV, moment.y_BT)
    added = [more for hook in hooks if (more := hook.added_loss(logits_BTV, moment)) is not None]
    sum(added, loss).backward()  # type: ignore[no-untyped-call]
    for hook in hooks:
        hook.after_gradients(moment)
    optimizer.step()
    optimizer.zero_grad()
    for hook in hooks:
        hook.after_step(moment)
    return loss


def mean_nats(logits_BTV: Tensor, y_BT: Tensor) -> Tensor:
    """Mean cross-entropy, nats per byte."""
    return F.cross_entropy(logits_BTV.flatten(0, 1), y_BT.flatten())
