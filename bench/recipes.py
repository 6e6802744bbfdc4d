"""Published stacks as data, as far as techniques built here make them up; knobs are at their defaults.

A claim is what its source reports there: bits per byte of Parameter Golf say nothing of nats per byte on another
corpus, so of a claim only the sign is expected here.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Techniques by slot; every other slot is as the baseline has it."""

    name: str
    source: str
    claim: str
    techniques: Mapping[str, tuple[str, ...]]


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
