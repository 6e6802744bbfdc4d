"""Weights in groups along the input, each with a scale of its own.

Shapes: R rows, C columns, G groups of a row, S weights of a group.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.techniques.precision.rows import LARGEST_SCALE

GROUP = 128  # best in Parameter Golf's ternary record, R640


def n_groups(cols: int) -> int:
    return -(-cols // GROUP)


def grouped(weight: Tensor) -> Tensor:
    """[R, C] as [R, G, S]; a row's last group is filled up with zeros where its columns run out."""
    R, C = weight.shape
    whole = weight if C % GROUP == 0 else F.pad(weight, (0, -C % GROUP))
    return whole.view(R, n_groups(C), GROUP)


def ungrouped(weight_RGS: Tensor, cols: int) -> Tensor:
    """Back to [R, C], without the filling."""
    return weight_RGS.flatten(1)[:, :cols]


def mean_sizes(weight_RGS: Tensor, cols: int) -> Tensor:
    """Mean absolute value of each group, [R, G], the filling not counted."""
    sizes_G = torch.full((n_groups(cols),), float(GROUP))
    sizes_G[-1] = cols - GROUP * (n_groups(cols) - 1)
    # a quarter of vector_norm's time
    return weight_RGS.abs().sum(2).div_(sizes_G)


def storable(scales: Tensor) -> Tensor:
    """Rounded to half precision, so that what is stored is what was fitted; never infinite."""
    return scales.half().float().clamp_max_(LARGEST_SCALE)
