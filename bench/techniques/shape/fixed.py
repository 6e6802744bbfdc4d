"""The one shape of the Featherweight skeleton."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Four blocks of width 128 with four heads: Featherweight compares techniques, not sizes."""

    slot: ClassVar = "shape"
    name: ClassVar = "fixed"
    source: ClassVar = "the track's rule"
    n_layer: ClassVar = 4
    width: ClassVar = 128
    n_head: ClassVar = 4
