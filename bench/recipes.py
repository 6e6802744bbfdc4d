"""Published stacks as data, as far as techniques built here make them up.

A claim is what its source reports there: bits per byte of Parameter Golf say nothing of nats per byte on another
corpus, so of a claim only the sign is expected here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bench.config import Budget
from bench.golf_recipes import GOLF_RECIPES, GolfRecipe, recipe_of
from bench.knobs import Value
from bench.tracks import FEATHERWEIGHT, Track


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Techniques by slot; every other slot is as the baseline has it."""

    name: str
    source: str
    claim: str
    techniques: Mapping[str, tuple[str, ...]]
    knobs: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)  # by technique; all others at default
    tuning: str = "knobs at their defaults"

    def values(self) -> Iterator[tuple[str, Value]]:
        """Its knobs as a study names them: `lion.lr`."""
        yield from ((f"{name}.{knob}", value) for name, knobs in self.knobs.items() for knob, value in knobs.items())


RECIPES = (
    Recipe(
        name="double convolution with Muon",
        source="Mizan's first bench, community division",
        claim="convolutions hold the belt there, 18 to 32 % better than softmax",
        techniques={"mixer": ("double_conv",), "optimizer": ("muon",)},
    ),
    Recipe(
        name="row-normalised Muon with Polar Express",
        source="Parameter Golf #1787",
        claim="the update rule of a stack at 1.0634 bits per byte, its baseline at 1.2244",
        techniques={"optimizer": ("muon",), "optimizer_modifiers": ("muoneq_r", "polar_express")},
    ),
    Recipe(
        name="SmearGate, bigram table, orthogonal start, SWA",
        source="Parameter Golf #162",
        claim="1.1458 bits per byte, its baseline at 1.2244",
        techniques={
            "features": ("smear_gate", "bigram_hash"),
            "init": ("orthogonal",),
            "optimizer": ("muon",),
            "averaging": ("swa",),
        },
    ),
    Recipe(
        name="XSA, EMA, partial RoPE, scaled norms",
        source="Parameter Golf #315",
        claim="1.1248 bits per byte, its baseline at 1.2244",
        techniques={
            "mixer_modifiers": ("xsa", "partial_rope"),
            "block_modifiers": ("ln_scale",),
            "optimizer": ("muon",),
            "averaging": ("ema",),
        },
    ),
    Recipe(
        name="parallel lanes, gates, XSA, leaky square",
        source="Parameter Golf #1855",
        claim="1.0611 bits per byte, its baseline at 1.2244",
        techniques={
            "features": ("smear_gate",),
            "mixer_modifiers": ("xsa", "partial_rope", "qk_gain", "sparse_head_gate"),
            "ffn": ("leaky_relu2",),
            "residual": ("parallel",),
            "block_modifiers": ("ln_scale", "unet_skips"),
            "optimizer": ("muon",),
            "optimizer_modifiers": ("muoneq_r", "polar_express"),
            "averaging": ("ema",),
        },
    ),
)


def published(track: Track, budget: Budget) -> Iterator[Recipe]:
    """The stacks that a study of a track may choose; golf's are those that can be run, best claims first.

    In miniature shape, vocabulary and evaluator are the track's own, and a stretch is as any other; elsewhere only
    recipes of the study's own stretch and vocabulary are what they were.
    """
    if track is FEATHERWEIGHT:
        yield from RECIPES
        return
    miniature, asked = not track.devices, (track.tokenizer, budget.seq_len, budget.batch)
    for recipe in sorted(GOLF_RECIPES, key=lambda r: r.val_bpb):
        if recipe.status == "ready" and (miniature or (recipe.tokenizer, *recipe.stretch) == asked):
            yield of_golf(recipe, miniature)


# Three narrow blocks and 200 steps: what counts blocks, channels or steps shrinks with them, stages of training as the
# miniature's baseline has them beside the official one. An average looks back over a twentieth of the run, as theirs.
IN_MINIATURE: Mapping[str, Mapping[str, Value]] = {
    "momentum_warmup": {"steps": 60},
    "warmdown": {"steps": 200},
    "ema": {"decay": 0.9},
    "swa": {"every": 5},
    "xsa": {"layers": 1},
    "partial_rope": {"turned": 8},
    "bigram_hash": {"buckets": 1024, "table_width": 16},
    "depth_recurrence": {"blocks": 1},
    "parallel_last": {"layers": 1},
    "isolated_lanes": {"layers": 1},
    "coupled_lanes": {"layers": 1},
    "layer_bits": {"outer": 1},
    "factored_embedding": {"rank": 42},
}


def of_golf(recipe: GolfRecipe, miniature: bool) -> Recipe:
    """A stack of the contest as a study chooses it."""
    changes = {s: new for s, new in recipe.changes.items() if not (miniature and s in ("shape", "evaluator"))}
    smaller = IN_MINIATURE if miniature else {}
    knobs = {name: {**given, **smaller.get(name, {})} for new in changes.values() for name, given in new.items()}
    return Recipe(
        name=recipe.name,
        source=recipe.source,
        claim=f"{recipe.val_bpb:.4f} bits per byte, its baseline at {recipe_of(0).val_bpb:.4f}",
        techniques={slot: tuple(new) for slot, new in changes.items()},
        knobs=knobs,
        tuning="in miniature: knobs as published, shrunk with the track" if miniature else "knobs as published",
    )
