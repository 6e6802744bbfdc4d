"""Sequences at coprime strides from many shards at once (techniques.md 1.6; Parameter Golf #726, #1060)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.data.shards import Visit
from bench.errors import ConfigError
from bench.knobs import Span, knob
from bench.layers import Params
from bench.techniques.technique import Prior
from bench.training import Hook

# As #1060 has them: batches until the most shards are mixed, and how a shard's chance follows what is left of it.
RAMP = 1_800
FIRST_POWER, LAST_POWER = 0.9, 0.5


@dataclass(frozen=True, kw_only=True)
class CoprimeStrides:
    """A step's sequences come from several shards, and jump through each: neighbours are seldom of one document.

    A shard is cut in sequences behind a random offset and visited at a stride that shares no divisor with their
    number: each once, before it is cut anew. More shards are mixed as training goes on, those with more left more
    often. The order is the same for every seed, and within a batch it changes nothing.
    """

    slot: ClassVar = "addons"
    name: ClassVar = "coprime_strides"
    source: ClassVar = "Parameter Golf #1060"
    prior: ClassVar = Prior(-1, "B", "part of 1.1147 to 1.1122 BPB")

    shards: int = knob(8, Span(1, 64, log=True), "mixed in a batch at first")
    most: int = knob(32, Span(1, 256, log=True), "mixed in a batch in the end, if there are as many")

    def hook(self, params: Params) -> Hook:
        return Hook()

    def visits(self, lengths: Sequence[int], seq_len: int) -> Visit:
        """Shard and first token of each of a step's sequences, for steps asked for one after the other.

        Raises ConfigError when no shard holds a sequence.
        """
        drawn = np.random.Generator(np.random.PCG64(0))
        rounds = [Round(n, seq_len, drawn) for n in lengths]
        long_enough = [number for number, n in enumerate(lengths) if n > seq_len]
        if not long_enough:
            raise ConfigError(
                f"no shard holds a sequence of {seq_len:,} tokens and the one after it", "take shorter sequences"
            )

        def visit(step: int, batch: int) -> list[tuple[int, int]]:
            share = min(step / RAMP, 1.0)
            left = np.array([max(rounds[number].left, 1) for number in long_enough], np.float64)
            chances = left ** (FIRST_POWER + share * (LAST_POWER - FIRST_POWER))
            chances /= chances.sum()
            mixed = round(self.shards + share * (max(self.most, self.shards) - self.shards))
            mixed = min(mixed, len(long_enough), batch)
            chosen = drawn.choice(len(long_enough), mixed, replace=False, p=chances)
            among = chances[chosen] / chances[chosen].sum()
            counts = 1 + drawn.multinomial(batch - mixed, among)
            return [
                (long_enough[number], rounds[long_enough[number]].next())
                for number, count in zip(chosen, counts, strict=True)
                for _ in range(count)
            ]

        return visit


class Round:
    """One way through a shard after the other."""

    def __init__(self, n: int, seq_len: int, drawn: np.random.Generator) -> None:
        self.n, self.seq_len, self.drawn = n, seq_len, drawn
        self.offset = self.first = self.done = 0
        self.stride, self.count = 1, 0

    @property
    def left(self) -> int:
        """Sequences to come before the shard is cut anew."""
        return self.count - self.done if self.count else (self.n - 1) // self.seq_len

    def next(self) -> int:
        """The first token of the next sequence."""
        if self.done == self.count:
            self._cut()
        place = (self.first + self.done * self.stride) % self.count
        self.done += 1
        return self.offset + place * self.seq_len

    def _cut(self) -> None:
        # the last sequence's target is a token more
        self.offset = int(self.drawn.integers(min(self.seq_len - 1, self.n - self.seq_len - 1) + 1))
        self.count = (self.n - 1 - self.offset) // self.seq_len
        self.first, self.done = int(self.drawn.integers(self.count)), 0
        self.stride = 1
        while self.count > 1:
            self.stride = int(self.drawn.integers(1, self.count))
            if math.gcd(self.stride, self.count) == 1:
                break
