"""What a study is, as data, and the studies that ship with the project."""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bench.config import Budget, RunConfig, canonical, fingerprint
from bench.config import from_json as config_from_json
from bench.config import to_json as config_to_json
from bench.divisions import Division, division_named
from bench.errors import ConfigError
from bench.tracks import FEATHERWEIGHT, FIRST_SEARCH_SEED, GOLF_CPU, Track, track_named
from studies import belts, claims


@dataclass(frozen=True, kw_only=True)
class StudySpec:
    """A study's definition: fixed once the study has begun, but for `n_trials` and where the corpus lies."""

    name: str
    track_name: str
    division_name: str
    n_trials: int
    budget: Budget
    corpus_name: str
    corpus_digest: str
    data: str = "auto"  # where the corpus was found, as --data takes it
    seed: int = FIRST_SEARCH_SEED  # of every run, and of the proposals
    policy: str = "tpe"
    rungs: tuple[int, ...] = ()  # one part in so many of the steps, the shortest first; without any every run is whole
    settings: tuple[str, ...] = ()  # `slot.knob=value` and `slot=a,b`, as given with --set
    start: RunConfig | None = None  # the fighter to begin with, as given with --from
    start_file: str = ""  # its file's name, and what was left out of it

    @property
    def track(self) -> Track:
        return track_named(self.track_name)

    @property
    def division(self) -> Division:
        return division_named(self.division_name, self.track_name)

    def to_json(self) -> dict[str, Any]:
        """As data. A study without a start or rungs is written as it was before there were any."""
        plain = asdict(replace(self, start=None)) | {"settings": list(self.settings), "budget": self.budget.to_json()}
        del plain["start"], plain["start_file"], plain["rungs"]
        if self.rungs:
            plain["rungs"] = list(self.rungs)
        if self.start is None:
            return plain
        return plain | {"start": config_to_json(self.start), "start_file": self.start_file}

    @staticmethod
    def from_json(plain: dict[str, Any]) -> "StudySpec":
        start = plain.get("start")
        typed = {
            "budget": Budget(**plain["budget"]),
            "settings": tuple(plain["settings"]),
            "rungs": tuple(plain.get("rungs", ())),
        }
        return StudySpec(**plain | typed | {"start": config_from_json(start) if start else None})

    def differs_from(self, other: "StudySpec") -> list[str]:
        """The fields in which two definitions differ, as `seed 1001, not 7`."""
        mine, theirs = self._telling(), other._telling()
        return [
            f"{name} {json.dumps(theirs[name])}, not {json.dumps(mine[name])}"
            for name in mine
            if canonical(mine[name]) != canonical(theirs[name])
        ]

    def _telling(self) -> dict[str, Any]:
        """What makes a study another one; a start by its fingerprint, which is enough and can be shown."""
        plain = asdict(replace(self, start=None)) | {"start": fingerprint(self.start)[:12] if self.start else None}
        return {name: value for name, value in plain.items() if name not in ("n_trials", "data", "start_file")}


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
            settings=self.settings,
        )


# The policy that has no sampler: each technique alone, and done, however many trials it was allowed.
OPENINGS = "openings"
# Why a study is over for good; every other reason leaves something to resume.
ALL_DONE = "all trials are done"
NO_OPENING = "every opening is done"
OVER = (ALL_DONE, NO_OPENING)

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
        name="measured-champion",
        question="How low does the researcher get with what helped alone, and what is its winner made of?",
        division_name="open",
        n_trials=40,
        data=REAL_SAMPLE,
        policy="researcher",
        rungs=(9, 3),
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
