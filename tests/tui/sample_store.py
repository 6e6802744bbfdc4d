"""A small ledger with every outcome in it, written by the store itself under a clock of its own."""

import math
import random
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

from bench.config import Budget, Pick, RunConfig, fingerprint
from bench.divisions import baseline
from bench.records import Cost, Failure, Point, Reason, RunResult, Sizes, TensorSize
from studies.asked import Proposal, RunKey
from studies.definitions import StudySpec
from studies.ownership import Owner
from studies.store import Store
from studies.views import VerdictView

START = 1_760_000_000.0
DIGEST = "9f3c1a2b" + "0" * 56
TOY_DIGEST = "70750001" + "0" * 56
OWNER = Owner(4121, START, "lab")
VERSIONS = {"torch": "2.9.0", "python": "3.11"}
# Of the baseline: in single precision, four blocks alike.
SIZES = Sizes(
    tensors=(
        TensorSize("embedding.weight", "embedding", (256, 128), 131_072),
        *(
            TensorSize(f"blocks.{layer}.{name}.weight", role, shape, 4 * math.prod(shape))
            for layer in range(4)
            for name, role, shape in (
                *((f"mixer.{part}", "matrix", (128, 128)) for part in ("query", "key", "value")),
                ("mixer.output", "output", (128, 128)),
                ("ffn.up", "matrix", (512, 128)),
                ("ffn.down", "output", (128, 512)),
            )
        ),
        TensorSize("head.product.weight", "head", (256, 128), 131_072),
    ),
    correction_bytes=0,
    header_bytes=2_696,
    code_bytes=0,
)


class Clock:
    """Seconds since 1970 that pass only when told to."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@contextmanager
def stopped(clock: Clock) -> Iterator[None]:
    with mock.patch("studies.store.time.time", clock):
        yield


@dataclass(frozen=True)
class Fate:
    """A trial to be: what it tries, and how it ends. `end` None means that it is still running."""

    optimizer: str
    lr: float | None  # None: the baseline's own
    end: float | Reason | None
    steps: int = 500
    why: str = "startup: a random draw from the space"


FATES = (
    Fate("adamw", None, 1.4421, why="baseline: every division begins with it"),
    Fate("muon", 2e-2, 1.3127),
    Fate("lion", 1e-3, 1.3984),
    Fate("sophia", 3e-2, Reason.DIVERGED, steps=90, why="startup: [bold]a draw[/bold] with brackets in it [/]"),
    Fate("lion", 5e-3, Reason.REFUSED, steps=0),
    Fate("muon", 4e-2, 1.2958, why="tpe: near the best two"),
    Fate("adamw", 1e-3, 1.4613, why="tpe: near the best two"),
    Fate("sophia", 1e-2, Reason.OUT_OF_TIME, steps=310),
    Fate("muon", 3e-2, None, steps=230, why="tpe: between the best two"),
)


def config_of(fate: Fate, budget: Budget) -> RunConfig:
    base = baseline(budget)
    if fate.lr is None:
        return base
    known = base.pick("optimizer").knobs if fate.optimizer == "adamw" else {"beta1": 0.9}
    knobs = {**known, "lr": fate.lr}
    return base.replaced("optimizer", [Pick(fate.optimizer, knobs)])


def curve(number: int, end: float, steps: int, until: int | None = None) -> list[Point]:
    """A loss that falls from ln 256 towards `end` over `steps`, with noise of its own for each number."""
    noise = random.Random(number)
    points = []
    for step in range(10, (until or steps) + 1, 10):
        fallen = math.exp(-5 * step / steps)
        train = end + (math.log(256) - end) * fallen * 0.7 + noise.gauss(0, 0.03)
        probe = train + 0.02 if step % 50 == 0 else None
        points.append(Point(step, step * 0.4, train, probe))
    return points


def spec_of(name: str, n_trials: int = 20, corpus: tuple[str, str] = ("tinystories", DIGEST)) -> StudySpec:
    return StudySpec(
        name=name,
        track_name="featherweight",
        division_name="optimizer",
        n_trials=n_trials,
        budget=Budget(steps=500),
        corpus_name=corpus[0],
        corpus_digest=corpus[1],
    )


def key_of(spec: StudySpec) -> RunKey:
    return RunKey(
        seed=spec.seed,
        track_version=1,
        corpus_name=spec.corpus_name,
        corpus_digest=spec.corpus_digest,
        evaluator_version=1,
        numerics_version=1,
        device_class="cpu",
        threads=2,
    )


def begin(store: Store, spec: StudySpec, owner: Owner | None = None) -> None:
    store.begin(spec, [], owner or OWNER)


def propose(store: Store, spec: StudySpec, number: int, fate: Fate) -> Proposal:
    rule, _, reason = fate.why.partition(": ")
    return Proposal(
        number=number,
        config=config_of(fate, spec.budget),
        proposer="tpe",
        rule=rule,
        reason=reason,
        hypothesis=f"{fate.optimizer} learns more than AdamW in {spec.budget.steps} steps",
        expected=1.31 if rule == "tpe" else None,
        params={"optimizer": fate.optimizer, f"{fate.optimizer}.lr": fate.lr},
        advice="sophia wants clipping here (arXiv:2305.14342)" if fate.optimizer == "sophia" else "",
    )


def play(store: Store, spec: StudySpec, clock: Clock, number: int, fate: Fate) -> int | None:
    """One trial from proposal to its end; the run's id when it has one."""
    proposal = propose(store, spec, number, fate)
    clock.now += 2
    if fate.end is Reason.REFUSED:
        store.refuse(spec.name, proposal, "optimizer.lr is 0.005, and lion takes 3e-05 to 0.003")
        return None
    store.propose(spec.name, proposal)
    run_id, _ = store.start(spec.name, number, key_of(spec), VERSIONS)
    target = fate.end if isinstance(fate.end, float) else 1.30
    points = curve(number, target, spec.budget.steps, fate.steps)
    store.add_points(run_id, points)
    clock.now += fate.steps * 0.4
    if fate.end is not None:
        store.finish(run_id, outcome(spec, proposal.config, fate))
    return run_id


def outcome(spec: StudySpec, config: RunConfig, fate: Fate) -> RunResult | Failure:
    print_ = fingerprint(config)
    if isinstance(fate.end, Reason):
        said = {
            Reason.DIVERGED: "train_loss is nan at step 90; the last finite value was 9.41",
            Reason.OUT_OF_TIME: "the run took longer than its limit of 124 s",
        }
        return Failure(
            fingerprint=print_,
            seed=spec.seed,
            reason=fate.end,
            step=fate.steps,
            message=said[fate.end],
            log_tail="step 80  train_loss 8.02\nstep 90  train_loss nan\n[warn] grad_norm 4.1e6 [/red]",
            train_seconds=fate.steps * 0.4,
        )
    assert isinstance(fate.end, float)
    cost = Cost(
        parameters=861_440,
        train_flops=7_900_000_000_000,
        train_tokens=1_536_000,
        train_seconds=fate.steps * 0.4,
        probe_seconds=3.1,
        eval_seconds=14.2,
        peak_bytes=612_000_000,
    )
    return RunResult(
        fingerprint=print_,
        seed=spec.seed,
        val_loss=fate.end,
        quant_gap=0.0,
        weights_bytes=3_191_404,
        artifact_sha256="ab" * 32,
        steps=fate.steps,
        cost=cost,
        # the study on toystories is older than the record of sizes
        sizes=None if spec.corpus_digest == TOY_DIGEST else SIZES,
    )


def fill(
    store: Store, spec: StudySpec, clock: Clock, fates: Iterable[Fate] = FATES, owner: Owner | None = None
) -> None:
    begin(store, spec, owner)
    for number, fate in enumerate(fates):
        play(store, spec, clock, number, fate)


def repeat(store: Store, spec: StudySpec, clock: Clock, number: int, fate: Fate, seed: int) -> int:
    """A trial of a config that was run, with another seed; the run's id."""
    assert isinstance(fate.end, float)
    proposal = replace(propose(store, spec, number, fate), seed=seed, expected=None)
    clock.now += 2
    store.propose(spec.name, proposal)
    run_id, _ = store.start(spec.name, number, replace(key_of(spec), seed=seed), VERSIONS)
    store.add_points(run_id, curve(number, fate.end, spec.budget.steps))
    clock.now += 200
    result = outcome(spec, proposal.config, fate)
    assert isinstance(result, RunResult)
    store.finish(run_id, replace(result, seed=seed))
    return run_id


def confirm(path: Path, clock: Clock) -> None:
    """Two more seeds of the baseline and of the best of `optimizer-1`, its phases, and the verdict on the two."""
    with stopped(clock):
        store, spec = Store(path), spec_of("optimizer-1")
        store.phase(spec.name, "noise floor")
        ends = ((1, 1.45), (2, 1.438))
        base = [repeat(store, spec, clock, 8 + n, Fate("adamw", None, end), 1001 + n) for n, end in ends]
        store.phase(spec.name, "noise floor", "every planned trial is done")
        store.phase(spec.name, "confirm")
        why = "confirm: trial 5 on another seed"
        ends = ((1, 1.3002), (2, 1.291))
        best = [repeat(store, spec, clock, 10 + n, Fate("muon", 4e-2, end, why=why), 1001 + n) for n, end in ends]
        verdict = VerdictView(
            question="Does trial 5 beat the baseline?",
            verdict="supported",
            why="lower by 0.1477 nats/byte [both]",
            effect=-0.1477,
            low=-0.16,
            high=-0.135,
            p=1e-4,
            n=3,
            run_ids={"new": best, "old": base},
        )
        store.judge(spec.name, verdict)
        store.beat(spec.name)
        store.close()


def build(path: Path, clock: Clock | None = None) -> Clock:
    """A live study `optimizer-1` on tinystories, and an interrupted one, `toy-1`, on toystories."""
    clock = clock or Clock()
    with stopped(clock):
        store = Store(path)
        toy = spec_of("toy-1", 4, ("toystories", TOY_DIGEST))
        fill(store, toy, clock, (*FATES[:2], Fate("lion", 2e-3, None, steps=120)))
        store.release(toy.name, "stopped by ctrl-c")
        clock.now += 3600
        fill(store, spec_of("optimizer-1"), clock)
        store.beat("optimizer-1")
        store.close()
    # all of it into the one file, so that the file can be copied
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return clock
