"""A config's techniques, built: what each slot's pick must be able to do, and the model they make together."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bench.layers import Cast, Param, Params, Role
from bench.skeleton import N_HEAD, N_LAYER, WIDTH, Model, Parts, Site
from bench.tracks import VOCAB
from bench.training import Hook, Optimizer


class ModelPart(Protocol):
    """Features, feed-forward, head, modifiers: a module per site, with its declared cost."""

    def build(self, site: Site) -> nn.Module | None: ...

    def flops(self, site: Site) -> int: ...

    def parameters(self, site: Site) -> int: ...


class Mixer(Protocol):
    points: frozenset[str]

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module: ...

    def flops(self, site: Site) -> int: ...

    def parameters(self, site: Site) -> int: ...


class Residual(Protocol):
    def build(self, site: Site, mixer: nn.Module, ffn: nn.Module, modifiers: Sequence[nn.Module]) -> nn.Module: ...


class Init(Protocol):
    def fill(self, param: Param, generator: torch.Generator) -> None: ...


class OptimizerPick(Protocol):
    def build(self, params: Params) -> Optimizer: ...


class Schedule(Protocol):
    def lr_scale(self, step: int, n_steps: int) -> float: ...


class Hooking(Protocol):
    """Averaging and add-ons."""

    def hook(self, params: Params) -> Hook: ...


class Precision(Protocol):
    def cast(self, role: Role) -> Cast: ...

    def encode(self, weight: Tensor, role: Role) -> bytes: ...

    def decode(self, packed: bytes, shape: tuple[int, ...], role: Role) -> Tensor: ...

    def encoded_bytes(self, shape: tuple[int, ...], role: Role) -> int: ...


class Codec(Protocol):
    def compress(self, raw: bytes) -> bytes: ...

    def decompress(self, packed: bytes, raw_bytes: int) -> bytes: ...


class Evaluator(Protocol):
    def nats(self, model: nn.Module, text: npt.NDArray[np.uint8], seq_len: int) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One technique per `one` slot and a tuple per `many` slot, knobs set; `bench.catalog.realise` makes it."""

    features: tuple[ModelPart, ...]
    mixer: Mixer
    mixer_modifiers: tuple[ModelPart, ...]
    ffn: ModelPart
    residual: Residual
    block_modifiers: tuple[ModelPart, ...]
    head: ModelPart
    init: Init
    optimizer: OptimizerPick
    schedule: Schedule
    averaging: Hooking
    addons: tuple[Hooking, ...]
    precision: Precision
    codec: Codec
    evaluator: Evaluator

    def model(self, seq_len: int) -> Model:
        """The model with its number format's casts in place and every weight still at zero."""
        block = partial(_block, self)
        model = Model(
            Parts(tuple(partial(_sure, f) for f in self.features), block, partial(_sure, self.head)), site(seq_len)
        )
        for module in model.modules():
            if isinstance(role := getattr(module, "role", None), Role):
                module.cast = self.precision.cast(role)  # type: ignore[assignment]
        return model

    def hooks(self, params: Params, optimizer: Optimizer) -> list[Hook]:
        """In the order they act within a step."""
        own = [optimizer] if isinstance(optimizer, Hook) else []
        return [*own, *(addon.hook(params) for addon in self.addons), self.averaging.hook(params)]

    def extra_passes(self) -> float:
        """Forward and backward passes per step beyond the first; an optimizer that needs any says so."""
        declared: Any = getattr(self.optimizer, "extra_passes", lambda: 0.0)
        return float(declared())


def site(seq_len: int, layer: int = 0) -> Site:
    return Site(WIDTH, N_HEAD, layer, N_LAYER, seq_len, VOCAB)


def _block(stack: Stack, where: Site) -> nn.Module:
    mixer = stack.mixer.build(where, _present(stack.mixer_modifiers, where))
    return stack.residual.build(where, mixer, _sure(stack.ffn, where), _present(stack.block_modifiers, where))


def _present(parts: tuple[ModelPart, ...], where: Site) -> list[nn.Module]:
    """The modifiers that act at this layer; one may leave a layer alone."""
    return [module for part in parts if (module := part.build(where)) is not None]


def _sure(part: ModelPart, where: Site) -> nn.Module:
    module = part.build(where)
    assert module is not None, f"{part} built nothing"
    return module
