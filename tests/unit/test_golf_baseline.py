"""Golf's naive baseline, part by part against float64 references written from techniques.md 1, and once end to end.

Shapes: B batch, T time, V vocabulary.
"""

import dataclasses
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from golf_reference import reference

import bench.training
from autoresearch.space import Space
from bench.batches import batches, generator
from bench.catalog import full_pick, realise
from bench.config import Budget
from bench.data.segmenting import Segmenter
from bench.data.vocabulary import read_vocabulary
from bench.divisions import GOLF_BASE, GOLF_CPU_BASE, GOLF_CPU_OPEN, GOLF_OPEN, OPEN, baseline, differences
from bench.errors import BreachError
from bench.estimate import estimate
from bench.layers import Params
from bench.records import Point
from bench.run import fits, initialise, run, warm_up
from bench.skeleton import Context, Site
from bench.techniques.features.smear_gate import SmearGate
from bench.techniques.optimizer_modifiers.momentum_warmup import MomentumWarmup
from bench.techniques.precision.int8_clipped import Int8Clipped, Role, fitted
from bench.techniques.schedule.warmdown import Warmdown
from bench.tracks import GOLF, GOLF_CPU, Boundary
from bench.training import Work, mean_nats, steps_in_all, train
from studies.definitions import StudySpec

SMALL = {"n_layer": 5, "n_head": 4, "head_width": 16}


def small(budget=Budget(steps=4, batch=2, seq_len=24), **shape):  # noqa: B008 - frozen
    config = baseline(budget, GOLF_CPU.name)
    return config.replaced("shape", [full_pick("shape", "sized", SMALL | shape)])


def test_the_baseline_has_the_published_number_of_parameters():
    with torch.device("meta"):
        counted = Params(realise(GOLF_BASE).model(1024)).count
    assert counted == estimate(GOLF_BASE).parameters == 17_059_912


def test_a_step_of_the_baseline_is_the_published_batch():
    assert GOLF_BASE.budget.batch * GOLF_BASE.budget.seq_len == 524_288


def test_the_baselines_stand_in_their_own_divisions_alone():
    assert GOLF_OPEN.breaches(GOLF_BASE) == GOLF_CPU_OPEN.breaches(GOLF_CPU_BASE) == []
    assert "shape is sized(n_layer=9 n_head=8 head_width=64), but open fixes it at fixed" in OPEN.breaches(GOLF_BASE)
    assert "optimizer is muon_split, which the golf track alone has" in OPEN.breaches(GOLF_BASE)


def test_a_study_of_golf_begins_with_the_baseline_and_takes_each_technique_from_there():
    spec = StudySpec(
        name="g",
        track_name=GOLF_CPU.name,
        division_name="open",
        n_trials=3,
        budget=GOLF_CPU.budget,
        corpus_name="c",
        corpus_digest="d",
    )
    space = Space(spec)
    first, *others = space.openings()
    assert space.recall(first.params)[0] == GOLF_CPU_BASE
    assert {"qk_gain", "unet_skips"} <= {name for name, value in first.params.items() if value is True}
    assert len(others) > 40
    leaky = next(opening for opening in others if opening.reason.startswith("leaky_relu2 "))
    assert [slot for slot, _ in differences(space.recall(leaky.params)[0])] == ["ffn"]


def test_the_first_loss_is_nearly_that_of_guessing():
    """With random targets; zero outputs make it the same for any depth. Its own logit is 2.6, the others' near 0."""
    stack = realise(GOLF_BASE.replaced("shape", [full_pick("shape", "sized", {"n_layer": 1})]))
    model = stack.model(256)
    initialise(Params(model), stack.init, 1337)
    tokens_BT = torch.randint(1024, (2, 257), generator=generator(0, "test"))
    with torch.no_grad():
        loss = mean_nats(model(tokens_BT[:, :-1]), tokens_BT[:, 1:]).item()
    assert loss == pytest.approx(math.log(1023 * math.exp(0.0064) + math.exp(2.56)), abs=0.02)


@pytest.mark.realdata
def test_the_first_loss_is_the_published_one():
    """Logs of the official script show 6.9357 to 6.9370; web text repeats tokens, which a tied embedding guesses."""
    folder = os.environ.get("ARENA_REALDATA")
    if not folder:
        pytest.skip("needs the real samples under $ARENA_REALDATA")
    vocabulary = read_vocabulary((Path(folder) / "fineweb_1024_bpe.model").read_bytes(), "official")
    text = (Path(folder) / "fineweb_edu_sample_1MB.txt").read_text(encoding="utf-8")[:60_000]
    tokens = torch.from_numpy(Segmenter(vocabulary).encode(text).astype(np.int64))[: 16 * 1024 + 1]
    stack = realise(GOLF_BASE.replaced("shape", [full_pick("shape", "sized", {"n_layer": 1})]))
    model = stack.model(1024)
    initialise(Params(model), stack.init, 1337)
    with torch.no_grad():
        loss = mean_nats(model(tokens[:-1].view(-1, 1024)), tokens[1:].view(-1, 1024)).item()
    assert loss == pytest.approx(6.936, abs=0.006)


def test_the_model_is_the_one_described():
    model = realise(small()).model(24).double()
    noise = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=noise, dtype=torch.float64), alpha=0.2)
    tokens_T = torch.randint(1024, (13,), generator=noise)
    with torch.no_grad():
        found_TV = model(tokens_T.unsqueeze(0))[0]
        torch.testing.assert_close(found_TV, reference(model, tokens_T), rtol=1e-6, atol=1e-6)


def orthogonal(u):
    """techniques.md 5.1, in float64."""
    x = u / (torch.linalg.norm(u) + 1e-7)
    tall = x.size(0) > x.size(1)
    x = x.T if tall else x
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if tall else x


def test_every_tensor_moves_by_its_own_rule_and_rate():
    config = small().replaced("optimizer_modifiers", [full_pick("optimizer_modifiers", "momentum_warmup", {})])
    stack = realise(config)
    model = stack.model(24).double()
    params = Params(model)
    noise = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for p in params.tensors:
            p.add_(torch.randn(p.shape, generator=noise, dtype=torch.float64), alpha=0.1)
    optimizer = stack.optimizer_of(params)
    mine = {p.name: p.tensor.detach().clone() for p in params.all}
    state = {p.name: (torch.zeros_like(p.tensor), torch.zeros_like(p.tensor)) for p in params.all}
    for step in range(3):
        for p in params.all:
            p.tensor.grad = g = torch.randn(p.tensor.shape, generator=noise, dtype=torch.float64)
            w, (m, v) = mine[p.name], state[p.name]
            if p.role in (Role.MATRIX, Role.OUTPUT):
                decay = 0.85 + 0.10 * step / 500
                m.mul_(decay).add_(g)
                w -= 0.04 * math.sqrt(max(1, w.size(0) / w.size(1))) * orthogonal(g + decay * m)
            else:
                lr = 0.05 if p.role is Role.EMBEDDING else 0.04
                m.mul_(0.9).add_(0.1 * g)
                v.mul_(0.95).add_(0.05 * g * g)
                w -= lr * (m / (1 - 0.9 ** (step + 1))) / ((v / (1 - 0.95 ** (step + 1))).sqrt() + 1e-8)
        optimizer.step()
    for p in params.all:
        torch.testing.assert_close(p.tensor.detach(), mine[p.name], rtol=1e-6, atol=1e-8, msg=p.name)


def test_momentum_rises_in_a_straight_line_and_stays():
    warm = MomentumWarmup(start=0.85, steps=500)
    assert [warm.momentum(step, 0.95) for step in (0, 250, 500, 9_000)] == pytest.approx([0.85, 0.90, 0.95, 0.95])


def test_the_warmdown_counts_steps_when_the_budget_does():
    assert [Warmdown(steps=4).lr_scale(step, 10) for step in range(10)] == [1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


@pytest.mark.parametrize(("step", "elapsed"), [(1, 0.05), (400, 17.4), (12_700, 552.5), (13_000, 590.0), (3, 100.0)])
def test_the_warmdown_follows_the_clock_when_the_budget_is_time(step, elapsed):
    """The formula of techniques.md 1.3."""
    left, needed = 600 - elapsed, 1200 * elapsed / step
    n_steps = steps_in_all(step, 10**9, elapsed, 600.0)
    assert Warmdown(steps=1200).lr_scale(step, n_steps) == pytest.approx(min(1.0, left / needed))


def test_before_the_first_step_the_clock_says_nothing():
    assert steps_in_all(0, 20_000, 0.0, 600.0) == 20_000
    assert steps_in_all(7, 20_000, 3.0, math.inf) == 20_000


class Clock:
    """A quarter of a second passes between a step's start and its end; probes take no time."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        self.now += 0.25
        return self.now


@pytest.fixture
def timed(monkeypatch):
    """A loop over a model of one number, on that clock."""

    def go(seconds, n_steps=100):
        monkeypatch.setattr(bench.training, "time", Clock())
        model = torch.nn.Embedding(5, 5)
        points: list[Point] = []
        scales: list[float] = []

        def lr_scale(step, expected):
            scales.append(expected)
            return 1.0

        tokens_BT = torch.ones(1, 3, dtype=torch.long)
        ended = train(
            Guess(model),
            torch.optim.SGD(model.parameters(), lr=0.1),
            lr_scale,
            [],
            lambda step, n_steps: (tokens_BT, tokens_BT),
            torch.Generator(),
            n_steps,
            lambda: 1.0,
            50,
            points.append,
            seconds,
        )
        return ended, points, scales

    return go


class Guess(torch.nn.Module):
    def __init__(self, table) -> None:
        super().__init__()
        self.table = table

    def forward(self, tokens_BT, progress):
        return self.table(tokens_BT)


def test_a_budget_in_seconds_ends_with_the_step_that_crosses_it(timed):
    ended, points, expected = timed(1.6)
    # what is done at the end counts too
    assert (ended.steps, ended.train_seconds) == (7, 1.75 + 0.25)
    assert (points[-1].step, points[-1].probe_loss) == (7, 1.0)
    assert expected == pytest.approx([100, *([1.6 / 0.25] * 6)])


def test_a_budget_in_steps_never_looks_at_the_clock(timed):
    ended, _, expected = timed(math.inf, 12)
    assert (ended.steps, set(expected)) == (12, {12})


def test_the_warm_up_leaves_no_trace(token_corpus):
    config = small()
    stack = realise(config)
    model = stack.model(24)
    params = Params(model)
    initialise(params, stack.init, 1001)
    before = [p.detach().clone() for p in params.tensors]
    warm_up(stack, model, batches(token_corpus, config.budget, stack.plan, 1001), Work(model))
    assert all(torch.equal(p, start) for p, start in zip(params.tensors, before, strict=True))
    assert all(p.grad is None for p in params.tensors)


def test_int8_is_fitted_as_described():
    """techniques.md 1.9, row by row in float64."""
    weight = torch.randn(40, 2_000, generator=torch.Generator().manual_seed(3)) * torch.logspace(-3, 2, 40).unsqueeze(1)
    codes_RC, scales_R = fitted(weight)
    for row, codes, stored in zip(weight.double().numpy(), codes_RC.numpy(), scales_R.numpy(), strict=True):
        clip = np.quantile(np.abs(row), 0.9999984)
        scale = max(clip / 127, 1 / 127)
        assert stored == np.float32(np.float16(scale)) or abs(stored - scale) <= 2 * np.spacing(np.float16(scale))
        expected = np.clip(np.round(np.clip(row, -clip, clip) / scale), -127, 127)
        # a number that lies between two codes may round either way in single precision
        assert (np.abs(expected - codes) <= 1).all()
        assert (expected != codes).mean() < 0.002


@pytest.mark.parametrize(
    ("shape", "role", "size"),
    [
        ((512, 512), Role.MATRIX, 2 * 512 + 512 * 512),
        ((256, 256), Role.MATRIX, 2 * 65_536),
        ((1024, 512), Role.EMBEDDING, 2 * 1024 + 1024 * 512),
        ((512,), Role.VECTOR, 4 * 512),
    ],
)
def test_large_tensors_are_codes_small_ones_halves_and_vectors_whole(shape, role, size):
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    packed = Int8Clipped().encode(weight, role)
    assert len(packed) == size == Int8Clipped().encoded_bytes(shape, role)
    error = (Int8Clipped().decode(packed, shape, role) - weight).abs().max().item()
    assert (error == 0) is (role is Role.VECTOR)
    assert error < 0.03


def test_documents_start_at_their_boundary():
    starts = Context(torch.tensor([[7, 1, 8, 9, 1, 1]]), 1.0, Boundary(1, begins=True)).starts_BT
    assert starts[0].tolist() == [True, True, False, False, True, True]


def test_smear_gate_blends_nothing_over_a_documents_start():
    x_BTD = torch.arange(6.0).view(1, 6, 1)
    smear = SmearGate(start=0.0).build(Site(1, 1, 0, 1, 6, 1024))
    context = Context(torch.tensor([[7, 1, 8, 9, 1, 1]]), 1.0, Boundary(1, begins=True))
    assert smear(x_BTD, context).flatten().tolist() == [0, 1, 1.5, 2.5, 4, 5]


def test_an_artifact_over_the_cap_is_refused():
    fits(15_870_000, GOLF)
    with pytest.raises(BreachError, match="15,870,001 bytes of weights and 130,000 for code are over golf's"):
        fits(15_870_001, GOLF)


def test_batches_read_the_shards_in_order_whatever_the_seed(token_corpus):
    budget = Budget(steps=3, batch=2, seq_len=8)
    text = token_corpus.train.span(0, 60)
    for seed in (1, 2):
        draw = batches(token_corpus, budget, lambda step, n_steps, whole: (2, 8), seed)
        x_BT, y_BT = draw(1, 3)
        assert x_BT.flatten().tolist() == text[17:33].tolist()
        assert y_BT.flatten().tolist() == text[18:34].tolist()


def test_a_run_trains_packs_and_scores_bits_per_byte_on_what_it_packed(token_corpus):
    track = dataclasses.replace(GOLF_CPU, eval_bytes=2_000, rung_eval_bytes=500, probe_bytes=300, probe_every=10)
    config = small(Budget(steps=20, batch=4, seq_len=32), n_layer=3)
    points: list[Point] = []
    finished = run(config, 1001, token_corpus, track, points.append)
    again = run(config, 1001, token_corpus, track, lambda point: None)
    assert again.artifact == finished.artifact
    result = finished.result
    per_byte = token_corpus.tokens_per_byte(2_000)
    assert result.val_loss < 0.8 * math.log(1024) * per_byte
    assert result.val_bpb == pytest.approx(result.val_loss / math.log(2))
    assert result.quant_gap != 0
    # the same sum token by token, from the file, over the text that the tokens decode to
    from bench.artifact import unpack

    shipped = unpack(finished.artifact, config)
    nats = 0.0
    with torch.no_grad():
        for start in range(0, 1_999, 32):
            row = torch.from_numpy(token_corpus.valid[start : min(start + 33, 2_000)].astype(np.int64))
            told = shipped(row[:-1].unsqueeze(0))[0].double().log_softmax(-1)
            nats -= told.gather(1, row[1:, None]).sum().item()
    n_bytes = len(token_corpus.vocabulary.decode(token_corpus.valid[1:2_000].tolist()))
    assert result.val_loss == pytest.approx(nats / n_bytes, rel=1e-5)
