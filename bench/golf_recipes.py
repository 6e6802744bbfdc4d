"""Parameter Golf's stacks as data: the leaderboard of the repository, and the snapshot of 21 March beside it.

A recipe says what it changes of the official baseline. What the catalog has no technique for, it `lacks`: it is then an
idea, to be read and not run. Where a knob does not reach the published value or a source is silent, it `differs`.
Claims are bits per byte on the official validation split: whoever runs one here measures it anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bench.catalog import displaced, full_pick, technique
from bench.config import RunConfig, make_config, slot_named
from bench.divisions import baseline
from bench.knobs import Value
from bench.tracks import CASEOPS, GOLF, SP1024, SP4096, SP8192, Tokenizer, Track, in_vocabulary

Changes = Mapping[str, Mapping[str, Mapping[str, Value]]]  # slot -> technique -> the knobs that are not at default

# What no technique here does, each with where it is described.
LACKS = {
    "grouped_lrzip": "like matrices compressed together by lrzip (Parameter Golf #1855)",
    "ngram_tilt": "normalised tilt towards what followed the same tokens before (Parameter Golf #1514)",
}


@dataclass(frozen=True, kw_only=True)
class GolfRecipe:
    """One entry of the contest."""

    pull: int  # its pull request; 0 is the baseline
    name: str
    val_bpb: float  # claimed
    merged: bool = True  # on the repository's leaderboard; else pending in the snapshot
    changes: Changes = field(default_factory=dict)
    tokenizer: Tokenizer = SP1024
    stretch: tuple[int, int] = (1024, 512)  # tokens of a sequence, sequences of a batch
    lacks: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        return f"Parameter Golf #{self.pull}" if self.pull else "Parameter Golf's baseline"

    @property
    def status(self) -> str:
        """As a card has it: `ready`, or `idea` for what can't be run."""
        return "idea" if self.lacks else "ready"

    def config(self, track: Track = GOLF) -> RunConfig:
        """On a track of golf in the recipe's vocabulary, with as much of the recipe as the catalog has."""
        seq_len, batch = self.stretch
        track = in_vocabulary(track, self.tokenizer)
        base = baseline(replace(track.budget, seq_len=seq_len, batch=batch), track.name)
        picks = {slot: {pick.name: pick for pick in chosen} for slot, chosen in base.picks.items()}
        for slot, techniques in self.changes.items():
            new = {name: full_pick(slot, name, dict(knobs)) for name, knobs in techniques.items()}
            gone = {other for name in new for other in displaced(technique(slot, name))}
            kept = {name: pick for name, pick in picks[slot].items() if name not in gone}
            picks[slot] = kept | new if slot_named(slot).many else new
        return make_config(track.name, {slot: tuple(chosen.values()) for slot, chosen in picks.items()}, base.budget)


def layers(n: int) -> Changes:
    return {"shape": {"sized": {"n_layer": n, "n_head": 8, "head_width": 64}}}


def rates(decay: float) -> Changes:
    """Half the baseline's rates and a longer memory, as most records had it from 19 March on (techniques.md 5.1)."""
    knobs: dict[str, Value] = {"lr": 0.02, "momentum": 0.99, "embedding_lr": 0.03, "vector_lr": 0.02}
    return {
        "optimizer": {"muon_split": knobs | {"weight_decay": decay}},
        "optimizer_modifiers": {"momentum_warmup": {"start": 0.92, "steps": 1500}},
        "schedule": {"warmdown": {"steps": 3000}},
    }


def by_document(**knobs: Value) -> Changes:
    """Low-rank updates of each document, in chunks of 48 tokens unless told, as from #1626 on."""
    return {"evaluator": {"test_time_lora": knobs}}


def joined(*changes: Changes) -> Changes:
    """Slot by slot; of two in one slot the later."""
    return {slot: techniques for change in changes for slot, techniques in change.items()}


SLIDING: Changes = {"evaluator": {"sliding": {"stride": 64}}}
SCORE_FIRST: Changes = {"evaluator": {"score_first_sgd": {"stride": 64, "lr": 0.005}}}
INT6: Changes = {"precision": {"int_rows": {"bits": 6, "embedding_bits": 8}}, "codec": {"zstd": {"level": 22}}}
TRAINED_AT_INT6: Changes = {"precision": {"int6_ste": {}}, "codec": {"zstd": {"level": 22}}}
WIDE: Changes = {"ffn": {"relu2": {"mult": 3}}}
HASHED: Changes = {
    "features": {"smear_gate": {}, "bigram_hash": {"buckets": 4096, "table_width": 64}},
    "init": {"orthogonal": {"embedding_std": 0.01}},
}
HALF: Changes = {"precision_modifiers": {"half_embedding": {}}}
KEYS: Changes = {"precision_modifiers": {"half_embedding": {}, "late_k": {"layers": 1}}}
CLIPS: Changes = {"precision": {"clip_search": {"bits": 6, "embedding_bits": 8}}}
GPTQ: Changes = joined(CLIPS, {"precision_modifiers": {"gptq": {"batches": 16}}, "codec": {"lzma": {"level": 9}}})
SHUFFLED: Changes = {"codec": {"shuffled_brotli": {"level": 11, "width": 2}}}
DEVIATIONS: Changes = {
    "precision": {"sdclip": {"bits": 6, "k": 12.85, "embedding_bits": 8, "embedding_k": 20.0}},
    "precision_modifiers": {"gptq": {"batches": 64}},
}
SEVEN: Changes = {
    "precision": {"sdclip": {"bits": 6, "k": 12.85, "embedding_bits": 7, "embedding_k": 15.0}},
    "precision_modifiers": {"gptq": {"batches": 16}},
}
GATES: Changes = {**SEVEN, "precision_modifiers": {**SEVEN["precision_modifiers"], "int8_gates": {}}}
CORRECTED: Changes = {
    **SEVEN,
    "precision_modifiers": {**SEVEN["precision_modifiers"], "lqer_asymmetric": {"matrices": 3, "rank": 4}},
}
CORRECTED_GATES: Changes = {
    **SEVEN,
    "precision_modifiers": {**CORRECTED["precision_modifiers"], "int8_gates": {}},
}
SMEAR: Changes = {"features": {"input_smear": {}}}
SWA: Changes = {"averaging": {"swa": {"share": 0.4, "every": 25}}}
EMA: Changes = {"averaging": {"ema": {"decay": 0.99}}}
XSA_3: Changes = {"mixer_modifiers": {"xsa": {"layers": 3}}}
XSA_4: Changes = {"mixer_modifiers": {"xsa": {"layers": 4}}}
PARTIAL: Changes = {
    "mixer_modifiers": {"xsa": {"layers": 4}, "partial_rope": {"turned": 16}},
    "block_modifiers": {"ln_scale": {}},
}


def gained(start: float) -> Changes:
    """Partial rotation and XSA with queries sharpened from the start."""
    return {"mixer_modifiers": {**PARTIAL["mixer_modifiers"], "qk_gain": {"start": start}}}


LEAKY: Changes = {"ffn": {"leaky_relu2": {"mult": 3, "slope": 0.5}}}
LEAKY_4: Changes = {"ffn": {"leaky_relu2": {"mult": 4, "slope": 0.5}}}
EVEN_ROWS: Changes = {"optimizer_modifiers": {"momentum_warmup": {"start": 0.92, "steps": 1500}, "muoneq_r": {}}}
PARALLEL: Changes = {"residual": {"parallel_last": {"layers": 4}}}
ISOLATED: Changes = {"residual": {"isolated_lanes": {"layers": 4}}}
COUPLED: Changes = {"residual": {"coupled_lanes": {"layers": 3, "kept": 1.1}}}
STRIDES: Changes = {"addons": {"coprime_strides": {}}}
CLIPPED: Changes = {"addons": {"grad_clip": {"limit": 0.3}}}
LOOP_1: Changes = {
    "addons": {**CLIPPED["addons"], **STRIDES["addons"], "depth_recurrence": {"blocks": 2, "again": 1, "start": 0.54}}
}
LOOP_2: Changes = {"addons": {**CLIPPED["addons"], "depth_recurrence": {"blocks": 2, "again": 2, "start": 0.5}}}
LOOP_3: Changes = {"addons": {**CLIPPED["addons"], "depth_recurrence": {"blocks": 3, "again": 2, "start": 0.35}}}

LONG = (2048, 384)  # 786,432 tokens a step

SMALLER_TABLE = "a bigram table of 4,096 x 64, where theirs had 128 channels"
OFTENER = "SWA every 25 steps, where theirs took one each 50 or 120"
SHORTER_EMA = "EMA 0.99, where theirs was 0.997"
FEWER_XSA = "XSA in four layers, where theirs had it in all"
NO_VALUES = "no value embeddings, which our grouped attention has no place for"
OWN_CLIPS = "each row chooses its clip, where theirs chose one for a whole matrix"
TRAIN_BATCHES = "GPTQ on the last training batches, where theirs wrote the text for it"
AFTERWARDS = "rounded after training, where theirs trained its blocks at int6"
COARSE_EMBEDDING = "an embedding trained at int6 as the blocks are, where theirs was kept in half precision"
ONE_K = "one clip for all blocks, where theirs had one for the feed-forward and one for attention"
CUT_BY_SEQUENCE = "documents cut where a sequence ends, where theirs were cut at 2,048 tokens from their start"
IN_ORDER = "sequences in the order of the shards, where theirs were shuffled"
SKIPS_STAY = "skips stay with their blocks, where theirs were numbered anew along the loop"
MATRICES_DECAY = "decay of matrices alone, where theirs decayed the embedding and vectors too"
X0_BEFORE = "lanes part once x0 is mixed in, where theirs parted before"
ANEW = "adapters' inner matrices anew for each document, where theirs went on learning"
OUTPUT_INWARD = "the output's adapter reads what its product reads, where theirs read what the block reads"
SAME_RATES = "the rates of the records of its week: its own are not in our sources"


MARCH_20 = joined(layers(11), WIDE, INT6, rates(0.04), HASHED, SWA, SLIDING)
MARCH_21 = joined(MARCH_20, XSA_4, EMA)
MARCH_22 = joined(MARCH_21, PARTIAL, {"schedule": {"warmdown": {"steps": 3500}}})
MARCH_25 = joined(MARCH_22, LEAKY)
# hash tables and SmearGate left with the larger vocabulary, value embeddings with the largest
APRIL_1 = joined(
    layers(11),
    LEAKY_4,
    PARTIAL,
    {"block_modifiers": {"ln_scale": {}, "skip_gates": {}}},
    gained(4.0),
    EMA,
    GPTQ,
    {"precision_modifiers": {"gptq": {"batches": 64}}},
    SHUFFLED,
    rates(0.085),
    {"addons": {**CLIPPED["addons"], **STRIDES["addons"]}},
    SLIDING,
    {"schedule": {"linear": {"warmup": 0.0, "hold": 0.33}}},
)
APRIL_3 = joined(APRIL_1, {"optimizer": rates(0.09)["optimizer"]}, EVEN_ROWS, LOOP_1)
APRIL_5 = joined(APRIL_1, EVEN_ROWS, LOOP_2, DEVIATIONS)
APRIL_6 = joined(APRIL_5, gained(5.0), SCORE_FIRST)
APRIL_9 = joined(
    APRIL_5,
    {"optimizer": {"muon_split": {**rates(0.095)["optimizer"]["muon_split"], "lr": 0.022}}},
    LOOP_3,
    PARALLEL,
    gained(5.25),
    {"schedule": {"linear": {"warmup": 0.0, "hold": 0.28}}},
)
# coupled lanes from #1529 on, and documents by themselves from #1530 on, as scripts and parameters in the logs tell
APRIL_10 = joined(
    APRIL_9,
    COUPLED,
    {"mixer_modifiers": {**APRIL_9["mixer_modifiers"], "document_mask": {}}},
    by_document(chunk=32),
)
APRIL_14 = joined(APRIL_10, by_document(phases=3))
APRIL_16 = joined(
    APRIL_10, by_document(), SMEAR, {"mixer_modifiers": {**APRIL_10["mixer_modifiers"], "open_head_gate": {}}}
)
APRIL_18 = joined(APRIL_14, {"optimizer_modifiers": {**APRIL_14["optimizer_modifiers"], "wd_taper": {}}})
APRIL_19 = joined(APRIL_14, {"mixer_modifiers": {**APRIL_14["mixer_modifiers"], "head_gate": {}}})
APRIL_23 = joined(
    APRIL_10,
    by_document(phases=3, alpha=144.0),
    {
        "optimizer_modifiers": {**EVEN_ROWS["optimizer_modifiers"], "polar_express": {}},
        "mixer_modifiers": {
            **gained(5.0)["mixer_modifiers"],
            "sparse_head_gate": {"scale": 0.5},
            "document_mask": {},
        },
        "schedule": {"linear": {"warmup": 0.0, "hold": 0.15, "floor": 0.1}},
    },
)
# #1855's inner width and memory, and how many documents its phases learn from
APRIL_27 = joined(APRIL_23, by_document(phases=3, documents=2500, rank=80, alpha=144.0, beta2=0.99))
APRIL_DIFFERS = (FEWER_XSA, SHORTER_EMA, MATRICES_DECAY)

GOLF_RECIPES = (
    GolfRecipe(pull=0, name="naive baseline", val_bpb=1.2244),
    GolfRecipe(
        pull=42, name="half-precision embedding, longer warmdown", val_bpb=1.2197,
        changes=joined(HALF, {"schedule": {"warmdown": {"steps": 3600}}}),
        differs=("feed-forward 1,024 wide, where theirs was 992",),
    ),
    GolfRecipe(
        pull=39, name="ten layers, bits by layer", val_bpb=1.2147,
        changes=joined(
            layers(10), {"optimizer": {"muon_split": {"lr": 0.02, "embedding_lr": 0.03, "vector_lr": 0.02}}},
            {"precision": {"int_rows": {"bits": 8}}, "precision_modifiers": {"layer_bits": {"bits": 6, "outer": 3}}},
        ),
        differs=("rows stepped by their largest weight, where theirs were the baseline's, every fourth code kept",),
    ),
    GolfRecipe(
        pull=49, name="2,048 tokens", val_bpb=1.2058, stretch=(2048, 256), differs=("the baseline's rates",)
    ),
    GolfRecipe(
        pull=52, name="4,096 tokens, slower and steadier", val_bpb=1.2014, changes=rates(0.0), stretch=(4096, 96)
    ),
    GolfRecipe(
        pull=77, name="LoRA at test time", val_bpb=1.1928,
        changes=by_document(rank=8, alpha=8.0, chunk=256, lr=0.01, beta1=0.9, beta2=0.95, weight_decay=0.0),
        differs=("adapters on every linear layer, where theirs were on queries, values and the head",),
    ),
    GolfRecipe(pull=50, name="sliding windows", val_bpb=1.1925, changes=SLIDING),
    GolfRecipe(
        pull=60, name="ten layers, decay, power-law embedding", val_bpb=1.1748,
        changes=joined(
            layers(10), SLIDING, HALF, {"optimizer": {"muon_split": {"weight_decay": 0.02, "embedding_lr": 0.1}}},
            {"init": {"overtone": {}}},
        ),
        differs=("x0 enters every block alike at first, where theirs had more of it in the first ones",),
    ),
    GolfRecipe(
        pull=65, name="int6 blocks, feed-forward 3x", val_bpb=1.1630, differs=(AFTERWARDS, SAME_RATES),
        changes=joined(WIDE, {"precision": INT6["precision"]}, SLIDING),
    ),
    GolfRecipe(
        pull=63, name="ten layers trained at int6", val_bpb=1.1586, stretch=(2048, 256),
        changes=joined(layers(10), WIDE, TRAINED_AT_INT6, rates(0.0), SLIDING),
        differs=("feed-forward 3x, where theirs was 2.6x", COARSE_EMBEDDING),
    ),
    GolfRecipe(
        pull=640, name="ternary, 74 million parameters", val_bpb=1.1570,
        changes={
            "precision": {"ternary_ste": {}}, "ffn": {"relu2": {"mult": 4}}, "codec": {"lzma": {"level": 9}},
            "logits": {"softcap": {"cap": 10.0}, "temperature": {}}, "head": {"factored_embedding": {"rank": 254}},
            "mixer_modifiers": {"qk_gain": {"start": 2.25}, "rope_base": {"base": 5_000.0}},
            "optimizer": {"muon_split": {"lr": 0.04, "embedding_lr": 0.02, "vector_lr": 0.02}},
            "optimizer_modifiers": {"muoneq_r": {}}, "schedule": {"linear": {"warmup": 0.0, "hold": 0.8}},
            "addons": {"z_loss": {}}, "evaluator": {"sliding": {"stride": 16}}, **layers(10),
        },
        tokenizer=SP8192,
        differs=(
            "width 512, where theirs was 768", "logits capped by tanh, where theirs were by a polynomial", "no YaRN",
            "an embedding at int8, where theirs was at fp8", "five Newton-Schulz steps, where theirs were three",
        ),
    ),
    GolfRecipe(
        pull=65, name="SmearGate, orthogonal start, trained at int6", val_bpb=1.1556,
        changes=joined(WIDE, TRAINED_AT_INT6, rates(0.01), HASHED, SLIDING), differs=(SMALLER_TABLE, SAME_RATES),
    ),
    GolfRecipe(
        pull=86, name="eleven layers trained at int6", val_bpb=1.1502,
        changes=joined(layers(11), WIDE, TRAINED_AT_INT6, rates(0.04), SLIDING),
        differs=(SAME_RATES, COARSE_EMBEDDING),
    ),
    GolfRecipe(
        pull=162, name="SmearGate, bigram table, orthogonal start, SWA", val_bpb=1.1458, stretch=LONG,
        changes=joined(MARCH_20, layers(9), KEYS), differs=(SMALLER_TABLE, OFTENER),
    ),
    GolfRecipe(
        pull=180, name="ten layers, feed-forward at int5", val_bpb=1.1428, stretch=LONG,
        changes=joined(
            MARCH_20, layers(10), {"precision_modifiers": {**KEYS["precision_modifiers"], "ffn_bits": {"bits": 5}}},
            {"addons": {"grad_clip": {"limit": 0.3}}},
        ),
        differs=(
            "a bigram table of 4,096 x 64, where theirs had 10,240 x 128", OFTENER,
            "the last block's keys kept, where theirs were the ninth's of ten", "no weight set to zero by its size",
        ),
    ),
    GolfRecipe(
        pull=198, name="eleven layers, SmearGate, bigram table, SWA", val_bpb=1.1326, merged=False, stretch=LONG,
        changes=MARCH_20, differs=(SMALLER_TABLE, OFTENER),
    ),
    GolfRecipe(
        pull=236, name="eleven layers, smaller batch", val_bpb=1.1400, merged=False, stretch=(2048, 256),
        changes=MARCH_20, differs=(SMALLER_TABLE, OFTENER),
    ),
    GolfRecipe(
        pull=173, name="int6, NorMuon, bits by choice", val_bpb=1.1546, merged=False,
        changes=joined(WIDE, INT6, SLIDING, {"optimizer_modifiers": {"normuon": {}}}),
        differs=(SAME_RATES, "int6 in all blocks, where theirs chose bits by a rule that is not in our sources"),
    ),
    GolfRecipe(
        pull=156, name="trained at int6, NorMuon, SWA", val_bpb=1.1602, merged=False, differs=(SAME_RATES, OFTENER),
        changes=joined(WIDE, TRAINED_AT_INT6, SWA, SLIDING, {"optimizer_modifiers": {"normuon": {}}}),
    ),
    GolfRecipe(
        pull=88, name="multi-token prediction", val_bpb=1.1605, merged=False, differs=(SAME_RATES,),
        changes=joined(WIDE, INT6, SLIDING, {"addons": {"multi_token": {}}}),
    ),
    GolfRecipe(
        pull=206, name="SmearGate, slower rotation", val_bpb=1.1507, merged=False, stretch=(2048, 256),
        changes=joined(
            WIDE, TRAINED_AT_INT6, rates(0.01), HASHED, SWA, SLIDING,
            {"features": {"smear_gate": {}}, "mixer_modifiers": {"rope_base": {"base": 50_000.0}}},
        ),
        differs=(SAME_RATES, OFTENER),
    ),
    GolfRecipe(
        pull=265, name="XSA in three layers", val_bpb=1.1307, stretch=LONG, changes=joined(MARCH_20, XSA_3),
        differs=(SMALLER_TABLE, OFTENER),
    ),
    GolfRecipe(
        pull=287, name="XSA in four layers, EMA", val_bpb=1.1271, stretch=LONG, changes=MARCH_21,
        differs=("a bigram table of 4,096 x 64, where theirs had 2,048 x 128", SHORTER_EMA),
    ),
    GolfRecipe(
        pull=315, name="partial RoPE, LN scale", val_bpb=1.1248, stretch=LONG,
        changes=joined(MARCH_22, {"schedule": {"warmdown": {"steps": 3000}}}),
        differs=(
            "a bigram table of 4,096 x 64, where theirs had 2,048 x 128", SHORTER_EMA,
            "no late rounding: theirs was compiled away",
        ),
    ),
    GolfRecipe(
        pull=414, name="clips by squared error", val_bpb=1.1228, stretch=LONG, changes=joined(MARCH_22, CLIPS),
        differs=(SMALLER_TABLE, SHORTER_EMA, NO_VALUES, OWN_CLIPS),
    ),
    GolfRecipe(
        pull=549, name="leaky square, training at test time", val_bpb=1.1194, stretch=LONG,
        changes=joined(
            MARCH_25, CLIPS, {"codec": {"lzma": {"level": 9}}, "evaluator": {"score_first_sgd": {"stride": 64}}}
        ),
        differs=("a bigram table of 4,096 x 64, where theirs had 1,536 x 128", SHORTER_EMA, NO_VALUES, OWN_CLIPS),
    ),
    GolfRecipe(
        pull=1019, name="GPTQ on text of its own", val_bpb=1.1147, stretch=LONG,
        changes=joined(MARCH_25, GPTQ, {"schedule": {"warmdown": {"steps": 4000}}}),
        differs=(FEWER_XSA, SMALLER_TABLE, SHORTER_EMA, NO_VALUES, TRAIN_BATCHES),
    ),
    GolfRecipe(
        pull=1060, name="coprime strides, GPTQ on train batches", val_bpb=1.1122, stretch=LONG,
        changes=joined(MARCH_25, GPTQ, STRIDES),
        differs=(FEWER_XSA, SMALLER_TABLE, SHORTER_EMA, NO_VALUES),
    ),
    GolfRecipe(
        pull=1120, name="XSA in all layers, coprime strides", val_bpb=1.1099, stretch=LONG,
        changes=joined(MARCH_25, SWA, STRIDES), differs=(FEWER_XSA, SMALLER_TABLE, OFTENER),
    ),
    GolfRecipe(
        pull=1204, name="coupled lanes, two blocks looped", val_bpb=1.1063, stretch=LONG,
        changes=joined(
            MARCH_25, GPTQ, SHUFFLED, {"addons": {"depth_recurrence": {"blocks": 2, "again": 1, "start": 0.5}}},
            {"residual": {"coupled_lanes": {"layers": 4, "kept": 1.0488}}},
        ),
        differs=(
            FEWER_XSA, SMALLER_TABLE, SHORTER_EMA, "blocks run again whole, where theirs took other feed-forwards then",
            "both parts write at once, and skips and x0 reach one lane, where theirs wrote in turn and reached both",
            "int6 in all blocks, where theirs had 35 of 67 matrices at int5, of the smallest inputs outside the loop",
        ),
    ),
    GolfRecipe(
        pull=1218, name="4,096 pieces, feed-forward 4x, strong decay", val_bpb=1.0979, stretch=LONG, tokenizer=SP4096,
        changes=APRIL_1, differs=(*APRIL_DIFFERS, NO_VALUES),
    ),
    GolfRecipe(
        pull=1285, name="even rows, blocks looped, all at int6", val_bpb=1.0912, stretch=LONG, tokenizer=SP4096,
        changes=APRIL_3, differs=(*APRIL_DIFFERS, NO_VALUES, SKIPS_STAY),
    ),
    GolfRecipe(
        pull=1334, name="lanes, QK gain 5", val_bpb=1.0897, stretch=LONG, tokenizer=SP4096,
        changes=joined(APRIL_3, gained(5.0), ISOLATED), differs=(*APRIL_DIFFERS, NO_VALUES, SKIPS_STAY, X0_BEFORE),
    ),
    *(
        GolfRecipe(
            pull=pull, name=name, val_bpb=bpb, stretch=LONG, tokenizer=CASEOPS if pull >= 1729 else SP8192,
            changes=joined(changes, packing),
            lacks=lacks,
            differs=(
                *APRIL_DIFFERS,
                *((CUT_BY_SEQUENCE, OUTPUT_INWARD) if "document_mask" in changes["mixer_modifiers"] else (IN_ORDER,)),
                SKIPS_STAY, *((ONE_K,) if packing is not DEVIATIONS else ()), *own,
            ),
        )
        for pull, name, bpb, changes, packing, lacks, *own in (
            (1394, "8,192 pieces, clips by deviation, blocks looped", 1.0856, APRIL_5, DEVIATIONS, ()),
            (1412, "parallel residuals, progressive loops", 1.0835, joined(APRIL_5, PARALLEL), DEVIATIONS, (),
             "both loops at once, where theirs came one after the other",
             "clips by deviation alone, where theirs weighed rows by their inputs too"),
            (1413, "QK gain 5, training at test time", 1.0828, APRIL_6, DEVIATIONS, ()),
            (1477, "lanes, training at test time", 1.0822, joined(APRIL_6, ISOLATED), DEVIATIONS, (), X0_BEFORE),
            (1493, "three blocks looped, parallel residuals", 1.0810, joined(APRIL_9, SCORE_FIRST), DEVIATIONS, (),
             "no table of hashed pairs learnt at test time, which theirs had"),
            (1514, "momentum 0.97, tilt", 1.0798, joined(APRIL_9, SCORE_FIRST), DEVIATIONS, ("ngram_tilt",)),
            (1529, "coupled lanes", 1.0758, joined(APRIL_9, COUPLED, SCORE_FIRST), DEVIATIONS, ()),
            (1530, "attention within documents", 1.0734, APRIL_10, DEVIATIONS, ()),
            (1610, "training at test time in phases", 1.0728, joined(APRIL_10, by_document(chunk=32, phases=1)),
             DEVIATIONS, (), "a phase of one epoch at 0.001, where its logs have three at 0.005"),
            (1626, "more phases, embedding at int7", 1.0719, APRIL_14, SEVEN, ()),
            (1667, "SmearGate by the token, output gate", 1.0714, APRIL_16,
             joined(SEVEN, {"precision": {"sdclip": {**SEVEN["precision"]["sdclip"], "embedding_k": 20.0}}}),
             (), "no smear over a document's start, where theirs leaked into it"),
            (1729, "capitals apart, decay that tapers", 1.0678, APRIL_18, SEVEN, ()),
            (1736, "capitals apart, dense gate", 1.0655, APRIL_19, GATES, ()),
            (1769, "wider clips in the feed-forward", 1.0645, APRIL_19, GATES, ()),
            (1787, "Polar Express, sparse gate, rates that end at a tenth", 1.0634, APRIL_23, GATES, (), ANEW),
            (1851, "errors corrected", 1.0614,
             joined(APRIL_23, SMEAR, by_document(phases=3, alpha=144.0, weight_decay=1.0)), CORRECTED, (), ANEW),
            (1855, "nine knobs tuned again, grouped compression", 1.0611, joined(APRIL_27, SMEAR), CORRECTED_GATES,
             ("grouped_lrzip",), ANEW),
        )
    ),
)  # fmt: skip


def recipe_of(pull: int) -> GolfRecipe:
    """The best claim of a pull request."""
    return min((r for r in GOLF_RECIPES if r.pull == pull), key=lambda r: r.val_bpb)
