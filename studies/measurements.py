"""The studies that ship with the project, as data: `make measure NAME` runs each in pieces."""

from dataclasses import dataclass, field, replace

from bench.errors import ConfigError
from bench.tracks import FEATHERWEIGHT, FIRST_SEARCH_SEED, GOLF_CPU, Track, track_named
from studies import belts, claims
from studies.definitions import OPENINGS, StudySpec


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A shipped study: what it asks, on which corpus, and how far it goes. `make measure NAME` runs it in pieces."""

    name: str
    question: str
    division_name: str
    n_trials: int
    data: str  # as --data takes it; $ARENA_REALDATA stands for the real sample
    track_name: str = FEATHERWEIGHT.name
    steps: int = 500
    settings: tuple[str, ...] = field(default=())
    policy: str = "tpe"
    seed: int = FIRST_SEARCH_SEED
    rungs: tuple[int, ...] = ()
    alone: bool = False
    fighter: str = ""  # a shipped one, which the study grades
    without: str = ""  # a technique of the fighter that is left out; no belt is fought for then

    @property
    def track(self) -> Track:
        return track_named(self.track_name)

    def spec(self, corpus_name: str, corpus_digest: str, data: str) -> StudySpec:
        return StudySpec(
            name=self.name,
            track_name=self.track_name,
            division_name=self.division_name,
            n_trials=self.n_trials,
            budget=replace(self.track.budget, steps=self.steps),
            corpus_name=corpus_name,
            corpus_digest=corpus_digest,
            data=data,
            seed=self.seed,
            policy=self.policy,
            rungs=self.rungs,
            alone=self.alone,
            settings=self.settings,
        )


REAL_SAMPLE = "$ARENA_REALDATA"

# The slots of the open division that stay as the baseline has them; written out, since a definition never changes.
NOTHING_ELSE = (
    "features=none",
    "mixer_modifiers=none",
    "block_modifiers=none",
    "logits=none",
    "optimizer_modifiers=none",
    "addons=none",
    "precision_modifiers=none",
    "mixer=softmax",
    "ffn=relu2",
    "residual=pre_norm",
    "head=untied",
    "schedule=linear",
    "averaging=last",
    "precision=fp32",
)

# What the policies are compared on: of each slot that moved a score, what did so up or down, so that the openings leave
# most of forty trials to the policy.
CONTESTED = (
    "features=smear_gate",
    "mixer=softmax,double_conv",
    "mixer_modifiers=xsa",
    "ffn=relu2,swiglu",
    "residual=pre_norm",
    "block_modifiers=none",
    "head=untied",
    "logits=softcap",
    "init=zero_output,orthogonal",
    "optimizer=adamw,muon",
    "optimizer_modifiers=none",
    "schedule=linear",
    "averaging=last,ema",
    "addons=grad_clip",
    "precision=fp32",
    "precision_modifiers=none",
)
# The menu of the champion's study: of each slot what beat the baseline alone at its defaults, as far as `make measure
# fighters` had run, and LN scale and EMA, which the lowest stack of `make measure open` has.
PROMISING = (
    "features=trigram_hash,bigram_hash",
    "mixer=softmax,hyena,mamba,s4d,rwkv6,double_conv",
    "mixer_modifiers=value_residual",
    "ffn=relu2,polyrelu,swiglu",
    "residual=pre_norm",
    "block_modifiers=canon,x0_mix,ln_scale",
    "head=untied",
    "logits=none",
    "init=zero_output",
    "optimizer=adamw,muon,soap",
    "optimizer_modifiers=muoneq_r,normuon",
    "schedule=linear",
    "averaging=last,ema",
    "addons=grad_clip",
    "precision=fp32",
    "precision_modifiers=none",
)
# A quarter on top of its trials pays for the researcher's confirmation: 32 and 8 cost what 40 do.
POLICY_TRIALS = {"researcher": 32, "tpe": 40, "random": 40}
POLICY_SEEDS = (1001, 1101, 1201)
POLICIES_MEASURED = "measured-policies"
POLICY_ARMS = tuple(
    Measurement(
        name=f"{POLICIES_MEASURED}-{policy}-{seed}",
        question=f"How low, and how soon, does policy {policy} get in 40 runs of 100 steps on the real sample?",
        division_name="open",
        n_trials=n_trials,
        data=REAL_SAMPLE,
        steps=100,
        settings=CONTESTED,
        policy=policy,
        seed=seed,
        alone=policy == "researcher",  # it is not to learn from the others' runs
    )
    # a repetition is finished before the next begins: each is a comparison by itself
    for seed in POLICY_SEEDS
    for policy, n_trials in POLICY_TRIALS.items()
)

BELTS = tuple(
    Measurement(
        name=f"{belts.STUDIES}-{fighter}",
        question=f"Does {fighter} take the {division} belt at 500 steps?",
        division_name=division,
        n_trials=belts.SEEDS,
        data=REAL_SAMPLE,
        policy=belts.GRADE,
        fighter=fighter,
    )
    for division, fighter in belts.FIGHTERS
)
LEFT_OUT = tuple(
    Measurement(
        name=f"{belts.ABLATION}-{technique}",
        question=f"What is {technique} worth to {belts.CHAMPION}?",
        division_name="open",
        n_trials=belts.SEEDS,
        data=REAL_SAMPLE,
        policy=belts.GRADE,
        fighter=belts.CHAMPION,
        without=technique,
    )
    for technique in belts.LEFT_OUT
)

# Golf in miniature: what its records were built of, so that twenty openings hold each of them against the baseline.
GOLF_STACKS = (
    *(f"shape.{knob}={value}" for knob, value in (("n_layer", 3), ("n_head", 4), ("head_width", 32))),
    "features=smear_gate,bigram_hash",
    "mixer=gqa",
    "mixer.kv_heads=2",
    "mixer_modifiers=qk_gain,xsa,partial_rope,sparse_head_gate",
    "ffn=relu2,leaky_relu2",
    "residual=pre_norm,parallel",
    "block_modifiers=layer_scale,unet_skips,x0_mix,ln_scale",
    "head=tied",
    "logits=softcap",
    "init=narrow_uniform,orthogonal",
    "optimizer=muon_split",
    "optimizer_modifiers=momentum_warmup,muoneq_r,polar_express",
    "schedule=warmdown,linear",
    "averaging=last,ema,swa",
    "addons=grad_clip,depth_recurrence",
    "addons.blocks=1",
    "precision=int8_clipped,int6_post,int6_ste",
    "precision_modifiers=none",
    "codec=zlib",
)

MEASUREMENTS = (
    Measurement(
        name="measured-optimizer",
        question="Which update rule learns most from the real TinyStories sample in 500 steps?",
        division_name="optimizer",
        n_trials=40,
        data=REAL_SAMPLE,
    ),
    Measurement(
        name="measured-open",
        question="How low does any stack within the caps get on the real TinyStories sample in 500 steps?",
        division_name="open",
        n_trials=40,
        data=REAL_SAMPLE,
    ),
    Measurement(
        name="measured-toystories",
        question="Do the openings rank on the embedded corpus as they do on the real sample?",
        division_name="open",
        n_trials=14,
        data="toystories",
    ),
    Measurement(
        name="measured-anchors",
        question="What do the baseline, Lion and the orthogonal start score on a device class that has no board yet?",
        division_name="open",
        n_trials=3,
        data=REAL_SAMPLE,
        policy=OPENINGS,
        settings=("init=zero_output,orthogonal", "optimizer=adamw,lion", *NOTHING_ELSE),
    ),
    Measurement(
        name="measured-fighters",
        question="Does every fighter and technique work, alone on the baseline at its defaults?",
        division_name="open",
        n_trials=200,  # more than there are techniques: the openings end it
        data=REAL_SAMPLE,
        policy=OPENINGS,
    ),
    Measurement(
        name="measured-hybrid_norm",
        question="At the baseline's learning rate HybridNorm hardly learns; does it at another?",
        division_name="open",
        n_trials=6,
        data=REAL_SAMPLE,
        settings=(
            "residual=hybrid_norm",
            "init=zero_output",
            "optimizer=adamw",
            *(setting for setting in NOTHING_ELSE if setting != "residual=pre_norm"),
        ),
    ),
    Measurement(
        name="measured-ninth",
        question="Does a ninth of the steps rank stacks as all of them do? It did not, and the study was left there.",
        division_name="open",
        n_trials=40,
        data=REAL_SAMPLE,
        policy="researcher",
        rungs=(9, 3),
        settings=PROMISING,
    ),
    Measurement(
        name="measured-champion",
        question="How low does the researcher get with what helped alone, and what is its winner made of?",
        division_name="open",
        n_trials=48,
        data=REAL_SAMPLE,
        policy="researcher",
        rungs=(3,),
        settings=PROMISING,
    ),
    Measurement(
        name=claims.STUDY,
        question="Which published findings hold here, when every arm is tuned alike and run on published seeds?",
        division_name="open",
        n_trials=sum(arm.n_runs for arm in claims.ARMS),
        data=REAL_SAMPLE,
        steps=claims.STEPS,
        policy=claims.POLICY,
    ),
    Measurement(
        name="measured-golf",
        question="Which parts of golf's records lower bits per byte in miniature, on the real TinyStories sample?",
        track_name=GOLF_CPU.name,
        division_name="open",
        n_trials=32,
        data=REAL_SAMPLE,
        steps=GOLF_CPU.budget.steps,
        settings=GOLF_STACKS,
    ),
    *POLICY_ARMS,
    *BELTS,
    *LEFT_OUT,
)
# Studies that one name runs, in their order.
FAMILIES = {
    POLICIES_MEASURED: POLICY_ARMS,
    belts.STUDIES: BELTS,
    # the stack itself first, which what is left of it is compared with
    belts.ABLATION: (*(m for m in BELTS if m.name == belts.CHAMPIONS_STUDY), *LEFT_OUT),
}


def measurements_named(name: str) -> tuple[Measurement, ...]:
    """The one of that name, or all of a family in the order they are run: `policies` is nine studies."""
    found = {measurement.name: (measurement,) for measurement in MEASUREMENTS} | FAMILIES
    for wanted in (name, f"measured-{name}"):
        if wanted in found:
            return found[wanted]
    of_families = {measurement.name for family in FAMILIES.values() for measurement in family}
    known = ", ".join(known.removeprefix("measured-") for known in found if known not in of_families)
    raise ConfigError(f"there is no measurement named {name}", f"the measurements are {known}")
