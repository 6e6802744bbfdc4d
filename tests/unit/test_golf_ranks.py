"""Several processes train one model as one process does that adds up the batch, and end together when one is lost."""

import dataclasses
import json
import multiprocessing
import os
import re
import signal
from contextlib import contextmanager

import psutil
import pytest
import torch
import torch.distributed as dist

from autoresearch.executor import Job, job_to_json, outcome_from_json
from autoresearch.launch import run_on_ranks
from autoresearch.worker import outcome_to_json, work
from bench.batches import batches
from bench.catalog import full_pick, realise
from bench.config import Budget
from bench.divisions import baseline
from bench.errors import ConfigError
from bench.layers import Params
from bench.ranks import ALONE, Ranks
from bench.records import Failure, Pace, Reason
from bench.run import check_shared, initialise, run
from bench.techniques.precision_modifiers import gptq
from bench.techniques.precision_modifiers.gptq import second_moments
from bench.tracks import GOLF, GOLF_1XGPU, GOLF_CPU
from bench.training import Moment, Work, advance

TRACK = dataclasses.replace(GOLF_1XGPU, eval_bytes=200, rung_eval_bytes=100, probe_bytes=100, probe_every=4)


def tiny(budget, track=TRACK.name):
    shape = full_pick("shape", "sized", {"n_layer": 2, "n_head": 4, "head_width": 16})
    return baseline(budget, track).replaced("shape", [shape])


SHORT = tiny(Budget(steps=4, batch=8, seq_len=16))


def line(job, corpus):
    return job_to_json(job, corpus, corpus.folder)


def test_the_ranks_share_the_batch_and_no_token_of_it(token_corpus):
    budget, plan = Budget(steps=3, batch=16, seq_len=4), lambda step, n_steps, whole: (16, 4)
    whole = [batches(token_corpus, budget, plan, 1, 8)(step, 3)[0] for step in range(2)]
    for size in (2, 4, 8):
        parts = [batches(token_corpus, budget, plan, 1, 8, Ranks(rank, size)) for rank in range(size)]
        for step, x_BT in enumerate(whole):
            taken = [part(step, 3)[0].view(-1, 2, 4) for part in parts]
            # pass k of rank r is number k size + r
            assert torch.stack(taken, 1).flatten(0, 2).tolist() == x_BT.tolist()
    assert torch.cat(whole).flatten().tolist() != token_corpus.train.span(0, 128).tolist()


def test_eight_passes_add_up_to_the_gradient_of_the_whole_batch(token_corpus):
    x_BT, y_BT = batches(token_corpus, SHORT.budget, realise(SHORT).plan, 1, 8)(0, 4)
    found = []
    for pieces in (1, 3, 8):
        stack = realise(SHORT)
        model = stack.model(16)
        params = Params(model)
        initialise(params, stack.init, 1)
        model.double()
        kept = torch.optim.SGD(params.tensors, lr=1.0)
        start = [p.detach().clone() for p in params.tensors]
        loss = advance(Moment(0, 4, model, x_BT, y_BT, torch.Generator()), kept, [], Work(model, ALONE, pieces))
        found.append((loss, [p.detach() - s for p, s in zip(params.tensors, start, strict=True)]))
    for loss, moves in found[1:]:
        torch.testing.assert_close(loss, found[0][0])
        for move, whole in zip(moves, found[0][1], strict=True):
            torch.testing.assert_close(move, whole, rtol=1e-9, atol=1e-12)


def calibrated():
    """With what reads the last batches once more when training ends, and windows that overlap."""
    config = SHORT
    for slot, name, knobs in (
        ("precision", "int_rows", {"bits": 8}),
        ("precision_modifiers", "gptq", {"batches": 2}),
        ("logits", "temperature", {"batches": 2}),
        ("evaluator", "sliding", {"stride": 4}),
    ):
        config = config.replaced(slot, [full_pick(slot, name, knobs)])
    return config


def one_of_two(rank, corpus, folder):
    dist.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=2)
    points = []
    with monitored() as seen:
        finished = run(calibrated(), 1001, corpus, TRACK, points.append, Ranks(rank, 2))
    told = {"loss": finished.result.val_loss, "sha": finished.result.artifact_sha256, "train": points[-1].train_loss}
    (folder / f"{rank}.json").write_text(json.dumps(told | seen))
    os._exit(0)


@contextmanager
def monitored():
    """The trace of all second moments that GPTQ went by."""
    seen = {}

    def moments(*args):
        found = second_moments(*args)
        seen["moments"] = sum(inputs_CC.trace().item() for inputs_CC in found.values())
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gptq, "second_moments", moments)
        yield seen


def test_two_ranks_end_as_one_that_adds_up_to_rounding(token_corpus, tmp_path):
    # forked, because torch takes seconds to load
    ranks = [
        multiprocessing.get_context("fork").Process(target=one_of_two, args=(r, token_corpus, tmp_path)) for r in (0, 1)
    ]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(120)
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    points = []
    with monitored() as seen:
        alone = run(calibrated(), 1001, token_corpus, TRACK, points.append)
    assert first["loss"] == pytest.approx(alone.result.val_loss, rel=1e-4)
    assert first["train"] == pytest.approx(points[-1].train_loss, rel=1e-5)
    # what the ranks measured is what one of all batches measures
    assert first["moments"] == pytest.approx(seen["moments"], rel=1e-4)


def test_a_rank_that_is_killed_ends_the_run_with_its_name(token_corpus, tmp_path):
    config = tiny(Budget(steps=10_000, batch=8, seq_len=16))
    killed = []

    def kill(said):
        if not killed:
            (rank,) = [p for p in psutil.Process().children(recursive=True) if p.environ().get("RANK") == "1"]
            rank.send_signal(signal.SIGKILL)
            killed.append(said["point"]["step"])

    job = Job(run_id=1, config=config, seed=1001, artifact=tmp_path / "model")
    outcome = run_on_ranks(line(job, token_corpus), 2, "cpu", kill)
    assert isinstance(outcome, Failure)
    assert (outcome.reason, outcome.message) == (Reason.KILLED, "rank 1 of 2 was killed by SIGKILL")
    assert killed[0] <= outcome.step < 10_000
    assert not [p for p in psutil.Process().children(recursive=True) if "autoresearch.rank" in p.cmdline()]


@pytest.mark.parametrize(("batch", "size"), [(12, 1), (16, 3)])
def test_a_batch_that_cannot_be_shared_evenly_is_refused(batch, size):
    budget = Budget(steps=4, batch=batch, seq_len=16)
    with pytest.raises(ConfigError, match="sequences can't be cut into 8 spans"):
        check_shared(realise(tiny(budget)), budget, Ranks(0, size))


def test_passes_that_nobody_would_average_are_refused_on_several_ranks():
    config = SHORT.replaced("addons", [full_pick("addons", "late_sam", {})])
    check_shared(realise(config), config.budget, Ranks(0, 1))
    with pytest.raises(ConfigError, match="passes of its own, and 2 ranks share only those of the step"):
        check_shared(realise(config), config.budget, Ranks(0, 2))


def test_a_run_that_its_clock_ended_is_repeated_bit_for_bit_at_its_recorded_pace(token_corpus, tmp_path, monkeypatch):
    """With a schedule, a batch and a rounding that all follow the clock, and through the lines that workers speak."""
    monkeypatch.setattr("bench.tracks.track_named", lambda name: dataclasses.replace(TRACK, spans=1))
    config = tiny(Budget(steps=500, batch=8, seq_len=16, seconds=0.3), GOLF_CPU.name)
    for slot, name, knobs in (
        ("schedule", "warmdown", {"steps": 10}),
        ("precision", "int6_ste", {}),
        ("precision_modifiers", "late_rounding", {"start": 0.5}),
        ("addons", "batch_curriculum", {}),
    ):
        config = config.replaced(slot, [full_pick(slot, name, knobs)])
    job = Job(run_id=1, config=config, seed=1001, artifact=tmp_path / "first")
    timed = outcome_from_json(json.loads(json.dumps(outcome_to_json(work(line(job, token_corpus), print)))))
    pace = timed.pace
    assert 3 <= len(pace) == timed.steps < 500
    assert pace[-1].lr_scale < pace[0].lr_scale == 1.0
    again = work(json.loads(json.dumps(line(dataclasses.replace(job, pace=pace), token_corpus))), print)
    assert (again.artifact_sha256, again.pace) == (timed.artifact_sha256, pace)
    # the same steps and rates, but everything else where 500 steps would have it
    other = tuple(Pace(step.lr_scale, 500) for step in pace)
    unlike = work(line(dataclasses.replace(job, pace=other), token_corpus), print)
    assert unlike.artifact_sha256 != timed.artifact_sha256


def timed(**seconds):
    return dataclasses.replace(TRACK, spans=1, **seconds)


@pytest.mark.parametrize(
    ("track", "said"),
    [
        (timed(overrun_seconds=-0.05), "training took [0-9.]+ s, and golf-1xgpu allows 0.00 s"),
        (timed(evaluation_seconds=0.0), "evaluation took [0-9.]+ s, and golf-1xgpu allows 0.00 s"),
    ],
    ids=["training", "evaluation"],
)
def test_a_run_over_the_seconds_of_its_track_ends_as_too_slow(track, said, token_corpus, tmp_path, monkeypatch):
    monkeypatch.setattr("bench.tracks.track_named", lambda name: track)
    config = tiny(Budget(steps=2, batch=8, seq_len=16, seconds=0.05))
    outcome = work(line(Job(run_id=1, config=config, seed=1001, artifact=tmp_path / "model"), token_corpus), print)
    assert outcome.reason is Reason.TOO_SLOW
    assert re.fullmatch(said, outcome.message)
    assert outcome.step > 0


def test_what_is_repeated_at_its_recorded_pace_was_in_time_once(token_corpus):
    config = tiny(Budget(steps=2, batch=8, seq_len=16, seconds=0.05))
    slow = timed(overrun_seconds=-1.0, evaluation_seconds=0.0)
    assert run(config, 1001, token_corpus, slow, print, recorded=[Pace(1.0, 1)]).result.steps == 1


def test_golf_allows_its_seconds_as_the_rules_count_them():
    """parameter_golf_rules: T1 lets the step that reaches 600 s end; E1 gives evaluation 600 s of its own."""
    assert (GOLF.budget.seconds, GOLF.overrun_seconds, GOLF.evaluation_seconds) == (600.0, 0.2, 600.0)
    per_gpu = (GOLF_1XGPU.budget.seconds, GOLF_1XGPU.overrun_seconds, GOLF_1XGPU.evaluation_seconds)
    assert per_gpu == pytest.approx((4800.0, 1.6, 4800.0))
    assert (GOLF_CPU.overrun_seconds, GOLF_CPU.evaluation_seconds) == (None, None)
