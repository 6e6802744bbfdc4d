"""A config's techniques, built: what each slot's pick must be able to do, and the model they make together."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bench.config import Budget
from bench.data.shards import Visits
from bench.layers import Cast, Moments, Param, Params, Role
from bench.ranks import ALONE, Ranks
from bench.skeleton import Block, Model, Parts, Site
from bench.tracks import Track
from bench.training import Hook, Optimizer


class Shape(Protocol):
    """How many blocks, how wide, how many heads of queries."""

    @property
    def n_layer(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def n_head(self) -> int: ...


class Costed(Protocol):
    """What shapes the model declares its cost at a site: FLOPs of the products torch counts, per token; parameters.

    A recurrence done element by element declares its multiply-adds apart, as `unseen_flops(site)`.
    """

    def flops(self, site: Site) -> int: ...

    def parameters(self, site: Site) -> int: ...


class ModelPart(Costed, Protocol):
    """Features, feed-forward, head, residual, modifiers: a module per site, or none where it leaves a layer alone."""

    def build(self, site: Site) -> nn.Module | None: ...


class BlockModifier(ModelPart, Protocol):
    point: str


class Mixer(Costed, Protocol):
    points: frozenset[str]

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module: ...


class Init(Protocol):
    def fill(self, param: Param, generator: torch.Generator) -> None: ...


class OptimizerPick(Protocol):
    points: frozenset[str]

    def build(self, params: Params, modifiers: Sequence[Any] = ()) -> Optimizer: ...


class Schedule(Protocol):
    def lr_scale(self, step: int, n_steps: float) -> float: ...


class Hooking(Protocol):
    """Averaging and add-ons."""

    def hook(self, params: Params) -> Hook: ...


class Precision(Protocol):
    @property
    def points(self) -> frozenset[str]: ...

    def cast(self, role: Role) -> Cast: ...

    def encode(self, weight: Tensor, role: Role) -> bytes: ...

    def decode(self, packed: bytes, shape: tuple[int, ...], role: Role) -> Tensor: ...

    def encoded_bytes(self, shape: tuple[int, ...], role: Role) -> int: ...


class PrecisionModifier:
    """What may be changed of how tensors become bytes; each method changes nothing unless overridden."""

    point: ClassVar[str]

    def hook(self, precision: Precision) -> Hook:
        """What it does while the model trains."""
        return Hook()

    def chosen(self, param: Param, n_layer: int, precision: Precision) -> Precision:
        """The number format of one tensor, given the one chosen so far."""
        return precision

    def coded(self, param: Param, moments: Moments, precision: Precision) -> bytes | None:
        """A tensor as bytes that its number format decodes, found in another way than by rounding."""
        return None

    def correction(self, params: Sequence[Param], shipped: list[Tensor]) -> bytes:
        """A section behind all tensors, from what they are and what a reader would get."""
        return b""

    def corrected(self, rest: bytes, params: Sequence[Param], shipped: list[Tensor]) -> tuple[list[Tensor], bytes]:
        """The tensors with the correction read from the front of what follows them, and what is left of that.

        Raises ArtifactError.
        """
        return shipped, rest


class Codec(Protocol):
    def compress(self, raw: bytes) -> bytes: ...

    def decompress(self, packed: bytes, raw_bytes: int) -> bytes: ...


class Evaluator(Protocol):
    def nats(
        self, model: nn.Module, text: npt.NDArray[np.uint8 | np.uint16], seq_len: int, ranks: Ranks = ALONE
    ) -> float:
        """Mean nats per predicted token, summed in float64; each is scored once, by one of the ranks."""
        ...


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One technique per `one` slot and a tuple per `many` slot, knobs set; `bench.catalog.realise` makes it."""

    track: Track
    shape: Shape
    features: tuple[ModelPart, ...]
    mixer: Mixer
    mixer_modifiers: tuple[ModelPart, ...]
    ffn: ModelPart
    residual: ModelPart
    block_modifiers: tuple[BlockModifier, ...]
    head: ModelPart
    logits: tuple[ModelPart, ...]
    init: Init
    optimizer: OptimizerPick
    optimizer_modifiers: tuple[Any, ...]
    schedule: Schedule
    averaging: Hooking
    addons: tuple[Hooking, ...]
    precision: Precision
    precision_modifiers: tuple[PrecisionModifier, ...]
    codec: Codec
    evaluator: Evaluator

    def model(self, seq_len: int) -> Model:
        """The model with its number format's casts in place and every weight still at zero."""
        block = partial(_block, self)
        parts = Parts(
            features=tuple(partial(_sure, feature) for feature in self.features),
            block=block,
            head=partial(_sure, self.head),
            embedding_width=self.embedding_width,
            logits=tuple(partial(_sure, change) for change in self.logits),
        )
        model = Model(parts, self.site(seq_len))
        set_casts(model, self.precision.cast)
        model.order = self.order(1.0)
        return model

    def order(self, progress: float) -> tuple[int, ...]:
        """Blocks as they are passed through at a share of training: each once, unless an add-on has some run again."""
        order = tuple(range(self.shape.n_layer))
        for addon in self.addons:
            if reorder := getattr(addon, "order", None):
                order = reorder(progress, order)
        return order

    def costed(self, seq_len: int, order: tuple[int, ...] | None = None) -> Iterator[tuple[Costed, Site]]:
        """Every part of the model at each site it is built for, but the embedding, which is looked up at no cost.

        With an order of blocks, those that run again are there again.
        """
        first = self.site(seq_len)
        yield from ((part, first) for part in (*self.features, self.head, *self.logits))
        for layer in range(self.shape.n_layer) if order is None else order:
            here = replace(first, layer=layer)
            yield from ((part, here) for part in (self.residual, self.mixer, self.ffn, *self.mixer_modifiers))
            for modifier in self.block_modifiers:
                yield from ((modifier, replace(here, part=part)) for part in block_parts(modifier))

    @property
    def embedding_width(self) -> int:
        """Of a token's row: the stream's, unless the head has it narrower."""
        declared: Any = getattr(self.head, "embedding_width", None)
        return int(declared or self.shape.width)

    def site(self, seq_len: int) -> Site:
        """Where the first block is built."""
        shape, track = self.shape, self.track
        return Site(shape.width, shape.n_head, 0, shape.n_layer, seq_len, track.vocab, boundary=track.boundary)

    def optimizer_of(self, params: Params) -> Optimizer:
        return self.optimizer.build(params, self.optimizer_modifiers)

    def hooks(self, params: Params, optimizer: Optimizer) -> list[Hook]:
        """In the order they act within a step."""
        own = [optimizer] if isinstance(optimizer, Hook) else []
        rounding = [modifier.hook(self.precision) for modifier in self.precision_modifiers]
        declared: list[Any] = [getattr(change, "hook", None) for change in self.logits]
        choosing = [hook(params) for hook in declared if hook]
        return [*rounding, *choosing, *own, *(addon.hook(params) for addon in self.addons), self.averaging.hook(params)]

    def plan(self, step: int, n_steps: float, budget: Budget) -> tuple[int, int]:
        """Sequences and their length at a step of so many: the budget's unless a curriculum uses less or shorter."""
        batch, seq_len = budget.batch, budget.seq_len
        for addon in self.addons:
            if curriculum := getattr(addon, "plan", None):
                batch, seq_len = curriculum(step / n_steps, batch, seq_len)
        return batch, seq_len

    def visits(self) -> Visits | None:
        """The way through the shards that an add-on chooses; None where they are read in order."""
        return next((addon.visits for addon in self.addons if hasattr(addon, "visits")), None)

    def calibration_batches(self, steps: int) -> int:
        """Batches of training data that pass forward once more after the last step."""
        parts = (*self.precision_modifiers, *self.logits)
        declared: list[Any] = [getattr(part, "calibration_batches", None) for part in parts]
        return int(sum(batches(steps) for batches in declared if batches))

    def extra_passes(self) -> float:
        """Forward and backward passes per step beyond the first; optimizers and add-ons that need any say so."""
        declared: list[Any] = [getattr(part, "extra_passes", None) for part in (self.optimizer, *self.addons)]
        return float(sum(passes() for passes in declared if passes))


def set_casts(model: nn.Module, cast: Callable[[Role], Cast]) -> None:
    """Have every weight pass through a number format on its way into a product."""
    for module in model.modules():
        if isinstance(role := getattr(module, "role", None), Role):
            module.cast = cast(role)  # type: ignore[assignment]


def block_parts(modifier: BlockModifier) -> tuple[str, ...]:
    """Built once for the stream, or once for each of a block's two parts."""
    return ("",) if modifier.point == "stream" else ("mixer", "ffn")


def _block(stack: Stack, where: Site) -> nn.Module:
    mixer = stack.mixer.build(where, _present(stack.mixer_modifiers, where))
    attached: dict[str, list[nn.Module]] = defaultdict(list)
    for modifier in stack.block_modifiers:
        for part in block_parts(modifier):
            attached[_place(stack, modifier, where, part)] += _present((modifier,), replace(where, part=part))
    return Block(_sure(stack.residual, where), mixer, _sure(stack.ffn, where), attached)


def _place(stack: Stack, modifier: BlockModifier, where: Site, part: str) -> str:
    """Where it stands in the block: where its point says, unless that would change a lane that it spares."""
    two_lanes = getattr(stack.residual, "two_lanes", None)
    if two_lanes and two_lanes(where) and getattr(modifier, "spares_lanes", False):
        return "stream_mixer"
    return f"{modifier.point}_{part}" if part else modifier.point


def _present(parts: Sequence[ModelPart], where: Site) -> list[nn.Module]:
    """The modifiers that act at this layer; one may leave a layer alone."""
    return [module for part in parts if (module := part.build(where)) is not None]


def _sure(part: ModelPart, where: Site) -> nn.Module:
    module = part.build(where)
    assert module is not None, f"{part} built nothing"
    return module
