"""What `make gpu-check` does, as far as a machine without a GPU can tell."""

import runpy
from dataclasses import replace

import pytest
import torch

from autoresearch import gpu_check
from autoresearch.gpu_check import HEAD, cases, row, trials_a_minute
from bench.catalog import full_pick
from bench.config import Budget
from bench.divisions import baseline
from bench.gpu_speed import step_cost
from bench.ranks import ALONE
from bench.tracks import GOLF


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["gpu_check"])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(gpu_check.__file__, run_name="__main__")
    out, said = capsys.readouterr()
    assert out == ""
    assert said.splitlines() == [
        "error: gpu-check needs a CUDA device, and this machine has none",
        "hint: run it on the machine with the GPU",
    ]


def test_it_times_whole_batches_span_by_span_and_the_part_of_one_rank():
    (_, whole, eight), (_, part, one), (_, newer, _), _, (_, featherweight, _) = cases()
    assert whole.budget == GOLF.budget
    assert (eight, one, part.budget.batch * 8) == (8, 1, whole.budget.batch)
    assert newer.pick("shape").knobs["n_layer"] == 11
    assert featherweight.track == "featherweight"


def test_a_step_is_the_sum_of_its_parts_and_learns():
    config = baseline(Budget(steps=4, batch=4, seq_len=16), "golf-cpu")
    config = config.replaced("shape", [full_pick("shape", "sized", {"n_layer": 2, "n_head": 4, "head_width": 16})])
    cost = step_cost(config, ALONE, 2, 5)
    assert cost.step_ms == pytest.approx(cost.forward_ms + cost.backward_ms + cost.update_ms)
    assert cost.tokens_per_second == pytest.approx(64 / (cost.step_ms / 1e3))
    assert cost.last_loss < cost.first_loss < 7.2
    assert trials_a_minute(replace(cost, step_ms=12.0)) == pytest.approx(10)
    assert row("it", cost).count("|") == HEAD.splitlines()[0].count("|")
