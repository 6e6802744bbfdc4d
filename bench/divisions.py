"""The baseline and every division, declared one under the other; a rule here is data, never an `if` in the trainer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from bench.config import SLOTS, Budget, Pick, RunConfig, make_config
from bench.errors import ConfigError
from bench.knobs import Value, short
from bench.tracks import FEATHERWEIGHT, GOLF, GOLF_1XGPU, GOLF_CPU, TOKENIZERS, in_vocabulary, track_named

# lr, weight_decay, betas and warm-up may be tuned in every division, or no arm could be fairly tuned.
TUNABLE = frozenset({"lr", "weight_decay", "beta1", "beta2", "warmup"})

# Every knob is spelled out, so a changed default in a technique never moves a rule.
BASE = make_config(
    FEATHERWEIGHT.name,
    {
        "mixer": (Pick("softmax"),),
        "ffn": (Pick("relu2", {"mult": 4}),),
        "init": (Pick("zero_output", {"embedding_std": 0.3}),),
        "optimizer": (Pick("adamw", {"lr": 8e-3, "beta1": 0.9, "beta2": 0.95, "weight_decay": 0.01}),),
        "schedule": (Pick("linear", {"warmup": 0.04, "hold": 0.0, "floor": 0.0}),),
        "codec": (Pick("zstd", {"level": 9}),),
    },
    FEATHERWEIGHT.budget,
)


# The official naive baseline (techniques.md 1): 17,059,912 parameters.
GOLF_BASE = make_config(
    GOLF.name,
    {
        "shape": (Pick("sized", {"n_layer": 9, "n_head": 8, "head_width": 64}),),
        "mixer": (Pick("gqa", {"kv_heads": 4}),),
        "mixer_modifiers": (Pick("qk_gain", {"start": 1.5}),),
        "ffn": (Pick("relu2", {"mult": 2}),),
        "block_modifiers": (
            Pick("layer_scale", {"start": 1.0}),
            Pick("unet_skips", {"start": 1.0}),
            Pick("x0_mix", {"start": 0.0}),
        ),
        "head": (Pick("tied"),),
        "logits": (Pick("softcap", {"cap": 30.0}),),
        "init": (Pick("narrow_uniform", {"embedding_std": 0.005}),),
        "optimizer": (
            Pick(
                "muon_split",
                {
                    "lr": 0.04,
                    "momentum": 0.95,
                    "weight_decay": 0.0,
                    "embedding_lr": 0.05,
                    "head_lr": 0.008,
                    "vector_lr": 0.04,
                },
            ),
        ),
        "optimizer_modifiers": (Pick("momentum_warmup", {"start": 0.85, "steps": 500}),),
        "schedule": (Pick("warmdown", {"steps": 1200}),),
        "precision": (Pick("int8_clipped"),),
        "codec": (Pick("zlib", {"level": 9}),),
    },
    GOLF.budget,
)

GOLF_1XGPU_BASE = make_config(GOLF_1XGPU.name, GOLF_BASE.picks, GOLF_1XGPU.budget)

# The same in miniature: stages that count steps shrink with the budget, as 200 of 13,780.
GOLF_CPU_BASE = make_config(
    GOLF_CPU.name,
    {
        **GOLF_BASE.picks,
        "shape": (Pick("sized", {"n_layer": 3, "n_head": 4, "head_width": 32}),),
        "mixer": (Pick("gqa", {"kv_heads": 2}),),
        "optimizer_modifiers": (Pick("momentum_warmup", {"start": 0.85, "steps": 20}),),
        "schedule": (Pick("warmdown", {"steps": 100}),),
    },
    GOLF_CPU.budget,
)
# Another vocabulary changes nothing of a baseline but the rows of its embedding.
LARGER_BASES = tuple(
    make_config(track.name, base.picks, track.budget)
    for tokenizer in TOKENIZERS[1:]
    for base in (GOLF_BASE, GOLF_1XGPU_BASE, GOLF_CPU_BASE)
    for track in (in_vocabulary(track_named(base.track), tokenizer),)
)
BASES = {base.track: base for base in (BASE, GOLF_BASE, GOLF_1XGPU_BASE, GOLF_CPU_BASE, *LARGER_BASES)}

# What golf's rules or its baseline need; Featherweight's divisions have been measured without.
GOLF_ONLY = frozenset(
    (
        *("sized", "tied", "narrow_uniform", "muon_split", "momentum_warmup", "warmdown", "int8_clipped"),
        *("zlib", "lzma", "brotli", "shuffled_zstd", "shuffled_lzma", "shuffled_zlib", "shuffled_brotli"),
        *("sliding", "depth_recurrence"),
        *("int_rows", "clip_search", "sdclip", "ffn_bits", "half_embedding", "late_k", "gptq", "lqer"),
        *("lqer_asymmetric", "temperature", "skip_gates", "score_first_sgd"),
        *("parallel_last", "coprime_strides", "overtone", "isolated_lanes", "coupled_lanes"),
        *("document_mask", "test_time_lora"),
        *("wd_taper", "open_head_gate", "int8_gates", "layer_bits", "factored_embedding"),
    )
)


def baseline(budget: Budget, track: str = FEATHERWEIGHT.name) -> RunConfig:
    """The fixed part of a track's divisions at a given budget."""
    return make_config(track, BASES[track].picks, budget)


@dataclass(frozen=True)
class Division:
    """One weight class: the slots a fighter may choose; all else must equal the baseline.

    `entrants` limits a free slot to some techniques; a slot it does not name takes any. `headline` is the slot a
    standing is named after; without one it is named by what differs.
    """

    name: str
    question: str
    free: frozenset[str]
    headline: str | None = None
    entrants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    free_knobs: frozenset[str] = TUNABLE
    fixed: RunConfig = BASE

    def breaches(self, config: RunConfig) -> list[str]:
        """Why this config may not enter; empty when it may. A budget is the score's identity, never a breach."""
        found = []
        for slot, picks in config.picks.items():
            if slot not in self.free and not same_but(self.free_knobs, picks, self.fixed.picks[slot]):
                found.append(f"{slot} is {names(picks)}, but {self.name} fixes it at {names(self.fixed.picks[slot])}")
            found += [self.no_entrant(slot, pick.name) for pick in picks if not self.enters(slot, pick.name)]
        return found

    def enters(self, slot: str, name: str) -> bool:
        """Whether a technique may stand in a free slot."""
        if self.fixed.track == FEATHERWEIGHT.name and name in GOLF_ONLY:
            return False
        return slot not in self.entrants or name in self.entrants[slot]

    def no_entrant(self, slot: str, name: str) -> str:
        if slot not in self.entrants:
            return f"{slot} is {name}, which the golf track alone has"
        return f"{slot} is {name}, but {self.name} takes {', '.join(self.entrants[slot])}"

    def label(self, config: RunConfig) -> str:
        """What a standing calls this config: the headline technique and whatever else was chosen, without knobs."""
        shown = [
            pick.label
            for slot in SLOTS
            for pick in config.picks[slot.name]
            if slot.name in self.free
            and (slot.name == self.headline or pick.name not in {base.name for base in self.fixed.picks[slot.name]})
        ]
        return "+".join(shown) or "baseline"


def names(picks: tuple[Pick, ...]) -> str:
    """Picks for a sentence: `lion(lr=0.001)`, several joined by a plus, `nothing` for none."""
    return " + ".join(f"{p.label}({short(p.shown)})" if p.shown else p.label for p in picks) or "nothing"


def same_but(free_knobs: frozenset[str], picks: tuple[Pick, ...], fixed: tuple[Pick, ...]) -> bool:
    """True when the picks are equal apart from the knobs that every division leaves free."""

    def bound(pick: Pick) -> tuple[str, dict[str, Value]]:
        return pick.name, {knob: value for knob, value in pick.knobs.items() if knob not in free_knobs}

    return [bound(pick) for pick in picks] == [bound(pick) for pick in fixed]


def differences(config: RunConfig, base: RunConfig | None = None) -> Iterator[tuple[str, str]]:
    """What a config changes, slot by slot: `("optimizer", "lion(lr=0.001)")`; budgets are not compared.

    From its track's baseline unless another base is given.
    """
    base = base or BASES[config.track]
    for slot, picks in config.picks.items():
        fixed = {pick.name: pick for pick in base.picks[slot]}
        for pick in picks:
            if pick.name not in fixed:
                yield slot, names((pick,))
            else:
                changed = {k: v for k, v in pick.knobs.items() if fixed[pick.name].knobs.get(k) != v}
                if changed:
                    yield slot, names((Pick(pick.name, changed),))


def recipe(config: RunConfig) -> str:
    """A config in one line, as its difference from the baseline."""
    return " ".join(text for _, text in differences(config)) or "baseline"


PRECISION = Division(
    "precision",
    "What does a smaller number format cost?",
    frozenset({"precision", "precision_modifiers"}),
    headline="precision",
)
OPTIMIZER = Division(
    "optimizer",
    "Which update rule learns most in 500 steps?",
    frozenset({"optimizer", "optimizer_modifiers"}),
    headline="optimizer",
)
ATTENTION = Division(
    "attention",
    "Which attention pattern wins at 96 bytes of context?",
    frozenset({"mixer", "mixer_modifiers"}),
    headline="mixer",
    entrants={"mixer": ("softmax", "sliding_window", "gqa", "sparse", "differential")},
)
STATE_SPACE = Division(
    "state-space",
    "Does a recurrence beat attention at this size?",
    frozenset({"mixer"}),
    headline="mixer",
    # softmax is the one to beat
    entrants={"mixer": ("softmax", "rwkv6", "hyena", "s4d", "mamba")},
)
COMMUNITY = Division(
    "community",
    "What can a mixer of your own do?",
    frozenset({"mixer"}),
    headline="mixer",
)
# Evaluator and codec stay out: the first would change what is measured, the second moves no score. The shape is fixed.
OPEN = Division(
    "open",
    "What is the best model within the caps?",
    frozenset(slot.name for slot in SLOTS) - {"shape", "evaluator", "codec"},
)
# Bytes and evaluation seconds are capped there, so shape, packing and evaluation are part of the contest. In miniature
# no clock bounds the evaluation, so it is the same for all.
GOLF_FREE = frozenset(slot.name for slot in SLOTS)
GOLF_TAKES = {"shape": ("sized",)}
GOLF_OPEN = Division(
    "open", "What is the best model in 16,000,000 bytes?", GOLF_FREE, entrants=GOLF_TAKES, fixed=GOLF_BASE
)
GOLF_1XGPU_OPEN = replace(GOLF_OPEN, fixed=GOLF_1XGPU_BASE)
GOLF_CPU_OPEN = Division(
    "open",
    "Which way do golf's techniques point, in miniature?",
    GOLF_FREE - {"evaluator"},
    entrants=GOLF_TAKES,
    fixed=GOLF_CPU_BASE,
)

DIVISIONS = (PRECISION, OPTIMIZER, ATTENTION, STATE_SPACE, COMMUNITY, OPEN)
GOLF_DIVISIONS = (
    GOLF_OPEN,
    GOLF_1XGPU_OPEN,
    GOLF_CPU_OPEN,
    *(replace(GOLF_OPEN if track_named(base.track).devices else GOLF_CPU_OPEN, fixed=base) for base in LARGER_BASES),
)


def division_named(name: str, track: str = FEATHERWEIGHT.name) -> Division:
    known = [division for division in (*DIVISIONS, *GOLF_DIVISIONS) if division.fixed.track == track]
    for division in known:
        if division.name == name:
            return division
    raise ConfigError(f"there is no division named {name}", f"the divisions are {', '.join(d.name for d in known)}")
