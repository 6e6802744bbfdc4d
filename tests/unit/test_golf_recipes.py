"""The contest's stacks as data: whole, sourced, and built where they say they can be."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ledger_rows import SPEC

import arena_tui
from autoresearch.objections import objections
from autoresearch.space import Space
from bench.catalog import CATALOG, advice, full_pick, realise, refusals
from bench.divisions import GOLF_BASE, GOLF_CPU_BASE, division_named
from bench.estimate import estimate
from bench.golf_recipes import GOLF_RECIPES, LACKS, recipe_of
from bench.layers import Params
from bench.tracks import CASEOPS, GOLF, GOLF_CPU, SP4096, SP8192, track_named
from bench.training import Moment, Work, gradients

READY = [recipe for recipe in GOLF_RECIPES if recipe.status == "ready"]
every = pytest.mark.parametrize("recipe", GOLF_RECIPES, ids=lambda r: f"{r.pull}-{r.val_bpb}")


def test_the_baseline_is_a_recipe_of_no_changes():
    assert recipe_of(0).config() == GOLF_BASE


def test_every_row_of_the_leaderboard_is_a_recipe_with_its_claim():
    with (Path(arena_tui.__file__).parent / "parameter_golf.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["track"] == "open"]
    listed = {(int(row["pr"] or 0), round(float(row["val_bpb"]), 3)): row["status"] for row in rows}
    last = {claim for claim, status in listed.items() if status == "official"}
    claims = {(recipe.pull, round(recipe.val_bpb, 3)): recipe for recipe in GOLF_RECIPES}
    assert len(claims) == len(GOLF_RECIPES)
    assert {claim for claim, recipe in claims.items() if recipe.merged} == last
    assert claims.keys() - last <= listed.keys()


@every
def test_what_a_recipe_has_can_be_built_and_entered(recipe):
    # a hundred steps cost as long to estimate as they are many
    config = recipe.config(replace(GOLF, budget=replace(GOLF.budget, steps=100)))
    division = division_named("open", config.track)
    assert (refusals(config), division.breaches(config)) == ([], [])
    assert estimate(config).parameters > 15_000_000
    assert all("Parameter Golf" in text or "arXiv" in text for text in advice(config))


def table(buckets, width):
    """Numbers of a bigram table with its projection, less those of ours, and the scale that theirs had beside it."""
    return width * (buckets + 512) - 64 * (4096 + 512) + 1


def values(vocab):
    """Of value embeddings in two layers: a table, a projection, three scales."""
    return 128 * (vocab + 256) + 3


SKIP = 2 * 512
UNUSED = 8 * 6  # of coupled lanes in the blocks before them
# model_params in the logs of the official repository, less ours, by what the recipe says it differs in.
PUBLISHED = {
    (0, 1.2244): (17_059_912, 0),
    (42, 1.2197): (16_765_000, -9 * 2 * 512 * 32),
    (39, 1.2147): (18_897_488, 0),
    (49, 1.2058): (17_059_912, 0),
    (52, 1.2014): (17_059_912, 0),
    (50, 1.1925): (17_059_912, 0),
    (60, 1.1748): (18_897_488, 0),
    (65, 1.1630): (21_778_504, 0),
    (63, 1.1586): (22_174_288, -10 * 2 * 512 * 192),
    (65, 1.1556): (22_368_840, table(4096, 128) - 1),
    (162, 1.1458): (22_368_841, table(4096, 128)),
    (180, 1.1428): (25_517_137, table(10_240, 128)),
    (287, 1.1271): (26_829_913, table(2048, 128)),
    (315, 1.1248): (26_829_913, table(2048, 128)),
    (414, 1.1228): (26_993_756, table(2048, 128) + values(1024)),
    (549, 1.1194): (26_928_220, table(1536, 128) + values(1024)),
    (1019, 1.1147): (27_067_484, table(3072, 112) + values(1024)),
    (1060, 1.1122): (27_038_812, table(2816, 112) + values(1024)),
    (1218, 1.0979): (34_401_371, values(4096)),
    (1285, 1.0912): (34_401_371, values(4096)),
    (1334, 1.0897): (34_401_372, values(4096)),
    (1394, 1.0856): (35_943_512, 2 * SKIP),
    (1412, 1.0835): (35_943_512, 2 * SKIP),
    (1413, 1.0828): (35_943_512, 2 * SKIP),
    (1477, 1.0822): (35_943_513, 2 * SKIP),
    (1493, 1.0810): (35_944_536, 3 * SKIP),
    (1530, 1.0734): (35_944_602, 3 * SKIP + UNUSED),
    (1610, 1.0728): (35_944_602, 3 * SKIP + UNUSED),
    (1626, 1.0719): (35_944_602, 3 * SKIP + UNUSED),
    (1667, 1.0714): (35_945_671, 3 * SKIP + UNUSED),
    (1729, 1.0678): (35_944_602, 3 * SKIP + UNUSED),
    (1736, 1.0655): (35_989_658, 3 * SKIP + UNUSED),
    (1769, 1.0645): (35_989_658, 3 * SKIP + UNUSED),
    (1787, 1.0634): (35_945_658, 3 * SKIP + UNUSED),
    (1851, 1.0614): (35_945_671, 3 * SKIP + UNUSED),
    (1855, 1.0611): (35_945_671, 3 * SKIP + UNUSED),
}


@pytest.mark.parametrize("claim", PUBLISHED, ids=str)
def test_parameters_are_those_published_but_for_what_the_recipe_says(claim):
    (recipe,) = (r for r in GOLF_RECIPES if (r.pull, r.val_bpb) == claim)
    published, more = PUBLISHED[claim]
    assert estimate(recipe.config(replace(GOLF, budget=replace(GOLF.budget, steps=2)))).parameters == published - more
    assert recipe.differs or not more


def test_larger_vocabularies_are_those_of_april():
    assert {r.pull for r in GOLF_RECIPES if r.tokenizer is SP4096} == {1218, 1285, 1334}
    assert recipe_of(1394).config().track == "golf-sp8192"
    assert all(r.tokenizer is SP8192 for r in GOLF_RECIPES if 1394 <= r.pull < 1729)


def test_capitals_are_apart_from_1729_on():
    assert {r.pull for r in GOLF_RECIPES if r.tokenizer is CASEOPS} == {1729, 1736, 1769, 1787, 1851, 1855}
    assert recipe_of(1855).config().track == "golf-caseops8192"


def test_what_recipes_lack_is_told_with_its_source_and_makes_them_ideas():
    named = {name for recipe in GOLF_RECIPES for name in recipe.lacks}
    assert named == LACKS.keys()
    assert all("Parameter Golf #" in text for text in LACKS.values())
    assert {recipe.status for recipe in GOLF_RECIPES if recipe.lacks} == {"idea"}


def test_no_recipe_lacks_what_the_catalog_has():
    built = {t.name for techniques in CATALOG.values() for t in techniques}
    assert LACKS.keys().isdisjoint(built)


def test_the_page_says_how_many_can_be_run():
    said = f"{len(READY)} of the {len(GOLF_RECIPES)} can be run"
    assert said in (Path(__file__).parents[2] / "docs" / "golf.md").read_text()


def test_the_stack_of_1019_is_packed_as_described():
    stack = realise(recipe_of(1019).config())
    assert (stack.precision.name, stack.precision.bits, stack.codec.name) == ("clip_search", 6, "lzma")
    assert [t.name for t in stack.precision_modifiers] == ["gptq"]


def test_the_stack_of_315_is_as_described():
    stack = realise(recipe_of(315).config())
    assert (stack.shape.n_layer, stack.shape.width, stack.ffn.mult) == (11, 512, 3)
    assert {t.name for t in stack.mixer_modifiers} == {"xsa", "partial_rope", "qk_gain"}
    assert {t.name for t in stack.block_modifiers} >= {"ln_scale", "unet_skips", "x0_mix"}
    assert (stack.optimizer.momentum, stack.optimizer.weight_decay) == (0.99, 0.04)


def elsewhere(recipe):
    """A step with every tensor on a device that holds no numbers: one left on the CPU would not mix with them."""
    four = {"n_layer": 4, "n_head": 8, "head_width": 64}
    stack = realise(recipe.config().replaced("shape", [full_pick("shape", "sized", four)]))
    model = stack.model(32).to("meta")
    params = Params(model)
    muon, _ = stack.optimizer_of(params).parts  # the other half is torch's own, which has no form without numbers
    tokens_BT = torch.zeros((8, 32), dtype=torch.long, device="meta")
    moment = Moment(19_999, 20_000, model, tokens_BT, tokens_BT, torch.Generator())
    hooks = stack.hooks(params, muon)
    for hook in hooks:
        hook.before_gradients(moment)
    loss = gradients(moment, hooks, Work(model))
    for hook in hooks:
        hook.after_gradients(moment)
    muon.step()
    return loss.device.type


@pytest.mark.parametrize("pull", [315, 1855])
def test_a_step_leaves_nothing_on_the_cpu(pull):
    assert elsewhere(recipe_of(pull)) == "meta"


# as openings of a study


def golf_study(track, budget=None, **changes):
    return replace(SPEC, track_name=track.name, division_name="open", budget=budget or track.budget, **changes)


def test_a_study_in_miniature_may_choose_every_recipe_that_differs_there_by_its_claim():
    spec = golf_study(GOLF_CPU)
    space = Space(spec)
    offered = list(space.recipes())
    ready = sorted(READY, key=lambda recipe: recipe.val_bpb)
    said = [f"{r.name} ({r.source}), in miniature: knobs as published, shrunk with the track" for r in ready]
    # seven are the baseline there, or another recipe but for the length of a sequence or the evaluation
    assert [o.reason for o in offered] == [line for line in said if line in {o.reason for o in offered}]
    assert len(offered) == len(READY) - 7
    assert offered[0].hypothesis.startswith(f"{ready[0].val_bpb:.4f} bits per byte, its baseline at 1.2244; here only")
    for opening in offered:
        config, _ = space.recall(opening.params)
        assert objections(config, spec) == []
        assert config.picks["shape"] == GOLF_CPU_BASE.picks["shape"]
        assert config.picks["evaluator"] == GOLF_CPU_BASE.picks["evaluator"]


def test_what_counts_steps_and_blocks_is_shrunk_and_all_else_as_published():
    space = Space(golf_study(GOLF_CPU))
    (stack,) = (realise(space.recall(o.params)[0]) for o in space.recipes() if "#1019" in o.reason)
    assert (stack.schedule.steps, stack.averaging.decay) == (200, 0.9)
    assert {t.name: t.layers for t in stack.mixer_modifiers if t.name == "xsa"} == {"xsa": 1}
    assert (stack.optimizer.weight_decay, stack.optimizer.momentum, stack.ffn.slope) == (0.04, 0.99, 0.5)
    assert [t.name for t in stack.precision_modifiers] == ["gptq"]


def test_what_takes_the_place_of_a_part_of_the_baseline_is_tried_alone_without_that_part():
    spec = golf_study(GOLF_CPU)
    space = Space(spec)
    (gated,) = (o for o in space.openings() if o.reason == "skip_gates at its defaults, in the place of unet_skips")
    config, _ = space.recall(gated.params)
    assert {p.name for p in config.picks["block_modifiers"]} == {"layer_scale", "skip_gates", "x0_mix"}
    assert objections(config, spec) == []


def test_a_stack_without_a_part_of_the_baseline_is_found_again_without_it():
    space = Space(golf_study(GOLF_CPU))
    plain = GOLF_CPU_BASE.replaced("block_modifiers", [])
    assert space.recall(space.params_for(plain))[0] == plain


def test_gated_skips_take_the_place_of_plain_ones_in_the_april_stacks():
    names = {t.name for t in realise(recipe_of(1218).config()).block_modifiers}
    assert names == {"layer_scale", "ln_scale", "skip_gates", "x0_mix"}


def test_a_narrowed_study_gets_only_what_it_may_build_whole():
    narrowed = golf_study(GOLF_CPU, settings=("precision_modifiers=none", "features=none", "addons=none"))
    offered = " ".join(o.reason for o in Space(narrowed).recipes())
    assert "#86" in offered
    assert not any(f"#{pull})" in offered for pull in (1019, 180, 42, 315, 88))


def test_at_full_size_a_recipe_keeps_its_own_vocabulary():
    eight = track_named("golf-sp8192")
    space = Space(golf_study(eight, budget=replace(eight.budget, seq_len=2048, batch=384)))
    offered = list(space.recipes())
    assert offered
    assert all(int(o.reason.partition("#")[2].partition(")")[0]) >= 1394 for o in offered)
    assert space.recall(offered[-1].params)[0].picks == recipe_of(1394).config().picks


def test_at_full_size_a_recipe_keeps_its_own_stretch():
    offered = [o.reason for o in Space(golf_study(GOLF)).recipes()]
    assert any("(Parameter Golf #86), knobs as published" in reason for reason in offered)
    assert not any("#1019" in reason for reason in offered)
    long = golf_study(GOLF, budget=replace(GOLF.budget, seq_len=2048, batch=384))
    space = Space(long)
    first = next(space.recipes())
    assert "#1204" in first.reason
    assert space.recall(first.params)[0].picks == recipe_of(1204).config().picks
