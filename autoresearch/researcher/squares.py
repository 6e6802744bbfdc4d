"""2x2 tables of two techniques, all else equal: their corners, and what whole ones say of the pair."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from autoresearch.beliefs import added
from autoresearch.noise import Cells, Noise, Sample, Together, interaction
from bench.config import SLOT_NAMES, RunConfig, fingerprint
from studies.views import VerdictView

Corners = tuple[RunConfig, RunConfig, RunConfig]


@dataclass(frozen=True, kw_only=True)
class Square:
    """A stack with two techniques, and the same without each and without both."""

    first: str
    second: str
    both: RunConfig
    corners: Corners  # the first alone, the second alone, neither

    @property
    def prints(self) -> tuple[str, ...]:
        return tuple(fingerprint(config) for config in (self.both, *self.corners))


def without(config: RunConfig, gone: list[str], base: RunConfig) -> RunConfig:
    """The config with some techniques taken out, the baseline's own back in their place."""
    for slot in SLOT_NAMES:
        picks = config.picks[slot]
        kept = [pick for pick in picks if pick.name not in gone]
        if len(kept) < len(picks):
            config = config.replaced(slot, kept or base.picks[slot])
    return config


def square(
    both: RunConfig,
    first: str,
    second: str,
    base: RunConfig,
    settled: Callable[[RunConfig], RunConfig] = lambda config: config,
) -> Square | None:
    """The square of a stack that has both; None where one can't go without the other. `settled` is a config as a study
    would build it."""
    corners = tuple(settled(without(both, gone, base)) for gone in ([second], [first], [first, second]))
    wanted = [set(added(both, base)) - set(gone) for gone in ([second], [first], [first, second])]
    if [set(added(corner, base)) for corner in corners] != wanted or len({fingerprint(c) for c in corners}) < 3:
        return None
    one, two, neither = corners
    return Square(first=first, second=second, both=both, corners=(one, two, neither))


def cells_of(found: Square, samples: Mapping[str, Sample]) -> Cells | None:
    """The scores of its corners; None while one has none."""
    scores = [samples.get(print_) for print_ in found.prints]
    both, first, second, neither = scores
    if both is None or first is None or second is None or neither is None:
        return None
    return Cells(neither=neither, first=first, second=second, both=both)


def pair_verdict(
    found: Square, cells: Cells, noise: Noise, alpha: float, stack: str, run_ids: dict[str, list[int]]
) -> VerdictView:
    """Synergy, redundancy or conflict with the contrast's interval; effects that seem to add up are inconclusive."""
    said = interaction(cells, noise, alpha)
    return VerdictView(
        question=f"do {found.first} and {found.second} help or hinder each other on {stack}?",
        verdict="inconclusive" if said.kind is Together.NONE else said.kind.value,
        why=said.why, effect=said.contrast, low=said.low, high=said.high, p=said.p,
        n=min(cell.n for cell in cells.all), run_ids=run_ids,
    )  # fmt: skip
