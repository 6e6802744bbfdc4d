"""Muon for the matrices, Adam for the rest with a rate for each kind of tensor (Parameter Golf's baseline)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from bench.knobs import Span, knob
from bench.layers import Params, Role
from bench.techniques.optimizer.combined import Combined
from bench.techniques.optimizer.muon import MUON_POINTS, muon_of
from bench.techniques.technique import Prior
from bench.training import Optimizer


@dataclass(frozen=True, kw_only=True)
class MuonSplit:
    """A tied embedding wants another rate than a head of its own, and vectors want a third. Adam decays nothing."""

    slot: ClassVar = "optimizer"
    name: ClassVar = "muon_split"
    source: ClassVar = "Parameter Golf's baseline"
    points: ClassVar = MUON_POINTS | {"momentum"}
    prior: ClassVar = Prior(-1, "A", "every record of Parameter Golf's March and April")

    lr: float = knob(0.04, Span(3e-3, 0.2, log=True), "spectral norm of a matrix's change per step")
    momentum: float = knob(0.95, Span(0.8, 0.99), "decay of the momentum, Nesterov's form")
    weight_decay: float = knob(0.0, Span(0.0, 0.2), "decoupled, scaled by lr; matrices only")
    embedding_lr: float = knob(0.05, Span(1e-3, 1.0, log=True), "Adam's lr for the embedding and tables beside it")
    head_lr: float = knob(0.008, Span(1e-4, 0.1, log=True), "Adam's lr for a head that is not tied")
    vector_lr: float = knob(0.04, Span(1e-3, 0.2, log=True), "Adam's lr for gains, scales, skips and filters")

    def build(self, params: Params, modifiers: Sequence[Any] = ()) -> Optimizer:
        groups = (
            (params.of(Role.EMBEDDING, Role.TABLE), self.embedding_lr),
            (params.of(Role.HEAD), self.head_lr),
            (params.of(Role.VECTOR, Role.FILTER), self.vector_lr),
        )
        return Combined(
            muon_of(params.matrices, self.lr, self.momentum, self.weight_decay, modifiers),
            torch.optim.AdamW(
                [{"params": tensors, "lr": lr} for tensors, lr in groups if tensors],
                betas=(0.9, 0.95),
                eps=1e-8,
                weight_decay=0.0,
                fused=True,
            ),
        )
