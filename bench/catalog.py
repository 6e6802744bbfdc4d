"""Every technique by slot. A name becomes a class here and nowhere else."""

from collections.abc import Iterator
from typing import Any

from bench.brought import declared as brought
from bench.config import BROUGHT, SLOTS, Budget, Pick, RunConfig, slot_named
from bench.divisions import baseline
from bench.errors import ConfigError
from bench.ideas import IDEAS
from bench.knobs import Value, defaults_of, knobs_of
from bench.rulings import check_allowed
from bench.stack import Stack
from bench.techniques.addons.adaptive_clip import AdaptiveClip
from bench.techniques.addons.batch_curriculum import BatchCurriculum
from bench.techniques.addons.coprime_strides import CoprimeStrides
from bench.techniques.addons.depth_recurrence import DepthRecurrence
from bench.techniques.addons.grad_clip import GradClip
from bench.techniques.addons.late_sam import LateSam
from bench.techniques.addons.multi_token import MultiToken
from bench.techniques.addons.seq_curriculum import SeqCurriculum
from bench.techniques.addons.z_loss import ZLoss
from bench.techniques.averaging.ema import Ema
from bench.techniques.averaging.last import Last
from bench.techniques.averaging.lawa import Lawa
from bench.techniques.averaging.swa import Swa
from bench.techniques.block_modifiers.backout import Backout
from bench.techniques.block_modifiers.canon import Canon
from bench.techniques.block_modifiers.layer_scale import LayerScale
from bench.techniques.block_modifiers.ln_scale import LnScale
from bench.techniques.block_modifiers.skip_gates import SkipGates
from bench.techniques.block_modifiers.unet_skips import UnetSkips
from bench.techniques.block_modifiers.wavelet import Wavelet
from bench.techniques.block_modifiers.x0_mix import X0Mix
from bench.techniques.codec.brotli11 import Brotli
from bench.techniques.codec.lzma2 import Lzma
from bench.techniques.codec.shuffled import ShuffledBrotli, ShuffledLzma, ShuffledZlib, ShuffledZstd
from bench.techniques.codec.zlib9 import Zlib
from bench.techniques.codec.zstd import Zstd
from bench.techniques.evaluator.lora import PerDocumentLora
from bench.techniques.evaluator.score_first_sgd import ScoreFirstSgd
from bench.techniques.evaluator.sliding import Sliding
from bench.techniques.evaluator.windows import Windows
from bench.techniques.features.bigram_hash import BigramHash
from bench.techniques.features.input_smear import InputSmear
from bench.techniques.features.smear_gate import SmearGate
from bench.techniques.features.trigram_hash import TrigramHash
from bench.techniques.ffn.leaky_relu2 import LeakyRelu2
from bench.techniques.ffn.polyrelu import PolyRelu
from bench.techniques.ffn.relu2 import Relu2
from bench.techniques.ffn.swiglu import Swiglu
from bench.techniques.head.factored_embedding import FactoredEmbedding
from bench.techniques.head.tied import Tied
from bench.techniques.head.untied import Untied
from bench.techniques.init.narrow_uniform import NarrowUniform
from bench.techniques.init.orthogonal import Orthogonal
from bench.techniques.init.overtone import Overtone
from bench.techniques.init.spectral import Spectral
from bench.techniques.init.zero_output import ZeroOutput
from bench.techniques.logits.softcap import Softcap
from bench.techniques.logits.temperature import Temperature
from bench.techniques.mixer.differential import Differential
from bench.techniques.mixer.double_conv import DoubleConv
from bench.techniques.mixer.gqa import Gqa
from bench.techniques.mixer.hyena import Hyena
from bench.techniques.mixer.mamba import Mamba
from bench.techniques.mixer.rwkv6 import Rwkv6
from bench.techniques.mixer.s4d import S4d
from bench.techniques.mixer.sliding_window import SlidingWindow
from bench.techniques.mixer.softmax import Softmax
from bench.techniques.mixer.sparse import Sparse
from bench.techniques.mixer_modifiers.document_mask import DocumentMask
from bench.techniques.mixer_modifiers.head_gate import HeadGate
from bench.techniques.mixer_modifiers.nope import Nope
from bench.techniques.mixer_modifiers.open_head_gate import OpenHeadGate
from bench.techniques.mixer_modifiers.partial_rope import PartialRope
from bench.techniques.mixer_modifiers.qk_gain import QkGain
from bench.techniques.mixer_modifiers.rope_base import RopeBase
from bench.techniques.mixer_modifiers.sparse_head_gate import SparseHeadGate
from bench.techniques.mixer_modifiers.value_embed import ValueEmbed
from bench.techniques.mixer_modifiers.value_residual import ValueResidual
from bench.techniques.mixer_modifiers.xsa import Xsa
from bench.techniques.optimizer.adam_mini import AdamMini
from bench.techniques.optimizer.adamw import AdamW
from bench.techniques.optimizer.lion import Lion
from bench.techniques.optimizer.muon import Muon
from bench.techniques.optimizer.muon_split import MuonSplit
from bench.techniques.optimizer.sgd import Sgd
from bench.techniques.optimizer.soap import Soap
from bench.techniques.optimizer.sophia import Sophia
from bench.techniques.optimizer.sophia_h import SophiaH
from bench.techniques.optimizer_modifiers.cautious_wd import CautiousWd
from bench.techniques.optimizer_modifiers.momentum_warmup import MomentumWarmup
from bench.techniques.optimizer_modifiers.muoneq_r import MuonEqR
from bench.techniques.optimizer_modifiers.normuon import NorMuon
from bench.techniques.optimizer_modifiers.polar_express import PolarExpress
from bench.techniques.optimizer_modifiers.turbo_muon import TurboMuon
from bench.techniques.optimizer_modifiers.wd_taper import WdTaper
from bench.techniques.precision.bf16 import Bf16Post, Bf16Ste
from bench.techniques.precision.binary import BinaryPost, BinarySte
from bench.techniques.precision.clip_search import ClipSearch
from bench.techniques.precision.fp16 import Fp16Post, Fp16Ste
from bench.techniques.precision.fp32 import Fp32
from bench.techniques.precision.int4 import Int4Post, Int4Ste
from bench.techniques.precision.int5 import Int5Post, Int5Ste
from bench.techniques.precision.int6 import Int6Post, Int6Ste
from bench.techniques.precision.int8_clipped import Int8Clipped
from bench.techniques.precision.int8_post import Int8Post
from bench.techniques.precision.int8_ste import Int8Ste
from bench.techniques.precision.int_rows import IntRows
from bench.techniques.precision.sdclip import SdClip
from bench.techniques.precision.ternary import TernaryPost, TernarySte
from bench.techniques.precision_modifiers.ffn_bits import FfnBits
from bench.techniques.precision_modifiers.gptq import Gptq
from bench.techniques.precision_modifiers.half_embedding import HalfEmbedding
from bench.techniques.precision_modifiers.int8_gates import Int8Gates
from bench.techniques.precision_modifiers.late_k import LateK
from bench.techniques.precision_modifiers.late_rounding import LateRounding
from bench.techniques.precision_modifiers.layer_bits import LayerBits
from bench.techniques.precision_modifiers.lqer import Lqer, LqerAsymmetric
from bench.techniques.residual.coupled_lanes import CoupledLanes
from bench.techniques.residual.hybrid_norm import HybridNorm
from bench.techniques.residual.isolated_lanes import IsolatedLanes
from bench.techniques.residual.parallel import Parallel
from bench.techniques.residual.parallel_last import ParallelLast
from bench.techniques.residual.pre_norm import PreNorm
from bench.techniques.schedule.cosine import Cosine
from bench.techniques.schedule.linear import Linear
from bench.techniques.schedule.one_minus_sqrt import OneMinusSqrt
from bench.techniques.schedule.warmdown import Warmdown
from bench.techniques.shape.fixed import Fixed
from bench.techniques.shape.sized import Sized
from bench.techniques.technique import Clash, Need
from bench.tracks import track_named

Technique = Any  # a class of bench/techniques: slot, name, source, knobs as fields, and what its slot asks of it

CATALOG: dict[str, tuple[Technique, ...]] = {
    "shape": (Fixed, Sized),
    "features": (
        SmearGate,
        InputSmear,
        BigramHash,
        TrigramHash,
    ),
    "mixer": (
        Softmax,
        SlidingWindow,
        Gqa,
        Sparse,
        Differential,
        Rwkv6,
        Hyena,
        S4d,
        Mamba,
        DoubleConv,
    ),
    "mixer_modifiers": (
        Xsa,
        PartialRope,
        Nope,
        RopeBase,
        QkGain,
        HeadGate,
        SparseHeadGate,
        OpenHeadGate,
        ValueResidual,
        ValueEmbed,
        DocumentMask,
    ),
    "ffn": (
        Relu2,
        LeakyRelu2,
        Swiglu,
        PolyRelu,
    ),
    "residual": (
        PreNorm,
        Parallel,
        ParallelLast,
        IsolatedLanes,
        CoupledLanes,
        HybridNorm,
    ),
    "block_modifiers": (
        LnScale,
        Canon,
        X0Mix,
        UnetSkips,
        SkipGates,
        LayerScale,
        Backout,
        Wavelet,
    ),
    "head": (Untied, Tied, FactoredEmbedding),
    "logits": (Softcap, Temperature),
    "init": (
        ZeroOutput,
        Orthogonal,
        Spectral,
        NarrowUniform,
        Overtone,
    ),
    "optimizer": (AdamW, Lion, Muon, Sophia, SophiaH, AdamMini, Soap, Sgd, MuonSplit),
    "optimizer_modifiers": (
        MuonEqR,
        NorMuon,
        PolarExpress,
        TurboMuon,
        CautiousWd,
        MomentumWarmup,
        WdTaper,
    ),
    "schedule": (
        Linear,
        Cosine,
        OneMinusSqrt,
        Warmdown,
    ),
    "averaging": (
        Last,
        Ema,
        Swa,
        Lawa,
    ),
    "addons": (
        GradClip,
        MultiToken,
        ZLoss,
        BatchCurriculum,
        SeqCurriculum,
        AdaptiveClip,
        LateSam,
        DepthRecurrence,
        CoprimeStrides,
    ),
    "precision": (
        Fp32,
        Bf16Post,
        Bf16Ste,
        Fp16Post,
        Fp16Ste,
        Int8Post,
        Int8Ste,
        Int6Post,
        Int6Ste,
        Int5Post,
        Int5Ste,
        Int4Post,
        Int4Ste,
        TernaryPost,
        TernarySte,
        BinaryPost,
        BinarySte,
        Int8Clipped,
        IntRows,
        ClipSearch,
        SdClip,
    ),
    "precision_modifiers": (
        LateRounding,
        FfnBits,
        LayerBits,
        HalfEmbedding,
        LateK,
        Int8Gates,
        Gptq,
        Lqer,
        LqerAsymmetric,
    ),
    "codec": (Zstd, Zlib, Lzma, Brotli, ShuffledZstd, ShuffledLzma, ShuffledZlib, ShuffledBrotli),
    "evaluator": (Windows, Sliding, ScoreFirstSgd, PerDocumentLora),
}

# Modifiers attach at points of the technique in another slot, which says which it has.
HOSTS = {"mixer_modifiers": "mixer", "optimizer_modifiers": "optimizer", "precision_modifiers": "precision"}


def technique(slot: str, name: str) -> Technique:
    """The class that fills a slot under a name; ConfigError lists the known ones, or names what rules it out."""
    known = CATALOG[slot_named(slot).name]
    for candidate in known:
        if candidate.name == name:
            return candidate
    check_allowed(name)
    choices = ", ".join(t.name for t in known)
    if any(idea.name == name for idea in IDEAS):
        raise ConfigError(f"{name} is an idea, not built", f"slot {slot} has {choices}")
    raise ConfigError(f"slot {slot} has no technique named {name}", f"it has {choices}")


def technique_of(slot: str, pick: Pick) -> Technique:
    """The class behind a pick: the catalog's, or what stands for a mixer that the pick itself brings."""
    if slot == "mixer" and pick.name == BROUGHT:
        return brought(str(pick.knobs.get("code", "")))
    return technique(slot, pick.name)


def find(name: str) -> Technique | None:
    """A technique by its name alone, in whatever slot."""
    return next((t for techniques in CATALOG.values() for t in techniques if t.name == name), None)


def full_pick(slot: str, name: str, knobs: dict[str, Value]) -> Pick:
    """A pick with every knob explicit: those given, checked against their ranges, the rest at default."""
    chosen = technique_of(slot, Pick(name, knobs))
    carried: dict[str, Value] = dict(getattr(chosen, "carried", {}))
    known = {knob.name: knob for knob in knobs_of(chosen)}
    for given, value in knobs.items():
        if given in carried and value == carried[given]:
            continue
        if given not in known:
            raise ConfigError(
                f"{slot}.{given} is set, but {name} has no knob {given}",
                f"{name} has {', '.join(known) or 'no knobs'}",
            )
        if wrong := known[given].misfit(value):
            raise ConfigError(f"{slot}.{given} = {value} {wrong} ({name})", f"choose {known[given].range}")
    values = defaults_of(chosen) | {given: value for given, value in knobs.items() if given in known}
    return Pick(name, carried | {knob: known[knob].coerced(value) for knob, value in values.items()})


def alone(slot: str, name: str, budget: Budget) -> RunConfig:
    """The baseline with one technique at its defaults, on a host that it can attach to."""
    config, chosen = baseline(budget), technique(slot, name)
    if (host := HOSTS.get(slot)) and chosen.point not in technique(host, config.pick(host).name).points:
        hosting = next(t for t in CATALOG[host] if chosen.point in t.points)
        config = config.replaced(host, [full_pick(host, hosting.name, {})])
    return config.replaced(slot, [full_pick(slot, name, {})])


def realise(config: RunConfig) -> Stack:
    """The techniques of a config with their knobs set; raises ConfigError for what the catalog does not know."""
    built: dict[str, Any] = {}
    for slot in SLOTS:
        made = []
        for pick in config.picks[slot.name]:
            chosen = technique_of(slot.name, pick)
            full = full_pick(slot.name, pick.name, dict(pick.knobs))
            if missing := set(full.knobs) - set(pick.knobs):
                raise ConfigError(
                    f"{pick.label} leaves {', '.join(sorted(missing))} to default", "a config spells out every knob"
                )
            made.append(chosen(**full.shown))
        built[slot.name] = tuple(made) if slot.many else made[0]
    return Stack(track=track_named(config.track), **built)


def refusals(config: RunConfig) -> list[str]:
    """Why this config can't be built, as sentences; empty when it can. Only hard needs and clashes refuse."""
    return [text for hard, text in _relations(config) if hard]


def advice(config: RunConfig) -> list[str]:
    """What evidence says against this config, with its source; it may be run all the same."""
    return [text for hard, text in _relations(config) if not hard]


def _relations(config: RunConfig) -> Iterator[tuple[bool, str]]:
    chosen = [technique_of(slot, pick) for slot, picks in config.picks.items() for pick in picks]
    present = {t.name for t in chosen}
    for t in chosen:
        for clash in declared(t, "clashes", Clash):
            if clash.other in present:
                yield clash.hard, f"{t.name} clashes with {clash.other}: {clash.why} ({clash.source})"
        for need in declared(t, "needs", Need):
            if need.other not in present:
                yield need.hard, f"{t.name} wants {need.other}: {need.why} ({need.source})"
        if host := HOSTS.get(t.slot):
            hosting = technique_of(host, config.pick(host))
            if t.point not in hosting.points:
                yield True, f"{t.name} attaches to a {host}'s {t.point}, and {hosting.name} has none"


def displaced(technique: Technique) -> frozenset[str]:
    """The techniques whose place it takes: with one of them it can't be built."""
    return frozenset(clash.other for clash in declared(technique, "clashes", Clash) if clash.hard)


def declared(technique: Technique, what: str, kind: type) -> tuple[Any, ...]:
    """The needs or clashes of a technique; most declare none."""
    found = getattr(technique, what, ())
    assert all(isinstance(item, kind) for item in found), f"{technique.name}.{what} holds something else"
    return tuple(found)
