"""The one-file script against the run it is made of: same losses, same score, same bytes, for every technique."""

import dataclasses

import pytest
import torch
from bundled import GOLF_ENTRY, loaded, repeat

import bench.training
from autoresearch.submission.bundle import bundle
from autoresearch.submission.recipe import Recorded, script
from bench.catalog import CATALOG, HOSTS, full_pick, refusals, technique
from bench.config import Budget
from bench.divisions import baseline
from bench.golf_recipes import recipe_of
from bench.run import run
from bench.techniques.evaluator import lora
from bench.tracks import GOLF_CPU

SMALL = {"eval_bytes": 600, "rung_eval_bytes": 300, "probe_bytes": 200, "probe_every": 2}
SHAPE = {"n_layer": 3, "n_head": 4, "head_width": 16}


def mixed(number):
    """A recipe with the numbered technique of every slot, as far as they go together."""
    config = baseline(Budget(steps=2, batch=2, seq_len=24), GOLF_CPU.name)
    config = config.replaced("shape", [full_pick("shape", "sized", SHAPE)])
    for slot in HOSTS:
        config = config.replaced(slot, [])
    for slot, techniques in CATALOG.items():
        points = technique(HOSTS[slot], config.pick(HOSTS[slot]).name).points if slot in HOSTS else ()
        fitting = [t for t in techniques if slot not in HOSTS or t.point in points]
        first = number % len(fitting) if fitting else 0
        # of modifiers, as many as go together; there are more of them than hosts that take them
        for chosen in (*fitting[first:], *fitting[:first])[: len(fitting) if slot in HOSTS else 1]:
            picks = [*(config.picks[slot] if slot in HOSTS else ()), full_pick(slot, chosen.name, {})]
            if slot != "shape" and not refusals(changed := config.replaced(slot, picks)):
                config = changed
    return config


MOST = max(map(len, CATALOG.values()))
TRAINED = min(MOST, 10)


def test_the_mixed_recipes_hold_every_technique():
    held = {(slot, pick.name) for n in range(MOST) for slot, picks in mixed(n).picks.items() for pick in picks}
    missing = {(slot, t.name) for slot, ts in CATALOG.items() for t in ts} - held
    # of modifiers, some refuse one another wherever they meet
    assert {slot for slot, _ in missing} <= {"shape", *HOSTS}, missing
    assert len(missing) <= 4, missing


# Beyond the recipes that are trained, only number formats are new, and those act when a model is packed.
UNTRAINED = [known for known in CATALOG["precision"] if known.name not in {
    mixed(number).pick("precision").name for number in range(TRAINED)
}]  # fmt: skip
PACKED = '''"""What packing asks of a number format."""
from bench.layers import Role
{imports}

KINDS = ({names},)


def packed(kind, knobs, weight, role_name):
    chosen, shape, role = kind(**knobs), tuple(weight.shape), Role(role_name)
    raw = chosen.encode(weight, role)
    return raw, chosen.encoded_bytes(shape, role), chosen.decode(raw, shape, role), chosen.cast(role)(weight)


def main():
    return KINDS, packed
'''


def test_number_formats_pack_in_a_script_as_they_do_in_a_run():
    names = [f"{kind.__name__}_{number}" for number, kind in enumerate(UNTRAINED)]
    imports = [f"from {k.__module__} import {k.__name__} as {n}" for k, n in zip(UNTRAINED, names, strict=True)]
    text = PACKED.format(imports="\n".join(imports), names=", ".join(names))
    kinds, packed = loaded(bundle({"formats": text}, ("formats", "main"), {})).main()
    ours, packed_by_us = loaded(text).main()
    noise = torch.Generator().manual_seed(5)
    weights = [(torch.randn(shape, generator=noise), role) for shape, role in (
        ((48, 64), "matrix"), ((64, 192), "output"), ((1_030, 64), "embedding"), ((64,), "vector"),
    )]  # fmt: skip
    for ours_kind, kind in zip(ours, kinds, strict=True):
        knobs = full_pick("precision", ours_kind.name, {}).shown
        for weight, role in weights:
            raw, n_bytes, *tensors = packed(kind, knobs, weight, role)
            raw_by_us, n_bytes_by_us, *tensors_by_us = packed_by_us(ours_kind, knobs, weight, role)
            assert raw == raw_by_us
            assert n_bytes == n_bytes_by_us == len(raw)
            assert all(torch.equal(one, other) for one, other in zip(tensors, tensors_by_us, strict=True))


SLOW = {"chunk": 8, "lr": 1e-5}
# What learns, what learns less or nothing, and constants that make chunks of this little text.
LEARNING = {
    "score_first_sgd": ({"chunk": 256, "stride": 12, "lr": 0.05}, ("sliding", {"stride": 12}), {}),
    "test_time_lora": (
        {"chunk": 8, "lr": 0.002, "phases": 1, "documents": 4}, ("test_time_lora", SLOW),
        {"PHASE_CHUNK": 64, "PHASE_LR": 0.05},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEARNING)
def test_a_script_learns_at_evaluation_as_its_run_did(name, token_corpus, monkeypatch):
    """The other recipes are scored on less than a chunk."""
    knobs, less, constants = LEARNING[name]
    scored, small = [], dataclasses.replace(GOLF_CPU, **SMALL)
    for pick in ((name, knobs), less):
        asked = mixed(0).replaced("evaluator", [full_pick("evaluator", *pick)])
        alone = loaded(script(Recorded(asked, 5, 1), GOLF_ENTRY))
        for constant, value in constants.items():
            monkeypatch.setattr(alone, constant, value)
            monkeypatch.setattr(lora, constant, value)
        read = alone.golf_corpus(token_corpus.folder, token_corpus.folder / "tokenizer.model")
        repeated = alone.run(alone.CONFIG, 5, read, dataclasses.replace(alone.TRACK, **SMALL), lambda point: None)
        scored.append(run(asked, 5, token_corpus, small, lambda point: None).result.val_loss)
        assert repeated.result.val_loss == scored[-1]
    assert scored[0] < scored[1]


def published(pull):
    """A stack of the contest in miniature; 0 is its baseline."""
    config = recipe_of(pull).config(GOLF_CPU)
    config = config.replaced("shape", [full_pick("shape", "sized", SHAPE)])
    return dataclasses.replace(config, budget=Budget(steps=2, batch=2, seq_len=24))


def of_april():
    """What the mixed recipes have no place for, or not where it acts: the open gate at int8, bits by layer, a taper."""
    config = published(1667)
    for slot, name, knobs in (
        ("optimizer_modifiers", "wd_taper", {"start": 0.0, "floor": 0.0}),
        ("precision_modifiers", "layer_bits", {"bits": 4, "outer": 1}),
        ("precision_modifiers", "int8_gates", {}),
    ):
        config = config.replaced(slot, [*config.picks[slot], full_pick(slot, name, knobs)])
    return config


TRAINED_RECIPES = {
    "1667 and more": of_april,
    **{str(pull): lambda pull=pull: published(pull) for pull in (0, 315, 1529, 1626)}, **{
        f"mixed {number}": lambda number=number: mixed(number) for number in range(TRAINED)
    },
}  # fmt: skip


@pytest.mark.parametrize("recipe", TRAINED_RECIPES)
def test_a_script_gives_the_losses_the_score_and_the_bytes_of_its_run(recipe, token_corpus, monkeypatch, tmp_path):
    config, points = TRAINED_RECIPES[recipe](), []
    (tmp_path / "train_gpt.py").write_text(script(Recorded(config, 5, 1), GOLF_ENTRY))
    alone = loaded((tmp_path / "train_gpt.py").read_text(), str(tmp_path / "train_gpt.py"))
    for training in (bench.training, alone):
        monkeypatch.setattr(training, "POINT_EVERY", 1)
    monkeypatch.setattr(alone, "TRACK", dataclasses.replace(alone.TRACK, **SMALL))
    recorded = run(config, 5, token_corpus, dataclasses.replace(GOLF_CPU, **SMALL), points.append)
    repeated = repeat(alone, token_corpus, monkeypatch, tmp_path)
    assert repeated.artifact == recorded.artifact
    for name in ("val_loss", "quant_gap", "weights_bytes", "artifact_sha256", "steps"):
        assert getattr(repeated.result, name) == getattr(recorded.result, name), name
    losses, losses_again = ([(p.step, p.train_loss, p.probe_loss) for p in side] for side in (points, repeated.points))
    assert len(losses) == 2
    assert losses_again == losses
