"""The published findings as plain data: what each says and where, and the comparison that puts it to the test.

`make measure claims` runs the arms; `autoresearch claims` prints what came of them. A definition never changes once it
has runs. Losses and margins in nats per byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.knobs import Value

# The measurement that holds the arms' runs, and the policy that plans them.
STUDY = "measured-claims"
POLICY = "claims"

STEPS = 500  # of an arm, unless it says otherwise; a study of other steps scales every arm alike
SEEDS = 3  # published ones an arm, the track's first
# one part in so many of an arm's steps: each short trial is a whole run of its own, with its own warm-up and decay
SHORT = 3
# Learning rates of the first short trials, as factors of the arm's own, which comes first.
LR_FACTORS = (1.0, 3.0, 1 / 3)
# then weight decays, at the best learning rate
DECAY_FACTORS = (10.0, 100.0)
# then one more learning rate at the best of all, this factor towards the side that was better
FINE_FACTOR = 3.0**0.5
# then the best of them at the arm's whole budget
N_FULL = 2
N_TUNING = len(LR_FACTORS) + len(DECAY_FACTORS) + 1 + N_FULL


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One side of a comparison: the baseline with some techniques, at their defaults but for `knobs`.

    An arm is tuned in learning rate and weight decay alone, with N_TUNING trials, and then run on published seeds;
    `untuned` leaves it as it is.
    """

    name: str
    stack: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    knobs: Mapping[str, Value] = field(default_factory=dict)  # `relu2.mult`: 3
    steps: int = STEPS
    untuned: bool = False
    pace: float = 1.0  # time of a step in units of the baseline's, as docs/fighters.md measured it

    @property
    def n_runs(self) -> int:
        return SEEDS if self.untuned else N_TUNING + SEEDS


BASELINE = Arm(name="softmax")
SOPHIA = {"optimizer": ("sophia",)}
ARMS = (
    BASELINE,
    Arm(name="lion", stack={"optimizer": ("lion",)}),
    Arm(name="sophia", stack=SOPHIA),
    Arm(name="sophia at defaults", stack=SOPHIA, untuned=True),
    Arm(name="int8 straight-through", stack={"precision": ("int8_ste",)}),
    Arm(name="sliding window", stack={"mixer": ("sliding_window",)}),
    Arm(name="GQA", stack={"mixer": ("gqa",)}, pace=0.87),
    Arm(name="EMA", stack={"averaging": ("ema",)}),
    Arm(name="XSA", stack={"mixer_modifiers": ("xsa",)}, pace=1.14),
    Arm(name="EMA with XSA", stack={"averaging": ("ema",), "mixer_modifiers": ("xsa",)}, pace=1.14),
    Arm(name="SmearGate", stack={"features": ("smear_gate",)}),
    Arm(name="SwiGLU", stack={"ffn": ("swiglu",)}, pace=1.13),
    Arm(
        name="LN scale and partial RoPE",
        stack={"block_modifiers": ("ln_scale",), "mixer_modifiers": ("partial_rope",)},
    ),
    Arm(name="int6 straight-through", stack={"precision": ("int6_ste",)}),
    Arm(
        name="int6, rounded late",
        stack={"precision": ("int6_ste",), "precision_modifiers": ("late_rounding",)},
    ),
    # 548 kB and 536 kB of weights: what four bits save is spent on a wider feed-forward
    Arm(name="int6, feed-forward x3", stack={"precision": ("int6_ste",)}, knobs={"relu2.mult": 3}),
    Arm(name="int4, feed-forward x5", stack={"precision": ("int4_ste",)}, knobs={"relu2.mult": 5}),
    Arm(name="RWKV", stack={"mixer": ("rwkv6",)}, pace=1.57),
    Arm(name="SSM", stack={"mixer": ("s4d",)}, pace=1.22),
    Arm(name="Hyena", stack={"mixer": ("hyena",)}, pace=1.78),
    Arm(name="softmax, 800 steps", steps=800),
)


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Of what the new arm may have no more than a share of the old one's: `weights_bytes` or `parameters`."""

    what: str
    most: float


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One published finding. As tested: val_loss of `new` is below that of `old` by more than the margin.

    The margin is `margin` nats per byte, negative for how much worse still counts as a tie, or `share` of the old
    arm's val_loss. `cells` tests the contrast of a 2x2 instead (neither, first, second, both): below zero when the two
    help each other. `untestable` says why a finding can't be tested here.
    """

    name: str
    text: str
    source: str
    published: str  # the size it is said to have
    new: str = ""
    old: str = ""
    margin: float = 0.0
    share: float = 0.0
    saving: Saving | None = None
    cells: tuple[str, str, str, str] | None = None
    note: str = ""  # what is not as published
    untestable: str = ""

    @property
    def arms(self) -> tuple[str, ...]:
        return self.cells or tuple(name for name in (self.new, self.old) if name)

    @property
    def cross_budget(self) -> bool:
        """A declared comparison of arms of different lengths; nothing else ever compares across budgets."""
        return len({arm_named(name).steps for name in self.arms}) > 1

    @property
    def statistic(self) -> str:
        """What decides, in words."""
        if self.untestable:
            return "none"
        if self.cells:
            return "contrast of the 2x2 below 0, two-sided t on noise pooled over its cells"
        if self.share:
            threshold = f"gain above {100 * self.share:g} % of the old arm's val_loss"
        elif self.margin < 0:
            threshold = f"worse by less than {-self.margin:g} nats/byte"
        else:
            threshold = f"gain above {self.margin:g} nats/byte"
        kept = f", {self.saving.what} at most {100 * self.saving.most:g} %" if self.saving else ""
        return f"one-sided Welch of {threshold}{kept}"


# Ties are ties when this much is not lost: the noise between seeds that the track believes before any is measured.
TIE = -0.01

MIXERS = (("RWKV", "RWKV"), ("Hyena", "Hyena"), ("SSM", "SSM"))
CLAIMS = (
    Claim(
        name="int8 ties fp32",
        text="int8 with a straight-through estimator ties fp32 at 41 % of the size",
        source="Mizan's page, precision division",
        published="equal at 41 % of the size",
        new="int8 straight-through",
        old="softmax",
        margin=TIE,
        saving=Saving(what="weights_bytes", most=0.41),
    ),
    Claim(
        name="Lion beats AdamW",
        text="Lion beats AdamW by about 6 %",
        source="Mizan's page, optimizer division",
        published="6 %",
        new="lion",
        old="softmax",
        note="tested: any gain at all; the interval says whether it can be 6 %",
    ),
    Claim(
        name="Sophia is under-tuned",
        text="Sophia is under-tuned",
        source="Mizan's page, optimizer division",
        published="not given",
        new="sophia",
        old="sophia at defaults",
        note="tested: the tuning that every arm gets against none",
    ),
    Claim(
        name="sliding window beats softmax",
        text="A sliding window beats full softmax at length 96",
        source="Mizan's page, attention division",
        published="not given",
        new="sliding window",
        old="softmax",
        note="at equal parameters: see the next",
    ),
    Claim(
        name="sliding window has fewer parameters",
        text="The sliding window needs fewer parameters than full softmax",
        source="Mizan's page, attention division",
        published="not given",
        untestable="a window changes which bytes are seen and no weight; the page does not say what else it dropped",
    ),
    Claim(
        name="GQA ties softmax",
        text="GQA ties softmax with 5 % fewer parameters",
        source="Mizan's page, attention division",
        published="equal at 95 % of the parameters",
        new="GQA",
        old="softmax",
        margin=TIE,
        saving=Saving(what="parameters", most=0.95),
    ),
    *(
        Claim(
            name=f"{name} beats softmax",
            text=f"{name} beats softmax by 18 to 32 %",
            source="Mizan's page, state-space division",
            published="18 to 32 %",
            new=arm,
            old="softmax",
            share=0.18,
        )
        for name, arm in MIXERS
    ),
    *(
        Claim(
            name=f"{name} in 500 steps beats softmax in 800",
            text=f"{name} beats softmax by 18 to 32 % with 300 fewer steps",
            source="Mizan's page, state-space division",
            published="18 to 32 %, 300 fewer steps",
            new=arm,
            old="softmax, 800 steps",
            share=0.18,
        )
        for name, arm in MIXERS
    ),
    Claim(
        name="the undisclosed mixer beats RWKV",
        text="A newer architecture of the house beats RWKV narrowly",
        source="Mizan's page, state-space division",
        published="narrowly, in seed-matched runs",
        untestable="the architecture is not disclosed",
    ),
    Claim(
        name="EMA needs XSA",
        text="EMA needs XSA",
        source="Parameter Golf #201, #287",
        published="+0.023 BPB without XSA, -0.0006 to -0.003 BPB with it",
        cells=("softmax", "EMA", "XSA", "EMA with XSA"),
    ),
    Claim(
        name="SmearGate without orthogonal hurts",
        text="SmearGate without orthogonal initialisation hurts",
        source="Parameter Golf #212",
        published="+0.003 BPB",
        new="softmax",
        old="SmearGate",
        note="run against the evidence on purpose; the new arm is the stack without SmearGate",
    ),
    Claim(
        name="SwiGLU is worse than relu^2",
        text="SwiGLU is worse than relu^2",
        source="Parameter Golf #640",
        published="worse at a fixed time, not given",
        new="softmax",
        old="SwiGLU",
        note="at a fixed number of steps and equal parameters, not at a fixed time",
    ),
    Claim(
        name="late beats early rounding",
        text="Straight-through late in training beats straight-through from the start",
        source="Parameter Golf #117, #315, #414",
        published="not isolated: in several records the switch had no effect",
        new="int6, rounded late",
        old="int6 straight-through",
    ),
    Claim(
        name="int4 costs more than it saves",
        text="int4 costs more than it saves",
        source="Parameter Golf #281",
        published="+0.06 BPB for all weights",
        new="int6, feed-forward x3",
        old="int4, feed-forward x5",
        note="at equal bytes: int4 spends what it saves on a wider feed-forward, int6 has the narrower one",
    ),
    Claim(
        name="LN scale and partial RoPE help",
        text="LN scale and partial RoPE help",
        source="Parameter Golf #315",
        published="-0.0023 BPB together",
        new="LN scale and partial RoPE",
        old="softmax",
    ),
)


def arm_named(name: str) -> Arm:
    return next(arm for arm in ARMS if arm.name == name)
