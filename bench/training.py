"""The step loop and nothing else. Techniques that act while training attach as hooks.

Shapes: B batch, T time, V vocabulary.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.ranks import ALONE, Forward, Ranks, unshared
from bench.records import Pace, Point


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

    def at_end(self, model: nn.Module, ranks: Ranks) -> None:
        """Training is over; what the model holds after this is packed.

        Ranks have the same weights, and each its own part of the batches: what is measured on those must be shared.
        """


class Optimizer(Protocol):
    """What the loop asks of an optimizer; torch's own have it."""

    @property
    def param_groups(self) -> list[dict[str, Any]]: ...

    def step(self) -> Any: ...

    def zero_grad(self) -> None: ...


# Inputs and targets [B, T] of a step, given the steps done and those expected in all.
Draw = Callable[[int, float], tuple[Tensor, Tensor]]


class Diverged(Exception):
    """A loss that is no finite number."""

    def __init__(self, what: str, step: int, last: float | None = None) -> None:
        before = "" if last is None else f"; the last finite one was {last:.4g}"
        super().__init__(f"{what} is not finite at step {step}{before}")
        self.step = step


class Work:
    """How a process passes its part of a batch through the model: in how many pieces, and beside which other ranks."""

    def __init__(self, model: nn.Module, ranks: Ranks = ALONE, pieces: int = 1) -> None:
        self.ranks = ranks
        self.pieces = pieces
        self.forward: Forward = ranks.forward_of(model)


POINT_EVERY = 10


@dataclass(frozen=True)
class Training:
    """What the loop used; probes are not part of the training time. The pace is that of a loop under a clock."""

    steps: int
    train_seconds: float
    probe_seconds: float
    pace: tuple[Pace, ...] = ()


def train(
    model: nn.Module,
    optimizer: Optimizer,
    lr_scale: Callable[[int, float], float],
    hooks: Sequence[Hook],
    draw: Draw,
    noise: torch.Generator,
    n_steps: int,
    probe: Callable[[], float],
    probe_every: int,
    watch: Callable[[Point], None],
    seconds: float = math.inf,
    recorded: Sequence[Pace] = (),
    work: Work | None = None,
) -> Training:
    """Run all steps, or to the end of the first that reaches the seconds; raises Diverged.

    With the recorded pace of a loop under a clock, as many steps as that one took, at its pace. Reports a point every
    few steps, with a probe_loss where one is due. What hooks do at the end is training time.
    """
    work = work or Work(model)
    held_back = sum(hook.steps_held_back for hook in hooks)
    for group in optimizer.param_groups:
        group["peak_lr"] = group["lr"]
    optimizer.zero_grad()
    if recorded:
        n_steps, seconds = len(recorded), math.inf
    train_seconds = probe_seconds = 0.0
    recent: list[float] = []
    kept: list[Pace] = []
    last: float | None = None
    done = 0
    over = n_steps == 0
    while not over:
        step = done
        started = time.perf_counter()
        expected = steps_in_all(step, n_steps, train_seconds, seconds, held_back)
        pace = recorded[step] if recorded else Pace(lr_scale(step, expected), expected)
        if seconds != math.inf:
            kept.append(pace)
        x_BT, y_BT = draw(step, pace.n_steps)
        moment = Moment(step, pace.n_steps, model, x_BT, y_BT, noise)
        for group in optimizer.param_groups:
            group["lr"] = group["peak_lr"] * pace.lr_scale
            group["progress"] = moment.progress
        # the number is there once a GPU has done the step, and only then the clock is read
        own_loss = advance(moment, optimizer, hooks, work).item()
        train_loss, train_seconds = work.ranks.agreed(own_loss, train_seconds + time.perf_counter() - started)
        if not math.isfinite(train_loss):
            raise Diverged("train_loss", step + 1, last)
        recent.append(last := train_loss)
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
        hook.at_end(model, work.ranks)
    train_seconds = work.ranks.slowest(train_seconds + time.perf_counter() - started)
    return Training(done, train_seconds, probe_seconds, tuple(kept) or tuple(recorded))


def steps_in_all(step: int, n_steps: int, elapsed: float, seconds: float, held_back: int = 0) -> float:
    """How many steps there will be: all of them, or those the clock leaves at the pace so far (techniques.md 1.3)."""
    if step == 0 or seconds == math.inf:
        return n_steps
    return min(n_steps, step + (seconds - elapsed) * step / elapsed - held_back)


def advance(moment: Moment, optimizer: Optimizer, hooks: Sequence[Hook], work: Work | None = None) -> Tensor:
    """One step on the moment's batch; the plain loss before it on this process's part, nats per byte."""
    work = work or Work(moment.model)
    for hook in hooks:
        hook.before_gradients(moment)
    loss = gradients(moment, hooks, work)
    for hook in hooks:
        hook.after_gradients(moment)
    optimizer.step()
    optimizer.zero_grad()
    for hook in hooks:
        hook.after_step(moment)
    return loss


def gradients(moment: Moment, hooks: Sequence[Hook], work: Work) -> Tensor:
    """Leave the batch's mean gradient with the weights, a piece after the other; returns the plain loss."""
    n, losses = len(moment.x_BT), []
    pieces = list(zip(moment.x_BT.chunk(work.pieces), moment.y_BT.chunk(work.pieces), strict=True))
    for number, (x_BT, y_BT) in enumerate(pieces, start=1):
        piece, share = replace(moment, x_BT=x_BT, y_BT=y_BT), len(x_BT) / n
        with unshared(work.forward, last=number == len(pieces)):
            logits_BTV = work.forward(x_BT, moment.progress)
            plain = mean_nats(logits_BTV, y_BT)
            added = [more for hook in hooks if (more := hook.added_loss(logits_BTV, piece)) is not None]
            (sum(added, plain) * share).backward()  # type: ignore[no-untyped-call]
        losses.append(plain.detach() * share)
    return torch.stack(losses).sum()


def mean_nats(logits_BTV: Tensor, y_BT: Tensor) -> Tensor:
    """Mean cross-entropy, nats per byte."""
    return F.cross_entropy(logits_BTV.flatten(0, 1), y_BT.flatten())
