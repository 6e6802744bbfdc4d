"""The one-file script against the run it is made of: same losses, same score, same bytes, for every technique."""

import ast
import dataclasses

import pytest
import torch
from brought_files import GOOD
from bundled import loaded, repeat
from tiny_vocabulary import TRAIN, VALID
from tiny_vocabulary import model as tiny_model

import bench.training
from autoresearch.submission.bundle import bundle
from autoresearch.submission.plainer import plainer
from autoresearch.submission.recipe import Recorded, script
from autoresearch.submission.scopes import free_names
from autoresearch.submission.sources import BundleError
from bench.brought import declared
from bench.catalog import CATALOG, HOSTS, full_pick, refusals, technique
from bench.config import Budget
from bench.data.tokens import build
from bench.divisions import GOLF_CPU_BASE, baseline
from bench.golf_recipes import recipe_of
from bench.run import run
from bench.tracks import GOLF_CPU

ENTRY = ("autoresearch.submission.golf_script", "train_gpt")
FEATHERWEIGHT_ENTRY = ("autoresearch.submission.featherweight_script", "train_fighter")
SMALL = {"eval_bytes": 600, "rung_eval_bytes": 300, "probe_bytes": 200, "probe_every": 2}
SHAPE = {"n_layer": 3, "n_head": 4, "head_width": 16}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return build("text:tiny", (TRAIN, VALID), tiny_model(), tmp_path_factory.mktemp("golf") / "tiny", lambda line: None)


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


def test_a_script_learns_at_evaluation_as_its_run_did(corpus):
    """The other recipes are scored on less than a chunk."""
    adapting = full_pick("evaluator", "score_first_sgd", {"chunk": 256, "stride": 12, "lr": 0.05})
    config = mixed(0).replaced("evaluator", [adapting])
    scored, small = [], dataclasses.replace(GOLF_CPU, **SMALL)
    for asked in (config, config.replaced("evaluator", [full_pick("evaluator", "sliding", {"stride": 12})])):
        alone = loaded(script(Recorded(asked, 5, 1), ENTRY))
        read = alone.golf_corpus(corpus.folder, corpus.folder / "tokenizer.model")
        repeated = alone.run(alone.CONFIG, 5, read, dataclasses.replace(alone.TRACK, **SMALL), lambda point: None)
        scored.append(run(asked, 5, corpus, small, lambda point: None).result.val_loss)
        assert repeated.result.val_loss == scored[-1]
    assert scored[0] < scored[1]


def published(pull):
    """A stack of the contest in miniature; 0 is its baseline."""
    config = recipe_of(pull).config(GOLF_CPU)
    config = config.replaced("shape", [full_pick("shape", "sized", SHAPE)])
    return dataclasses.replace(config, budget=Budget(steps=2, batch=2, seq_len=24))


TRAINED_RECIPES = {
    **{str(pull): lambda pull=pull: published(pull) for pull in (0, 315, 1529)}, **{
        f"mixed {number}": lambda number=number: mixed(number) for number in range(TRAINED)
    },
}  # fmt: skip


@pytest.mark.parametrize("recipe", TRAINED_RECIPES)
def test_a_script_gives_the_losses_the_score_and_the_bytes_of_its_run(recipe, corpus, monkeypatch, tmp_path):
    config, points = TRAINED_RECIPES[recipe](), []
    (tmp_path / "train_gpt.py").write_text(script(Recorded(config, 5, 1), ENTRY))
    alone = loaded((tmp_path / "train_gpt.py").read_text(), str(tmp_path / "train_gpt.py"))
    for training in (bench.training, alone):
        monkeypatch.setattr(training, "POINT_EVERY", 1)
    monkeypatch.setattr(alone, "TRACK", dataclasses.replace(alone.TRACK, **SMALL))
    recorded = run(config, 5, corpus, dataclasses.replace(GOLF_CPU, **SMALL), points.append)
    repeated = repeat(alone, corpus, monkeypatch, tmp_path)
    assert repeated.artifact == recorded.artifact
    for name in ("val_loss", "quant_gap", "weights_bytes", "artifact_sha256", "steps"):
        assert getattr(repeated.result, name) == getattr(recorded.result, name), name
    losses, losses_again = ([(p.step, p.train_loss, p.probe_loss) for p in side] for side in (points, repeated.points))
    assert len(losses) == 2
    assert losses_again == losses


def test_a_script_is_the_same_text_every_time_and_names_none_of_our_packages_to_import():
    text = script(Recorded(GOLF_CPU_BASE, 1337, 1), ENTRY)
    assert text == script(Recorded(GOLF_CPU_BASE, 1337, 1), ENTRY)
    assert not [line for line in text.split("\n") if line.split()[:1] in (["import"], ["from"]) and "bench" in line]
    assert "torch.set_num_threads(threads)" in text
    assert "n_layer: int  # blocks\n" in text


def test_a_script_holds_no_technique_that_its_recipe_does_not_use():
    text = script(Recorded(GOLF_CPU_BASE, 1337, 1), ENTRY)
    for unused in ("class Mamba", "class Ema", "class AdamMini", "class Zstd", "def flops", "class Span", "CATALOG"):
        assert unused not in text, unused


def brought(text):
    config = baseline(Budget(steps=2, batch=2, seq_len=16))
    return config.replaced("mixer", [full_pick("mixer", "brought", dict(declared(text).carried))])


def test_a_mixer_of_ones_own_is_part_of_the_script_under_its_own_name():
    text = script(Recorded(brought(GOOD), 5, 1, ("digest",)), FEATHERWEIGHT_ENTRY)
    alone = loaded(text)
    assert "class RecentMeanMixer(nn.Module)" in text
    assert "mixer=RecentMean(window=4)" in text
    assert "window: int  # bytes that are averaged" in text
    assert alone.STACK.mixer.window == 4


def test_a_mixer_that_is_no_list_of_definitions_can_be_no_part_of_one():
    with pytest.raises(BundleError, match="Try at the top of a module"):
        script(Recorded(brought(GOOD + "\ntry:\n    pass\nfinally:\n    pass\n"), 5, 1, ("d",)), FEATHERWEIGHT_ENTRY)


# code made for the purpose

FIRST = '''"""First."""
from second import size as width, Shape as Form
import math

SIZE = 3  # of the first

class Local(Form):
    """Two."""
    kept = 1
    dropped = 2

    def area(self, n=SIZE):
        values = [n * n for n in (n, width(SIZE))]
        return math.fsum(values) + self.kept + len(f"{SIZE}")

    def never(self):
        return missing

def main():
    return Local().area()
'''
SECOND = '''"""Second."""
SIZE = 4

class Shape:
    def area(self):
        raise NotImplementedError

def size(SIZE_: "Unknown") -> "Unknown":
    def inner(size):
        return size + SIZE
    return inner(SIZE_)
'''


def test_names_that_meet_are_told_apart_and_scopes_are_kept():
    text = bundle({"first": FIRST, "second": SECOND}, ("first", "main"), {})
    module = loaded(text)
    assert module.main() == 3 * 3 + 7 * 7 + 1 + 1
    assert "FIRST_SIZE = 3  # of the first" in text
    assert "dropped" not in text
    assert "missing" not in text


WORDY = '''"""Wordy."""
class Kept:
    """By A et al. 2023. The rest goes."""
    slot: ClassVar[str] = "x"
    field: int = 3

    def read(self, raw: bytes, most: int = 4) -> int:
        """Goes.

        Wholly.
        """
        size: int = len(raw)
        if size > most:
            raise ArtifactError("too long", "h")
        if size > 9:
            raise ValueError(size)
        limit = 2 * most
        if raw[0] > limit:
            raise ArtifactError("too large", "h")
        try:
            return raw[0]
        except IndexError as wrong:
            raise ArtifactError("empty", "h") from wrong

    def empty(self) -> None:
        """All there is."""
'''
PLAIN = '''"""Wordy."""
class Kept:
    """By A et al. 2023."""
    slot = "x"
    field: int = 3

    def read(self, raw, most=4):
        size = len(raw)
        if size > 9:
            raise ValueError(size)
        return raw[0]

    def empty(self):
        """All there is."""
'''


def test_a_script_reads_plainer_than_our_modules_and_does_not_check_its_own_artifacts():
    assert plainer(WORDY) == PLAIN
    text = script(Recorded(GOLF_CPU_BASE, 1337, 1), ENTRY)
    assert "ArtifactError" not in text
    assert "DataError" in text


def test_another_definition_may_stand_in():
    text = bundle({"first": FIRST, "second": SECOND, "third": "def other(n):\n    return n\n"},
                  ("first", "main"), {("second", "size"): ("third", "other")})  # fmt: skip
    assert loaded(text).main() == 3 * 3 + 3 * 3 + 1 + 1
    assert "def inner" not in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def main():\n    return nowhere\n", "uses what it does not define: nowhere"),
        ("for x in ():\n    pass\ndef main(): ...\n", "For at the top of a module"),
        ("from second import absent\ndef main():\n    return absent\n", "imports absent from second"),
    ],
)
def test_what_cannot_be_taken_out_is_refused(text, said):
    with pytest.raises(BundleError, match=said):
        bundle({"first": text, "second": SECOND}, ("first", "main"), {})


def test_a_name_bound_in_any_way_is_no_name_from_outside():
    text = """
def f(a, *b, c=outer1, **d):
    for e in a: pass
    with a as g: pass
    try: pass
    except outer2 as h: h
    import i.j
    (k := [l for l in a if (m := l)])
    match a:
        case {"x": n, **o}: n, o
        case [p, *q] | outer3(p, q): p, q
    def r(): return k, m, outer4
    lambda s, t=outer5: s + t
    class u(outer6):
        v = 1
        w = v
    return b, c, d, e, g, i, r, u
"""
    (node,) = ast.parse(text).body
    assert {free.node.id for free in free_names(node)} == {f"outer{n}" for n in range(1, 7)}
