"""Gradient clipping by global norm (Pascanu et al. 2012, arXiv:1211.5063)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from bench.knobs import Span, knob
from bench.layers import Params
from bench.techniques.technique import Prior
from bench.training import Hook, Moment


@dataclass(frozen=True, kw_only=True)
class GradClip:
    """All gradients are scaled down together when their joint norm passes the limit."""

    slot: ClassVar = "addons"
    name: ClassVar = "grad_clip"
    source: ClassVar = "arXiv:1211.5063"
    prior: ClassVar = Prior(0, "C", "0.3 in nearly all of Parameter Golf's stacks, never isolated")

    limit: float = knob(1.0, Span(0.1, 3.0, log=True), "largest joint norm")

    def hook(self, params: Params) -> Hook:
        return _Clip(params.tensors, self.limit)


class _Clip(Hook):
    def __init__(self, tensors: list[nn.Parameter], limit: float) -> None:
        self.tensors = tensors
        self.limit = limit

    def after_gradients(self, moment: Moment) -> None:
        torch.nn.utils.clip_grad_norm_(self.tensors, self.limit)
