"""GPTQ: rounding column by column, the columns left take up the error (Frantar et al. 2022, arXiv:2210.17323).

Its order and damping are those of Parameter Golf's records (techniques.md 4.9).

Shapes: B batch, T time, R rows, C columns, N positions.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from bench.errors import ArtifactError
from bench.knobs import Span, knob
from bench.layers import Moments, Param, Params
from bench.ranks import ALONE, Ranks
from bench.skeleton import Model
from bench.stack import Precision, PrecisionModifier
from bench.techniques.precision.byte_rows import AfterTraining, ByteRows
from bench.techniques.technique import Prior
from bench.training import Hook, Moment

# Columns whose errors reach the rest of the matrix in one product.
BLOCK = 128


@dataclass(frozen=True, kw_only=True)
class Gptq(PrecisionModifier):
    """Codes that keep what a matrix gives for the inputs it had, not the matrix: steps stay as the format sets them.

    The second moments of inputs are measured on the last batches of training, before its clock runs out. A tensor
    that is no product's weight, as an embedding that no head shares, is rounded to the nearest.
    """

    slot: ClassVar = "precision_modifiers"
    name: ClassVar = "gptq"
    source: ClassVar = "arXiv:2210.17323"
    point: ClassVar = "grid"
    prior: ClassVar = Prior(-1, "A", "in every record of Parameter Golf from #1019 on, never isolated")

    batches: int = knob(16, Span(1, 64, log=True), "of training, the last ones, on which inputs are measured")
    damping: float = knob(0.01, Span(1e-3, 0.1, log=True), "of the mean second moment, added to each input's own")

    def hook(self, precision: Precision) -> Hook:
        return _Calibration(self.batches)

    def calibration_batches(self, steps: int) -> int:
        """Forward passes after the last step, each of a training batch."""
        return min(self.batches, steps)

    def coded(self, param: Param, moments: Moments, precision: Precision) -> bytes | None:
        if not moments:
            raise ArtifactError(
                "gptq has no second moments of this model's inputs", "pack the model that training ends with"
            )
        rows = precision.formats().of(param.role) if isinstance(precision, AfterTraining) else None
        inputs_CC = moments.get(param.name)
        # what diverged in its last step has no moments; it is found out when it is scored
        if not isinstance(rows, ByteRows) or inputs_CC is None or not inputs_CC.isfinite().all():
            return None
        weight = param.tensor.detach()
        scales_R = rows.scales(weight)
        # measured where training was, written where packing is
        inputs_CC = inputs_CC.to(weight.device)
        return rows.joined(compensated(weight, inputs_CC, scales_R, rows.levels, self.damping), scales_R)


class _Calibration(Hook):
    """Keeps the last batches, and measures on them when the weights are final."""

    def __init__(self, batches: int) -> None:
        self.inputs: deque[Tensor] = deque(maxlen=batches)
        self.steps_held_back = batches

    def before_gradients(self, moment: Moment) -> None:
        self.inputs.append(moment.x_BT)

    def at_end(self, model: nn.Module, ranks: Ranks) -> None:
        assert isinstance(model, Model), f"{type(model).__name__} has no place for moments"
        model.moments = second_moments(model, self.inputs, ranks)


@torch.no_grad()
def second_moments(model: Model, batches: Iterable[Tensor], ranks: Ranks = ALONE) -> Moments:
    """Of the inputs of every product, summed over all positions of all ranks' tokens [B, T], by its weight's name."""
    was_training = model.training
    model.eval()
    products = _Products({id(param.tensor): param.name for param in Params(model).all})
    with products:
        for x_BT in batches:
            model(x_BT)
    model.train(was_training)
    return {name: ranks.summed(inputs_CC) for name, inputs_CC in products.sums.items()}


class _Products(TorchFunctionMode):
    """Sees every product with a weight, whichever module makes it: a head may use the embedding's."""

    def __init__(self, names: Mapping[int, str]) -> None:
        super().__init__()
        self.names = names
        self.sums: dict[str, Tensor] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.linear and (name := self.names.get(id(args[1]))):
            x_NC = args[0].flatten(0, -2)
            if name not in self.sums:
                self.sums[name] = x_NC.new_zeros(x_NC.size(1), x_NC.size(1), dtype=torch.float64)
            self.sums[name] += x_NC.T @ x_NC
        return func(*args, **(kwargs or {}))


def compensated(weight: Tensor, inputs_CC: Tensor, scales_R: Tensor, levels: int, damping: float) -> Tensor:
    """Codes, [R, C] in [-levels, levels], in float64.

    Columns go by falling second moment; each one's error is taken from those left, as far as their inputs go along.
    """
    w_RC, h_CC = weight.double(), inputs_CC.double().clone()
    C = w_RC.size(1)
    # an input that never was anything says nothing of its weights
    dead_C = h_CC.diagonal() == 0
    h_CC.diagonal()[dead_C] = 1
    h_CC.diagonal().add_(damping * h_CC.diagonal().mean())
    order_C = h_CC.diagonal().argsort(descending=True, stable=True)
    w_RC = w_RC.masked_fill(dead_C, 0)[:, order_C]
    h_CC = h_CC[order_C][:, order_C]
    # its row j, divided by its j-th number, is how the columns after j answer to an error in j
    upper_CC = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(h_CC)), upper=True)
    scales_R = scales_R.double()
    codes_RC = torch.empty_like(w_RC)
    for start in range(0, C, BLOCK):
        end = min(start + BLOCK, C)
        errors = torch.empty_like(w_RC[:, start:end])
        for j in range(start, end):
            codes_RC[:, j] = (w_RC[:, j] / scales_R).round().clamp(-levels, levels)
            error_R = (w_RC[:, j] - codes_RC[:, j] * scales_R) / upper_CC[j, j]
            w_RC[:, j:end] -= error_R.unsqueeze(1) * upper_CC[j, j:end]
            errors[:, j - start] = error_R
        w_RC[:, end:] -= errors @ upper_CC[start:end, end:]
    back_C = order_C.argsort()
    return codes_RC[:, back_C]
