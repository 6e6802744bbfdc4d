"""A run as a whole: the same bits again, another seed elsewhere, and a loss that is no number ends it."""

import dataclasses
import hashlib
import json
import math
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from made_up import CORPUS

import bench.run
from autoresearch.worker import device_class
from bench.artifact import unpack
from bench.batches import batches
from bench.catalog import CATALOG, full_pick
from bench.config import Budget, Pick, fingerprint, make_config, to_json
from bench.divisions import baseline
from bench.estimate import estimate
from bench.records import Reason, RunResult
from bench.run import run
from bench.techniques.evaluator.windows import Windows
from bench.tracks import FEATHERWEIGHT, NUMERICS_VERSION
from bench.training import Diverged, Hook, Training, train

TRACK = dataclasses.replace(FEATHERWEIGHT, eval_bytes=400, rung_eval_bytes=200, probe_bytes=100, probe_every=6)
STEPS = 12


def config_with(steps=STEPS, **picks):
    config = baseline(Budget(steps=steps, batch=2, seq_len=16))
    for slot, name in picks.items():
        config = config.replaced(slot, [full_pick(slot, name, {})])
    return config


def ran(config, seed=1001):
    """The finished run and its curve."""
    points = []
    return run(config, seed, CORPUS, TRACK, points.append), points


# a run that touches most of the machinery: noise of its own, averaging, a feature, modifiers, rounding
RICH = config_with(
    optimizer="sophia",
    averaging="ema",
    features="smear_gate",
    mixer_modifiers="xsa",
    precision="int8_ste",
    addons="grad_clip",
)


def same_bits(result: RunResult):
    """What must not differ: everything but time and memory."""
    return dataclasses.replace(result, cost=dataclasses.replace(result.cost, **TIMES))


TIMES = {"train_seconds": 0.0, "probe_seconds": 0.0, "eval_seconds": 0.0, "peak_bytes": 0}


@pytest.fixture(scope="module")
def rich():
    return ran(RICH)


def test_the_same_run_twice_gives_the_same_bits(rich):
    again, points = ran(RICH)
    assert same_bits(again.result) == same_bits(rich[0].result)
    assert again.artifact == rich[0].artifact
    assert [p.train_loss for p in points] == [p.train_loss for p in rich[1]]


INSTRUCTIONS = ("ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA")
IN_A_FRESH_PROCESS = """
import json, sys
import numpy, torch
torch.set_num_threads(1)
from bench.config import from_json
from bench.data.corpus import Corpus
from bench.run import run
from bench.tracks import FEATHERWEIGHT
import dataclasses
job = json.load(sys.stdin)
corpus = Corpus("words", *(numpy.array(side, numpy.uint8) for side in job["texts"]), "made up here")
track = dataclasses.replace(FEATHERWEIGHT, **job["track"])
result = run(from_json(job["config"]), job["seed"], corpus, track, lambda point: None).result
print(json.dumps([result.val_loss.hex(), result.quant_gap.hex(), result.artifact_sha256]))
"""


def test_a_fresh_process_gives_the_same_bits(rich):
    job = {
        "config": to_json(RICH),
        "seed": 1001,
        "texts": [CORPUS.train.tolist(), CORPUS.valid.tolist()],
        "track": {
            name: getattr(TRACK, name) for name in ("eval_bytes", "rung_eval_bytes", "probe_bytes", "probe_every")
        },
    }
    package = Path(bench.run.__file__).parents[1]
    # as a shell has it, without the instructions that this process settled on
    bare = {name: value for name, value in os.environ.items() if name not in INSTRUCTIONS}
    done = subprocess.run(
        [sys.executable, "-c", IN_A_FRESH_PROCESS],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        cwd=package,
        env=bare,
    )
    assert done.returncode == 0, done.stderr
    result = rich[0].result
    assert json.loads(done.stdout) == [result.val_loss.hex(), result.quant_gap.hex(), result.artifact_sha256]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="another processor's instructions")
def test_every_x86_machine_computes_with_the_same_instructions():
    assert device_class() == "cpu/x86_64-avx2"
    assert all(os.environ[name].lower() == "avx2" for name in INSTRUCTIONS)


def test_another_seed_gives_another_score(rich):
    assert ran(RICH, seed=1002)[0].result.val_loss != rich[0].result.val_loss


def test_batches_drawn_before_a_run_leave_no_trace(rich):
    torch.manual_seed(5)
    torch.rand(3)
    assert ran(RICH)[0].artifact == rich[0].artifact


def test_a_run_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    ran(RICH)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_batches_do_not_depend_on_the_config(monkeypatch):
    drawn = {}

    def recording(*how):
        draw = batches(*how)

        def draw_and_keep(step, n_steps):
            x_BT, y_BT = draw(step, n_steps)
            drawn[name].append((x_BT.tolist(), y_BT.tolist()))
            return x_BT, y_BT

        return draw_and_keep

    monkeypatch.setattr(bench.run, "batches", recording)
    for name, config in (("plain", config_with()), ("rich", RICH)):
        drawn[name] = []
        ran(config)
    assert len(drawn["plain"]) == STEPS
    assert drawn["plain"] == drawn["rich"]


def test_the_scored_bytes_are_the_shipped_ones(rich):
    finished = rich[0]
    assert hashlib.sha256(finished.artifact).hexdigest() == finished.result.artifact_sha256
    assert len(finished.artifact) == finished.result.weights_bytes


def test_the_score_is_measured_on_the_unpacked_artifact():
    finished = ran(config_with(precision="int8_post"))[0]
    shipped = unpack(finished.artifact, config_with(precision="int8_post"))
    assert Windows().nats(shipped, CORPUS.valid[: TRACK.eval_bytes], 16) == finished.result.val_loss


def test_a_short_run_is_scored_on_the_rung_bytes_with_a_whole_schedule():
    config = config_with()
    short = dataclasses.replace(config, budget=dataclasses.replace(config.budget, short=True))
    finished, as_long = ran(short)[0], ran(config)[0]
    assert finished.result.val_loss != as_long.result.val_loss
    # the model is the one that as many steps give anyway
    shipped = unpack(as_long.artifact, config)
    assert Windows().nats(shipped, CORPUS.valid[: TRACK.rung_eval_bytes], 16) == finished.result.val_loss


def test_the_result_says_what_was_run(rich):
    result = rich[0].result
    assert (result.fingerprint, result.seed, result.steps) == (fingerprint(RICH), 1001, STEPS)


def test_the_cost_is_what_was_declared(rich):
    cost = rich[0].result.cost
    assert cost.parameters == estimate(RICH).parameters
    assert cost.train_flops == estimate(RICH).train_flops
    assert cost.train_tokens == STEPS * 2 * 16


def test_bits_per_byte_are_nats_over_ln_2(rich):
    assert rich[0].result.val_bpb == pytest.approx(rich[0].result.val_loss / math.log(2))


def test_the_curve_has_a_point_every_ten_steps_and_one_at_the_end(rich):
    assert [point.step for point in rich[1]] == [10, 12]


def test_the_last_point_has_a_probe(rich):
    assert [point.probe_loss is not None for point in rich[1]] == [False, True]


def test_training_gets_somewhere():
    finished, _ = ran(config_with(steps=30))
    assert finished.result.val_loss < 0.75 * math.log(256)


# Bits differ between machines, so the tolerance is generous. When these numbers move on purpose, bump
# bench.tracks.NUMERICS_VERSION: scores from before and after must not stand in one table. Every knob is spelled
# out, so a newly tuned default moves nothing here.
PLAIN = {
    "mixer": Pick("softmax"),
    "ffn": Pick("relu2", {"mult": 4}),
    "init": Pick("zero_output", {"embedding_std": 0.3}),
    "optimizer": Pick("adamw", {"lr": 4e-3, "beta1": 0.9, "beta2": 0.95, "weight_decay": 0.01}),
    "schedule": Pick("linear", {"warmup": 0.1, "hold": 0.2, "floor": 0.0}),
    "codec": Pick("zstd", {"level": 9}),
}
GOLDEN = {
    "baseline": ({}, [4.13082, 3.51006], 3.32249),
    "lion": (
        {
            "optimizer": Pick("lion", {"lr": 1e-3, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.1}),
            "mixer_modifiers": Pick("partial_rope", {"turned": 16}),
        },
        [4.98089, 4.42633],
        4.33483,
    ),
    "muon": (
        {
            "optimizer": Pick("muon", {"lr": 0.03, "momentum": 0.95, "weight_decay": 0.01, "rest_lr": 4e-3}),
            "init": Pick("orthogonal", {"gain": 1.0, "embedding_std": 0.3}),
            "block_modifiers": Pick("ln_scale"),
            "precision": Pick("int8_post"),
        },
        [4.72881, 3.84539],
        3.50369,
    ),
    "sophia": (
        {
            "optimizer": Pick(
                "sophia",
                {"lr": 2e-3, "beta1": 0.96, "beta2": 0.99, "gamma": 0.03, "every": 10, "weight_decay": 0.05},
            ),
            "averaging": Pick("ema", {"decay": 0.9}),
            "features": Pick("smear_gate", {"start": 0.0}),
            "mixer_modifiers": Pick("xsa", {"layers": 4}),
            "addons": Pick("grad_clip", {"limit": 1.0}),
            "precision": Pick("int8_ste"),
        },
        [4.45664, 3.67407],
        3.84012,
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_losses_of_numerics_version_1_stand(name):
    picks, train_losses, val_loss = GOLDEN[name]
    chosen = {slot: (pick,) for slot, pick in (PLAIN | picks).items()}
    finished, points = ran(make_config("featherweight", chosen, Budget(steps=STEPS, batch=2, seq_len=16)))
    assert NUMERICS_VERSION == 1
    assert [point.train_loss for point in points] == pytest.approx(train_losses, abs=1e-4)
    assert finished.result.val_loss == pytest.approx(val_loss, abs=1e-4)


@dataclass(frozen=True, kw_only=True)
class Reckless:
    """A learning rate that no division would allow."""

    slot: ClassVar = "optimizer"
    name: ClassVar = "reckless"
    source: ClassVar = "this test"

    def build(self, params, modifiers=()):
        return torch.optim.SGD(params.tensors, lr=math.inf)


@pytest.fixture
def reckless(monkeypatch):
    monkeypatch.setitem(CATALOG, "optimizer", (Reckless,))
    return lambda steps: config_with(steps=steps).replaced("optimizer", [Pick("reckless")])


def test_a_loss_that_is_no_number_ends_the_run_and_names_the_step(reckless):
    with pytest.raises(Diverged, match=r"not finite at step 2; the last finite one was 5\.545$") as caught:
        ran(reckless(12))
    assert caught.value.step == 2


def test_weights_spoilt_by_the_very_last_update_end_the_run_too(reckless):
    with pytest.raises(Diverged) as caught:
        ran(reckless(1))
    assert caught.value.step == 1


def test_no_point_of_a_curve_is_without_a_number(reckless):
    points = []
    with pytest.raises(Diverged):
        run(reckless(1), 1, CORPUS, TRACK, points.append)
    assert points == []


def test_a_result_cannot_hold_a_score_that_is_no_number(rich):
    with pytest.raises(ValueError, match="val_loss is nan: a diverged run is a Failure, not a RunResult"):
        dataclasses.replace(rich[0].result, val_loss=math.nan)


def test_divergence_is_a_reason_of_its_own():
    assert Reason("diverged") is Reason.DIVERGED


def test_the_schedule_moves_every_learning_rate_and_an_optimizer_knows_how_far_training_is():
    weight = torch.nn.Parameter(torch.zeros(1))
    seen, done = [], []

    class Watching(torch.optim.SGD):
        def step(self, closure=None):
            seen.append([group["lr"] for group in self.param_groups])
            done.append([group["progress"] for group in self.param_groups])

    class Flat(torch.nn.Module):
        def forward(self, x_BT, progress):
            return (weight * 0).expand(*x_BT.shape, 256)

    other = torch.nn.Parameter(torch.zeros(1))
    optimizer = Watching([{"params": [weight], "lr": 2.0}, {"params": [other], "lr": 10.0}])
    x_BT = torch.zeros(1, 4, dtype=torch.long)
    training = train(
        Flat(),
        optimizer,
        lambda step, n: 1 / (step + 1),
        [],
        lambda step, n_steps: (x_BT, x_BT),
        torch.Generator(),
        3,
        lambda: 0.0,
        50,
        print,
    )
    assert seen == [pytest.approx([2, 10]), pytest.approx([1, 5]), pytest.approx([2 / 3, 10 / 3])]
    assert done == [[0, 0], [1 / 3, 1 / 3], [2 / 3, 2 / 3]]
    assert isinstance(training, Training)


def test_an_added_loss_moves_the_weights_and_not_the_curve():
    class Pulling(Hook):
        def added_loss(self, logits_BTV, moment):
            return 100 * weight.square().sum()

    class Flat(torch.nn.Module):
        def forward(self, x_BT, progress):
            return (weight * 0).expand(*x_BT.shape, 256)

    weight = torch.nn.Parameter(torch.ones(1))
    x_BT, points = torch.zeros(1, 4, dtype=torch.long), []
    optimizer = torch.optim.SGD([weight], lr=1e-3)
    train(
        Flat(),
        optimizer,
        lambda step, n: 1.0,
        [Pulling()],
        lambda step, n_steps: (x_BT, x_BT),
        torch.Generator(),
        1,
        lambda: 0.0,
        50,
        points.append,
    )
    assert weight.item() == pytest.approx(0.8)
    assert points[0].train_loss == pytest.approx(math.log(256))
