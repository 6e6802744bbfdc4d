"""Mixers as users write them: one that is sound, and its text with one thing changed for the worse."""

GOOD = '''"""The mean of the last few bytes, through a gate."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import nn

from bench.knobs import Span, knob
from bench.layers import Linear, Role


@dataclass(frozen=True, kw_only=True)
class RecentMean:
    """Each byte gets the mean of the last few."""

    slot: ClassVar = "mixer"
    name: ClassVar = "recent_mean"
    source: ClassVar = "my own"
    points: ClassVar = frozenset()

    window: int = knob(4, Span(2, 32), "bytes that are averaged")

    def build(self, site, modifiers=()):
        return RecentMeanMixer(site.width, self.window)

    def flops(self, site):
        return 4 * site.width**2

    def parameters(self, site):
        return 2 * site.width**2


class RecentMeanMixer(nn.Module):
    def __init__(self, width, window):
        super().__init__()
        self.value = Linear(width, width)
        self.output = Linear(width, width, Role.OUTPUT)
        self.window = window

    def forward(self, x_BTD, context):
        earlier = F.pad(self.value(x_BTD), (0, 0, self.window - 1, 0))
        mean_BTD = earlier.unfold(1, self.window, 1).mean(-1)
        return self.output(mean_BTD)
'''
MEAN = "        mean_BTD = earlier.unfold(1, self.window, 1).mean(-1)\n"


def changed(*pairs: tuple[str, str]) -> str:
    """The good text with pieces replaced; each must be there."""
    text = GOOD
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def after_mean(line: str) -> str:
    """One more line before the answer is given."""
    return changed((MEAN, f"{MEAN}        {line}\n"))
