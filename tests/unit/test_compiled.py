"""What sets in late in training is really on under torch.compile: in several records it had been compiled away."""

import pytest
import torch

from bench.catalog import full_pick, realise
from bench.config import Budget
from bench.divisions import baseline
from bench.layers import Params
from bench.ranks import compiled
from bench.run import initialise
from bench.training import Moment

TOKENS_BT = torch.randint(1024, (2, 9), generator=torch.Generator().manual_seed(1))


@pytest.fixture(autouse=True)
def fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def config_with(*late):
    config = baseline(Budget(steps=8, batch=2, seq_len=8), "golf-cpu")
    config = config.replaced("shape", [full_pick("shape", "sized", {"n_layer": 1, "n_head": 4, "head_width": 16})])
    for slot, name, knobs in late:
        config = config.replaced(slot, [full_pick(slot, name, knobs)])
    return config


ROUNDING = config_with(("precision", "int6_ste", {}), ("precision_modifiers", "late_rounding", {"start": 0.5}))
LANES = config_with(
    ("shape", "sized", {"n_layer": 2, "n_head": 4, "head_width": 16}),
    ("features", "smear_gate", {}),
    ("residual", "coupled_lanes", {"layers": 1}),
    ("mixer_modifiers", "document_mask", {}),
    ("addons", "depth_recurrence", {"blocks": 1, "again": 1, "start": 0.5}),
)
LOOPING = config_with(("addons", "depth_recurrence", {"blocks": 1, "again": 1, "start": 0.5}))


def changes(config, compiling):
    """How far the logits move where it sets in; the compiled model answers as the one that is written, all along."""
    stack = realise(config)
    model = stack.model(8)
    params = Params(model)
    initialise(params, stack.init, 1)
    with torch.no_grad():
        for p in params.tensors:
            p.add_(torch.randn(p.shape, generator=torch.Generator().manual_seed(2)), alpha=0.1)
    forward = compiling(model)
    hooks = stack.hooks(params, stack.optimizer_of(params))
    found = []
    for step in range(8):
        moment = Moment(step, 8, model, TOKENS_BT[:, :-1], TOKENS_BT[:, 1:], torch.Generator())
        for hook in hooks:
            hook.before_gradients(moment)
        logits_BTV = forward(moment.x_BT, moment.progress)
        torch.testing.assert_close(logits_BTV, model(moment.x_BT, moment.progress), rtol=1e-4, atol=1e-4)
        found.append(logits_BTV.detach())
    assert torch.equal(found[0], found[3])
    assert torch.equal(found[4], found[7])
    return (found[4] - found[3]).abs().max().item()


@pytest.mark.parametrize(
    ("config", "least"),
    [(ROUNDING, 1e-3), (LOOPING, 1e-2), (LANES, 1e-2)],
    ids=["rounding", "looping", "lanes"],
)
def test_the_compiled_step_changes_when_it_sets_in(config, least):
    made = []

    def counting(graph, inputs):
        made.append(graph)
        return graph

    assert changes(config, lambda model: torch.compile(model, backend=counting, fullgraph=True)) > least
    # before it at a first and at any share of training, and after: a number that differs each step makes no program
    assert len(made) <= 3


@pytest.mark.slow
def test_code_made_by_inductor_rounds_to_the_bit_that_is_packed():
    from torch._inductor.exc import InductorError

    try:
        assert changes(ROUNDING, compiled) > 1e-3
    except (InductorError, torch._dynamo.exc.BackendCompilerFailed) as failed:
        pytest.skip(f"inductor can't compile here: {failed}")
