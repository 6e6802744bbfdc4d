"""fighter.toml, curve.csv and submission.json: what is written is read back equal, and nothing else is read."""

import json
from dataclasses import replace

import pytest

from autoresearch.submission import curve, facts
from autoresearch.submission.facts import Ending, Facts, FileFact, Machine, Origin, Spent
from autoresearch.submission.fighter import Fighter, from_toml, to_toml
from bench.catalog import CATALOG, full_pick
from bench.config import SLOTS, Budget, fingerprint, make_config
from bench.divisions import BASE, baseline
from bench.errors import ConfigError
from bench.records import Identity, Point

BASE_FIGHTER = Fighter(name="adamw", division="optimizer", seed=1001, config=BASE)


def full_config():
    """Every `many` slot with all it has, every `one` slot with its last."""
    picks = {
        slot.name: tuple(full_pick(slot.name, t.name, {}) for t in (known if slot.many else known[-1:]))
        for slot in SLOTS
        for known in (CATALOG[slot.name],)
    }
    return make_config("featherweight", picks, Budget(steps=800, batch=7, seq_len=33))


@pytest.mark.parametrize("config", [BASE, full_config()], ids=["baseline", "everything"])
def test_a_fighter_survives_its_toml(config):
    fighter = Fighter(name='a "quoted" \\ name\n\x7f', division="open", seed=7, config=config)
    again = from_toml(to_toml(fighter))
    assert again == fighter
    assert fingerprint(again.config) == fingerprint(config)


@pytest.mark.parametrize("lr", [1e-05, 0.1 + 0.2, 3e-3, 1.0])
def test_a_knob_keeps_every_bit(lr):
    config = BASE.replaced(
        "optimizer", [full_pick("optimizer", "sophia", {"lr": max(lr, 2e-4) if lr < 0.02 else 0.02})]
    )
    entered = replace(BASE_FIGHTER, config=config)
    assert from_toml(to_toml(entered)).config == config


def test_every_slot_and_every_knob_is_spelled_out():
    text = to_toml(BASE_FIGHTER)
    assert all(f"[picks.{slot.name}" in text for slot in SLOTS)
    assert all(f"\n{knob} = " in text for picks in BASE.picks.values() for pick in picks for knob in pick.knobs)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("seed = 1001", 'seed = "1001"'), "seed is no whole number"),
        (("seed = 1001", "seed = true"), "seed is no whole number"),
        (("seed = 1001\n", ""), "lacks or should not have seed"),
        (("steps = 500", "steps = -1"), "budget.steps is no whole number"),
        (("batch = 32", "batch = 32\nmore = 1"), "[budget] lacks or should not have more"),
        (("lr = 0.008", "lr = nan"), "optimizer.lr is nothing a knob can be"),
        (("lr = 0.008", "lr = 2024-01-01"), "optimizer.lr is nothing a knob can be"),
        (("lr = 0.008", "lr = " + "9" * 400), "optimizer.lr is nothing a knob can be"),
        (("[picks.mixer.softmax]", "[picks.blender.softmax]"), "there is no slot named blender"),
        (("[picks.mixer.softmax]", "[picks.mixer]"), "slot mixer holds 0 techniques"),
        (("[picks.mixer.softmax]", "[[picks.mixer]]"), "picks.mixer is no table"),
        (("[budget]", "[budget"), "the fighter is no TOML"),
        (('name = "adamw"', "name = " + "[" * 20_000), "the fighter is no TOML"),
    ],
)
def test_a_broken_fighter_says_what_is_wrong(change, said):
    text = to_toml(BASE_FIGHTER)
    assert change[0] in text
    with pytest.raises(ConfigError) as refusal:
        from_toml(text.replace(*change))
    assert said in refusal.value.problem


POINTS = [Point(10, 0.1, 5.5), Point(20, 0.30000000000000004, 3.3333333333333335, 3.4), Point(21, 0.31, 1e-05, 2.0)]


def test_a_curve_survives_its_csv():
    assert curve.from_csv(curve.to_csv(POINTS)) == POINTS
    assert curve.from_csv(curve.to_csv([])) == []


def test_a_point_without_a_probe_has_an_empty_cell():
    assert curve.to_csv(POINTS).splitlines()[1] == "10,0.1,5.5,"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not begin with its header"),
        ("step,loss\n", "does not begin with its header"),
        (f"{curve.HEADER}\n1,2,3,4", "ends within a line"),
        (f"{curve.HEADER}\n1,2,3\n", "line 2 of the curve is no step with three numbers"),
        (f"{curve.HEADER}\n1.5,2,3,\n", "line 2 of the curve is no step"),
        (f"{curve.HEADER}\n1,2,nan,\n", "line 2 of the curve holds what is no finite number"),
        (f"{curve.HEADER}\n1,2,1e999,\n", "line 2 of the curve holds what is no finite number"),
        (f"{curve.HEADER}\n2,2,3,\n1,3,3,\n", "line 3 of the curve goes back"),
    ],
)
def test_a_broken_curve_names_the_line(text, said):
    with pytest.raises(ConfigError) as refusal:
        curve.from_csv(text)
    assert said in refusal.value.problem


FACTS = Facts(
    format=facts.FORMAT,
    name="adamw",
    division="optimizer",
    recipe="baseline",
    fingerprint=fingerprint(baseline(Budget(steps=12))),
    seed=1001,
    n_seeds=1,
    exhibition=True,
    identity=Identity("featherweight", 1, "d" * 64, 12, 32, 96, 1, "cpu/x", 1),
    corpus_name="text:tiny",
    machine=Machine(device_class="cpu/x", threads=1, versions={"torch": "2"}),
    origin=Origin(
        study="s", trial=0, run=1, policy="tpe", settings=("optimizer=lion",), proposer="baseline", rule="", reason="",
        hypothesis="", expected=None, note="",
    ),
    spent=Spent(
        steps=3, parameters=1, train_flops=1, train_tokens=1, train_seconds=1.0, probe_seconds=None, eval_seconds=None,
        peak_bytes=None,
    ),
    score=None,
    failure=Ending(reason="diverged", step=3, message="nan", log_tail=""),
    files={"README.md": FileFact(bytes=1, sha256="0" * 64)},
)  # fmt: skip


def test_facts_survive_their_json():
    assert facts.from_json(facts.to_json(FACTS)) == FACTS


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"format": 1', '"format": 2'), "is of no format we know"),
        (('"seed": 1001', '"seed": "1001"'), "submission.seed is not what belongs there"),
        (('"seed": 1001', '"seed": true'), "submission.seed is not what belongs there"),
        (('"seed": 1001', f'"seed": {10**30}'), "submission.seed is not what belongs there"),
        (('"threads": 1', '"threads": 1, "more": 2'), "submission.machine is not what belongs there"),
        (('"train_seconds": 1.0', '"train_seconds": 1e999'), "submission.spent.train_seconds is not"),
        (('"train_seconds": 1.0', '"train_seconds": NaN'), "is no JSON: NaN is no number"),
        (('"train_seconds": 1.0', '"train_seconds": null'), "submission.spent.train_seconds is not"),
        (('"torch": "2"', '"torch": 2'), "submission.machine.versions.torch is not"),
        (('"settings": [', '"settings": [3, '), "submission.origin.settings is not"),
        (('"expected": null', '"expected": ' + "[" * 100_000), "is no JSON"),
    ],
)
def test_broken_facts_name_the_field(change, said):
    text = facts.to_json(FACTS)
    assert change[0] in text
    with pytest.raises(ConfigError) as refusal:
        facts.from_json(text.replace(*change))
    assert said in refusal.value.problem


def test_facts_that_are_no_table_are_refused():
    with pytest.raises(ConfigError, match="no format we know"):
        facts.from_json(json.dumps([1]))


@pytest.mark.parametrize(
    ("more", "said"),
    [({"seconds": 600.0}, "this one ends after 600 s"), ({"short": True}, "this one is of a short run")],
)
def test_a_budget_that_the_text_does_not_hold_is_refused(more, said):
    timed = replace(BASE, budget=replace(BASE.budget, **more))
    with pytest.raises(ConfigError, match=said) as refusal:
        to_toml(replace(BASE_FIGHTER, config=timed))
    assert refusal.value.hint == "run the config for a number of steps"
