"""Techniques that are known and not built: they can be listed and ranked, never proposed nor run.

One that gets built leaves this file; a name stands for an idea or for a technique.
"""

from dataclasses import dataclass

from bench.techniques.technique import Prior


@dataclass(frozen=True)
class Idea:
    """What a card needs to be weighed against others; `doc` says what it does and what building it would take."""

    name: str
    slot: str
    doc: str
    source: str
    prior: Prior


IDEAS: tuple[Idea, ...] = (
    Idea(
        "memory_tokens",
        "features",
        "Learned vectors stand before the window and are attended to; they take positions away from the text.",
        "Parameter Golf #352",
        Prior(-1, "C", "-0.014 BPB on ten layers, one seed"),
    ),
    Idea(
        "vga",
        "mixer_modifiers",
        "Each value is gated by a sigmoid of itself before it is mixed.",
        "arXiv:2510.09017",
        Prior(0, "D", "no result at this size"),
    ),
    Idea(
        "mixture_of_experts",
        "ffn",
        "A router sends each byte to one of several feed-forwards; under a cap on parameters they must be narrow.",
        "arXiv:1701.06538",
        Prior(0, "D", "trades parameters, which are capped here, for FLOPs, which are plenty"),
    ),
    Idea(
        "deep_delta_learning",
        "residual",
        "`x + b k (v - k x)`, k a unit vector made from x: a part may erase a direction before it writes to it.",
        "arXiv:2601.00417",
        Prior(0, "D", "no result at this size"),
    ),
    Idea(
        "depth_attention",
        "residual",
        "A softmax over what the layers before gave replaces the sum.",
        "Parameter Golf #215",
        Prior(1, "N", "the sum wants negative weights too"),
    ),
    Idea(
        "mudd",
        "block_modifiers",
        "A small map from each byte's state weighs earlier states into queries, keys, values and stream.",
        "arXiv:2502.12170",
        Prior(0, "D", "where the speed run of modded-nanogpt went"),
    ),
    Idea(
        "dense_average",
        "block_modifiers",
        "Each block reads a learned weighted sum of what all before it gave (DenseFormer).",
        "arXiv:2402.02622",
        Prior(1, "N", "+0.003 BPB in Parameter Golf #328"),
    ),
    Idea(
        "shared_layers",
        "block_modifiers",
        "All blocks have one set of weights, so that a wider one fits; the skeleton would have to hand modules on.",
        "arXiv:1807.03819",
        Prior(1, "N", "+0.025 BPB at an equal time"),
    ),
    Idea(
        "mousse",
        "optimizer",
        "Muon between two slowly refreshed whitenings of the gradient, as Shampoo has them.",
        "arXiv:2603.09697",
        Prior(-1, "D", "its paper claims an eighth fewer steps for 3% of time"),
    ),
    Idea(
        "partial_ngpt",
        "addons",
        "Rows of query and key matrices go back to unit length after each step; needs a role of their own for them.",
        "arXiv:2410.01131",
        Prior(0, "D", "queries and keys are normed per head anyway"),
    ),
    Idea(
        "distillation",
        "addons",
        "A larger teacher's chances beside the bytes; the teacher's training would have to count in the FLOPs.",
        "arXiv:1503.02531",
        Prior(0, "D", "no result within a cap on FLOPs"),
    ),
    Idea(
        "predictive_batches",
        "addons",
        "A cheap predictor of the loss orders the windows of training.",
        "arXiv:2602.17066",
        Prior(0, "D", "choosing hard examples did nothing in Parameter Golf #212"),
    ),
    Idea(
        "lattice_vq",
        "precision",
        "Rounds 24 weights together to a point of the Leech lattice.",
        "arXiv:2603.11021",
        Prior(0, "D", "no result at this size"),
    ),
    Idea(
        "opt_rot",
        "precision_modifiers",
        "Rotations fused into neighbouring matrices flatten their outliers before rounding.",
        "arXiv:2512.24124",
        Prior(0, "D", "norms per head leave few places to fuse one"),
    ),
    Idea(
        "entropy_regularised",
        "precision_modifiers",
        "The estimated entropy of the rounded weights is part of the loss, so that the file compresses better.",
        "named in Parameter Golf's discussions, without a result",
        Prior(0, "D", "bytes are not capped here"),
    ),
    Idea(
        "online_logit_bias",
        "evaluator",
        "A bias per byte learnt on bytes already scored; changes what is measured, so no division admits it.",
        "Parameter Golf #330",
        Prior(-1, "C", "1.1609 BPB, one seed"),
    ),
)
