"""GPTQ against the recursion it is a fast form of, in float64, and against rounding to the nearest.

Shapes: R rows, C columns, N positions.
"""

import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import bench.techniques.precision_modifiers.gptq as gptq_module
from bench.artifact import pack, unpack
from bench.catalog import full_pick, realise
from bench.config import Budget
from bench.divisions import baseline
from bench.errors import ArtifactError
from bench.estimate import estimate, forward_flops
from bench.layers import Params
from bench.run import initialise, run
from bench.techniques.precision.byte_rows import codes
from bench.techniques.precision.sdclip import SdClip
from bench.techniques.precision_modifiers.gptq import Gptq, compensated, second_moments
from bench.tracks import GOLF_CPU
from bench.training import Hook, train


@pytest.fixture
def small_golf():
    return dataclasses.replace(GOLF_CPU, eval_bytes=300, rung_eval_bytes=300, probe_bytes=100, probe_every=10)


def drawn(R=7, C=24, N=200, seed=0, dead=()):
    """Weights and inputs that go along with each other, as a layer's do."""
    noise = torch.Generator().manual_seed(seed)
    mixing = torch.randn(C, C, generator=noise, dtype=torch.float64) / math.sqrt(C) + torch.eye(C)
    x_NC = torch.randn(N, C, generator=noise, dtype=torch.float64) @ mixing
    x_NC[:, list(dead)] = 0
    return torch.randn(R, C, generator=noise, dtype=torch.float64), x_NC


def by_recursion(weight, inputs_CC, scales_R, levels, damping):
    """Optimal brain surgeon with a fixed order: the inverse of what is left is found anew for every column."""
    R, C = weight.shape
    h = [[float(inputs_CC[i, j]) for j in range(C)] for i in range(C)]
    weights = [[float(w) for w in row] for row in weight]
    for j in range(C):
        if h[j][j] == 0:
            h[j][j] = 1.0
            for row in weights:
                row[j] = 0.0
    mean = sum(h[j][j] for j in range(C)) / C
    for j in range(C):
        h[j][j] += damping * mean
    left = sorted(range(C), key=lambda j: -h[j][j])
    found = [[0] * C for _ in range(R)]
    while left:
        inverse = torch.linalg.inv(torch.tensor([[h[i][j] for j in left] for i in left], dtype=torch.float64))
        first, *others = left
        for r, row in enumerate(weights):
            step = float(scales_R[r])
            found[r][first] = max(-levels, min(levels, round(row[first] / step)))
            error = (row[first] - found[r][first] * step) / float(inverse[0, 0])
            for place, j in enumerate(others, start=1):
                row[j] -= error * float(inverse[0, place])
        left = others
    return torch.tensor(found, dtype=torch.float64)


@pytest.mark.parametrize(("C", "block"), [(24, 128), (24, 7), (24, 24), (1, 128)])
@pytest.mark.parametrize("bits", [3, 6])
def test_it_is_the_slow_recursion(C, block, bits, monkeypatch):
    monkeypatch.setattr(gptq_module, "BLOCK", block)
    weight, x_NC = drawn(C=C)
    levels = 2 ** (bits - 1) - 1
    scales_R = weight.abs().amax(1) / levels
    slow = by_recursion(weight, x_NC.T @ x_NC, scales_R, levels, 0.01)
    assert torch.equal(compensated(weight, x_NC.T @ x_NC, scales_R, levels, 0.01), slow)


def test_inputs_that_never_were_anything_get_no_weight():
    weight, x_NC = drawn(dead=(3, 20))
    scales_R = weight.abs().amax(1) / 31
    found = compensated(weight, x_NC.T @ x_NC, scales_R, 31, 0.01)
    assert not found[:, [3, 20]].any()
    assert torch.equal(found, by_recursion(weight, x_NC.T @ x_NC, scales_R, 31, 0.01))


@pytest.mark.parametrize("bits", [3, 4, 5, 6])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_the_layer_gives_is_nearer_than_after_rounding_to_the_nearest(bits, seed):
    weight, x_NC = drawn(R=40, C=96, N=400, seed=seed)
    levels = 2 ** (bits - 1) - 1
    scales_R = weight.abs().amax(1) / levels

    def output_error(codes_RC):
        return (x_NC @ (weight - codes_RC * scales_R.unsqueeze(1)).T).square().sum().item()

    nearest = output_error(codes(weight, scales_R, levels))
    assert output_error(compensated(weight, x_NC.T @ x_NC, scales_R, levels, 0.01)) < 0.75 * nearest


def golf(**modifiers):
    config = baseline(Budget(steps=6, batch=2, seq_len=24), GOLF_CPU.name)
    config = config.replaced("shape", [full_pick("shape", "sized", {"n_layer": 2, "n_head": 4, "head_width": 16})])
    config = config.replaced("mixer", [full_pick("mixer", "gqa", {"kv_heads": 1})])
    config = config.replaced("precision", [full_pick("precision", "sdclip", {"bits": 4, "k": 3.0})])
    picks = [full_pick("precision_modifiers", name, knobs) for name, knobs in modifiers.items()]
    return config.replaced("precision_modifiers", picks)


@pytest.fixture(scope="module")
def measured():
    """A model with weights everywhere and the moments of its inputs; and the tokens they are of."""
    stack = realise(golf(gptq={}))
    model = stack.model(24)
    initialise(Params(model), stack.init, seed=1)
    noise = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=noise), alpha=0.2)
    batches = [torch.randint(1024, (3, 24), generator=noise) for _ in range(12)]
    model.moments = second_moments(model, batches)
    return model, batches


def test_moments_are_those_of_each_products_inputs(measured):
    """Seen through hooks on modules instead, and for the head by the stream that it norms."""
    model, batches = measured
    seen: dict[str, list[torch.Tensor]] = {}
    hooks = []
    for name, module in model.named_modules():
        if name == "head":
            hooks.append(
                module.register_forward_pre_hook(
                    lambda m, args: seen.setdefault("embedding.weight", []).append(
                        F.rms_norm(args[0], args[0].shape[-1:])
                    )
                )
            )
        elif hasattr(module, "weight") and name.startswith("blocks") and module.weight.dim() == 2:
            hooks.append(
                module.register_forward_pre_hook(
                    lambda m, args, name=name: seen.setdefault(f"{name}.weight", []).append(args[0])
                )
            )
    with torch.no_grad():
        for x_BT in batches:
            model(x_BT)
    for hook in hooks:
        hook.remove()
    assert set(model.moments) == {p.name for p in Params(model).all if p.tensor.dim() == 2 and p.role != "vector"}
    for name, found_CC in model.moments.items():
        x_NC = torch.cat([x.flatten(0, 1) for x in seen[name]]).double()
        torch.testing.assert_close(found_CC, x_NC.T @ x_NC, rtol=1e-4, atol=1e-3, msg=name)


def test_what_ships_is_the_code_of_every_matrix_on_the_formats_own_grid(measured):
    model, _ = measured
    config = golf(gptq={})
    shipped = unpack(pack(model, config), config)
    plain = unpack(pack(model, golf()), golf())
    rows = SdClip(bits=4, k=3.0).formats()
    better = {}
    for param in Params(model).all:
        if param.name not in model.moments:
            assert torch.equal(shipped.get_parameter(param.name), plain.get_parameter(param.name))
            continue
        weight, h_CC = param.tensor.detach().double(), model.moments[param.name]
        scales_R = rows.of(param.role).scales(param.tensor.detach()).double()
        found = shipped.get_parameter(param.name).detach().double() / scales_R.unsqueeze(1)
        torch.testing.assert_close(found, found.round(), rtol=0, atol=1e-5)
        errors = [weight - m.get_parameter(param.name).detach().double() for m in (shipped, plain)]
        gptq, nearest = ((e @ h_CC @ e.T).trace().item() for e in errors)
        better[param.name] = gptq < nearest
    assert all(better.values()), better


def test_a_model_that_was_not_measured_is_not_packed_as_if_it_had_been(measured):
    model = realise(golf(gptq={})).model(24)
    with pytest.raises(ArtifactError, match="gptq has no second moments of this model's inputs"):
        pack(model, golf(gptq={}))


def test_only_the_last_batches_are_measured_and_only_final_weights():
    """Averaging settles the weights first, though its hook comes last in a step."""
    config = golf(gptq={"batches": 2}).replaced("averaging", [full_pick("averaging", "ema", {})])
    stack = realise(config)
    model = stack.model(24)
    params = Params(model)
    initialise(params, stack.init, seed=1)
    optimizer = stack.optimizer_of(params)
    tokens = torch.randint(1024, (6, 2, 25), generator=torch.Generator().manual_seed(3))
    train(
        model,
        optimizer,
        stack.schedule.lr_scale,
        stack.hooks(params, optimizer),
        lambda step, n_steps: (tokens[step, :, :-1], tokens[step, :, 1:]),
        torch.Generator(),
        6,
        lambda: 1.0,
        10,
        lambda p: None,
    )
    again = second_moments(model, [tokens[4, :, :-1], tokens[5, :, :-1]])
    assert all(torch.equal(model.moments[name], found) for name, found in again.items())
    assert model.training


class Idle(Hook):
    def __init__(self, held_back):
        self.steps_held_back = held_back


def test_calibration_is_training_time_and_the_clock_holds_it_back(monkeypatch):
    class Clock:
        now = 0.0

        def perf_counter(self):
            self.now += 0.25
            return self.now

    def steps(hooks):
        monkeypatch.setattr("bench.training.time", Clock())
        model = nn.Linear(2, 2)
        expected = []

        class Guess(nn.Module):
            def forward(self, x_BT, progress):
                return model(torch.ones(1, 3, 2))

        def scale(step, n_steps):
            expected.append(n_steps)
            return 1.0

        tokens_BT = torch.ones(1, 3, dtype=torch.long)
        ended = train(
            Guess(),
            torch.optim.SGD(model.parameters(), lr=0.1),
            scale,
            hooks,
            lambda step, n_steps: (tokens_BT, tokens_BT),
            torch.Generator(),
            100,
            lambda: 1.0,
            50,
            lambda point: None,
            5.0,
        )
        return ended.steps, expected[-1], ended.train_seconds

    # a step takes a quarter of a second, and so does the end
    assert steps([]) == (20, 20, 5.25)
    assert steps([Idle(3)]) == (17, 17, 4.5)
    assert steps([Idle(3), Idle(4)]) == (13, 13, 3.5)
    assert Gptq(batches=5).hook(SdClip()).steps_held_back == 5


def test_its_forward_passes_count():
    plain, config = golf(), golf(gptq={"batches": 4})
    extra = estimate(config).train_flops - estimate(plain).train_flops
    stack = realise(plain)
    assert extra == 4 * 2 * 24 * forward_flops(stack, 24, stack.order(1.0))
    # no more batches than there were
    assert Gptq(batches=16).calibration_batches(6) == 6


def test_a_run_with_it_ships_what_it_scored(token_corpus, small_golf):
    config = golf(gptq={"batches": 2})
    first, second = (run(config, 1001, token_corpus, small_golf, lambda point: None) for _ in range(2))
    assert first.artifact == second.artifact
    assert first.result.quant_gap != 0
