"""The tracks as plain data: corpus, metric, budgets, caps, seeds and the rule that decides a verdict."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from bench.config import Budget
from bench.errors import ConfigError


@dataclass(frozen=True)
class VerdictRule:
    """How a win is declared: a one-sided Welch test of `gain > margin`, margin in nats per byte."""

    alpha: float
    margin: float


@dataclass(frozen=True, kw_only=True)
class Track:
    """One contest. Byte counts are corpus bytes; `flops_ratio` is the cap as a multiple of the baseline's."""

    name: str
    version: int
    title: str
    corpus: str
    ranked_by: str
    budget: Budget
    belt_steps: tuple[int, ...]
    max_parameters: int | None
    flops_ratio: float | None
    max_artifact_bytes: int | None
    eval_bytes: int
    rung_eval_bytes: int
    probe_bytes: int
    probe_every: int
    evaluator_version: int
    rules: tuple[VerdictRule, ...]
    usual_noise: float  # nats per byte, sd of val_loss by its seed: believed until a study has measured its own
    published: tuple[tuple[int, float], ...] = ()  # (steps, val_loss) of others' pages: references, never ranked
    missing: str | None = None  # what keeps the track from running today

    def scored_bytes(self, budget: Budget) -> int:
        """How much of the validation text a run of this budget is scored on."""
        return self.rung_eval_bytes if budget.short else self.eval_bytes

    def is_exhibition(self, budget: Budget) -> bool:
        """True when the budget carries no belt: such runs are listed, never ranked for one."""
        return budget.steps not in self.belt_steps or budget != Budget(steps=budget.steps)


# The first of each list that a purpose needs; search never touches a published seed.
FIRST_SEARCH_SEED = 1001
PUBLISHED_SEEDS = (1337, 42, 7, 2026, 11, 101, 271, 3141)


def search_seeds(first: int) -> Iterator[int]:
    """The seeds a study may replicate with, its own first; never a published one."""
    return (seed for seed in count(first) if seed not in PUBLISHED_SEEDS)


# A constant bumped only when the golden-loss test changes; part of every run's identity.
NUMERICS_VERSION = 1

VOCAB = 256

FEATHERWEIGHT = Track(
    name="featherweight",
    version=1,
    title="Mizan's first bench: TinyStories bytes, 500 steps, best loss takes the belt",
    corpus="tinystories",
    ranked_by="val_loss",
    budget=Budget(steps=500),
    belt_steps=(500, 800),
    max_parameters=1_000_000,
    flops_ratio=1.25,
    max_artifact_bytes=None,
    eval_bytes=524_288,
    rung_eval_bytes=131_072,
    probe_bytes=16_384,
    probe_every=50,
    evaluator_version=1,
    rules=(VerdictRule(alpha=0.01, margin=0.0),),
    usual_noise=0.01,
    # RWKV-mini and DoubleConv on Mizan's page, on a split and a model size it does not state
    published=((500, 1.4352), (800, 1.3745)),
)

GOLF = Track(
    name="golf",
    version=1,
    title="OpenAI Parameter Golf: 16,000,000 bytes, 10 minutes on 8xH100, bits per byte on FineWeb",
    corpus="fineweb",
    ranked_by="val_bpb",
    budget=Budget(steps=20_000, batch=512, seq_len=1024),
    belt_steps=(),
    max_parameters=None,
    flops_ratio=None,
    max_artifact_bytes=16_000_000,
    eval_bytes=151_078_222,
    rung_eval_bytes=131_072,
    probe_bytes=16_384,
    probe_every=50,
    evaluator_version=1,
    rules=(VerdictRule(alpha=0.01, margin=0.005), VerdictRule(alpha=0.25, margin=0.0)),
    # 0.00073 bits per byte over 24 groups of contest records
    usual_noise=0.0005,
    missing="the FineWeb shards, the tokenizer's byte counts and the time budget are not built yet",
)

TRACKS = (FEATHERWEIGHT, GOLF)


def track_named(name: str) -> Track:
    for track in TRACKS:
        if track.name == name:
            return track
    raise ConfigError(f"there is no track named {name}", f"the tracks are {', '.join(t.name for t in TRACKS)}")
