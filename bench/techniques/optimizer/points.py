"""Where modifiers attach to optimizers written here. A modifier's method is named after its point.

`direction` and `update` may hold several modifiers, which act in turn; the others hold one.
"""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor


def attached(modifiers: Sequence[Any], point: str) -> list[Any]:
    """The methods of all modifiers at a point, in order."""
    return [getattr(modifier, point) for modifier in modifiers if modifier.point == point]


def replaced(modifiers: Sequence[Any], point: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    """The method of the one modifier at a point, or what stands there without it."""
    found = attached(modifiers, point)
    assert len(found) <= 1, f"{len(found)} modifiers at {point}, which holds one"
    return found[0] if found else plain


def decay_everywhere(p: Tensor, update: Tensor, share: float) -> None:
    """Shrink every weight by `share` in place; what is subtracted next, `update`, is not looked at."""
    p.mul_(1 - share)
