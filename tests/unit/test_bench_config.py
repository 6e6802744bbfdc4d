"""Configs as data: order, names, knobs, fingerprints, and what each mistake is told."""

import json
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.catalog import CATALOG, advice, full_pick, realise, refusals, technique
from bench.config import (
    SLOT_NAMES,
    SLOTS,
    Budget,
    Pick,
    RunConfig,
    canonical,
    fingerprint,
    from_json,
    make_config,
    slot_named,
    to_json,
)
from bench.divisions import BASE
from bench.errors import ConfigError
from bench.knobs import Choice, Span, defaults_of, knob, knobs_of

# examples take as long as the machine is busy
calm = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def told(error: pytest.ExceptionInfo) -> tuple[str, str]:
    return error.value.problem, error.value.hint


def value_of(knob_):
    match knob_.range:
        case Choice(options=options):
            return st.sampled_from(options)
        case Span(low=low, high=high) if knob_.range.whole:
            return st.integers(low, high)
        case Span(low=low, high=high):
            return st.floats(low, high)


@st.composite
def configs(draw):
    """Any picks whose knobs lie in their ranges, at any budget."""
    picks = {}
    for slot in SLOTS:
        known = CATALOG[slot.name]
        chosen = draw(
            st.lists(st.sampled_from(known), unique=True, max_size=3 if slot.many else 1, min_size=not slot.many)
        )
        picks[slot.name] = tuple(
            full_pick(slot.name, t.name, {k.name: draw(value_of(k)) for k in knobs_of(t)}) for t in chosen
        )
    budget = Budget(steps=draw(st.integers(1, 1000)), batch=draw(st.integers(1, 64)), seq_len=draw(st.integers(1, 200)))
    return make_config("featherweight", picks, budget)


@calm
@given(config=configs())
def test_any_config_survives_json(config):
    again = from_json(json.loads(canonical(to_json(config))))
    assert again == config
    assert fingerprint(again) == fingerprint(config)


@calm
@given(config=configs())
def test_any_config_can_be_realised_or_names_its_refusal(config):
    assert realise(config)
    assert all(" clashes with " in text or " wants " in text or " attaches to " in text for text in refusals(config))


@settings(calm, max_examples=12)
@given(config=configs())
def test_any_config_that_is_not_refused_builds_a_model(config):
    if not refusals(config):
        with torch.no_grad():
            logits_BTV = realise(config).model(config.budget.seq_len)(torch.zeros(1, 1, dtype=torch.long))
        assert logits_BTV.shape == (1, 1, 256)


@calm
@given(config=configs(), data=st.data())
def test_the_order_of_slots_and_picks_is_no_part_of_a_config(config, data):
    slots = data.draw(st.permutations(SLOT_NAMES))
    shuffled = {slot: tuple(data.draw(st.permutations(config.picks[slot]))) for slot in slots}
    again = make_config(config.track, shuffled, config.budget)
    assert again == config
    assert tuple(again.picks) == SLOT_NAMES
    assert fingerprint(again) == fingerprint(config)


def test_the_order_of_knobs_is_no_part_of_a_fingerprint():
    adamw = BASE.pick("optimizer")
    backwards = Pick("adamw", dict(reversed(adamw.knobs.items())))
    assert fingerprint(BASE.replaced("optimizer", [backwards])) == fingerprint(BASE)


def test_a_fingerprint_is_32_hex_digits():
    assert len(bytes.fromhex(fingerprint(BASE))) == 16


def test_neutral_picks_are_left_out_of_the_fingerprint(monkeypatch):
    """A slot added later, or one taken away, leaves every earlier fingerprint as it was."""
    before = fingerprint(BASE)
    monkeypatch.setattr("bench.config.SLOTS", tuple(slot for slot in SLOTS if not slot.neutral and not slot.many))
    assert fingerprint(BASE) == before


def test_a_pick_other_than_the_neutral_one_enters_the_fingerprint():
    ema = BASE.replaced("averaging", [full_pick("averaging", "ema", {})])
    assert fingerprint(ema) != fingerprint(BASE)


@pytest.mark.parametrize("budget", [Budget(steps=501), Budget(steps=500, batch=31), Budget(steps=500, seq_len=95)])
def test_the_budget_enters_the_fingerprint(budget):
    assert fingerprint(make_config(BASE.track, BASE.picks, budget)) != fingerprint(BASE)


def test_the_track_enters_the_fingerprint():
    assert fingerprint(make_config("golf", BASE.picks, BASE.budget)) != fingerprint(BASE)


def test_every_knob_enters_the_fingerprint():
    adamw = BASE.pick("optimizer")
    for name, value in adamw.knobs.items():
        changed = Pick("adamw", {**adamw.knobs, name: value * 1.0001})
        assert fingerprint(BASE.replaced("optimizer", [changed])) != fingerprint(BASE), name


def test_one_and_one_point_naught_are_the_same_knob():
    first, second = (full_pick("addons", "grad_clip", {"limit": one}) for one in (1, 1.0))
    assert fingerprint(BASE.replaced("addons", [first])) == fingerprint(BASE.replaced("addons", [second]))


def test_every_slot_is_present_in_canonical_order():
    assert tuple(BASE.picks) == SLOT_NAMES


def test_a_slot_left_out_gets_its_neutral_pick():
    assert BASE.picks["precision"] == (Pick("fp32"),)
    assert BASE.picks["features"] == ()


def test_a_config_written_before_a_slot_existed_reads_the_same():
    plain = to_json(BASE)
    del plain["picks"]["averaging"]
    assert from_json(plain) == BASE


def test_a_slot_without_a_neutral_pick_must_be_filled():
    with pytest.raises(ConfigError) as error:
        make_config("featherweight", {"mixer": ()}, Budget(steps=1))
    assert told(error) == ("slot mixer holds 0 techniques and takes exactly one", "name one technique for mixer")


def test_a_one_slot_takes_one_technique():
    with pytest.raises(ConfigError) as error:
        BASE.replaced("optimizer", [Pick("adamw"), Pick("lion")])
    assert told(error) == (
        "slot optimizer holds 2 techniques and takes exactly one",
        "name one technique for optimizer",
    )


def test_a_many_slot_takes_each_technique_once():
    with pytest.raises(ConfigError) as error:
        BASE.replaced("mixer_modifiers", [Pick("xsa"), Pick("nope"), Pick("xsa")])
    assert told(error) == ("slot mixer_modifiers names xsa, nope, xsa: one of them twice", "name each once")


def test_an_unknown_slot_lists_the_known_ones():
    with pytest.raises(ConfigError) as error:
        slot_named("optimiser")
    assert told(error) == ("there is no slot named optimiser", f"the slots are {', '.join(SLOT_NAMES)}")


def test_a_config_with_an_unknown_slot_lists_the_known_ones():
    with pytest.raises(ConfigError) as error:
        BASE.replaced("tokenizer", [])
    assert told(error) == ("there is no slot named tokenizer", f"the slots are {', '.join(SLOT_NAMES)}")


def test_an_unknown_technique_lists_the_known_ones():
    with pytest.raises(ConfigError) as error:
        technique("optimizer", "adagrad")
    names = ", ".join(t.name for t in CATALOG["optimizer"])
    assert told(error) == ("slot optimizer has no technique named adagrad", f"it has {names}")


def test_an_unknown_knob_lists_the_known_ones():
    with pytest.raises(ConfigError) as error:
        full_pick("optimizer", "lion", {"learning_rate": 1e-3})
    assert told(error) == (
        "optimizer.learning_rate is set, but lion has no knob learning_rate",
        "lion has lr, beta1, beta2, weight_decay",
    )


def test_a_technique_without_knobs_says_so():
    with pytest.raises(ConfigError) as error:
        full_pick("mixer", "softmax", {"heads": 4})
    assert told(error) == ("mixer.heads is set, but softmax has no knob heads", "softmax has no knobs")


@pytest.mark.parametrize(
    ("slot", "name", "knob_", "value", "problem", "hint"),
    [
        (
            "optimizer",
            "lion",
            "beta1",
            0.5,
            "optimizer.beta1 = 0.5 is outside 0.8 to 0.98 (lion)",
            "choose 0.8 to 0.98",
        ),
        (
            "optimizer",
            "lion",
            "beta1",
            "high",
            "optimizer.beta1 = high is not a finite number (lion)",
            "choose 0.8 to 0.98",
        ),
        (
            "optimizer",
            "lion",
            "beta1",
            True,
            "optimizer.beta1 = True is not a finite number (lion)",
            "choose 0.8 to 0.98",
        ),
        (
            "optimizer",
            "lion",
            "beta1",
            float("nan"),
            "optimizer.beta1 = nan is not a finite number (lion)",
            "choose 0.8 to 0.98",
        ),
        ("ffn", "relu2", "mult", 2.5, "ffn.mult = 2.5 is not a whole number (relu2)", "choose 2 to 6"),
        ("ffn", "relu2", "mult", 7, "ffn.mult = 7 is outside 2 to 6 (relu2)", "choose 2 to 6"),
        (
            "mixer_modifiers",
            "partial_rope",
            "turned",
            12,
            "mixer_modifiers.turned = 12 is not one of 8, 16, 24 (partial_rope)",
            "choose one of 8, 16, 24",
        ),
        (
            "mixer_modifiers",
            "partial_rope",
            "turned",
            16.0,
            "mixer_modifiers.turned = 16.0 is not one of 8, 16, 24 (partial_rope)",
            "choose one of 8, 16, 24",
        ),
    ],
)
def test_a_value_out_of_range_is_told_its_range(slot, name, knob_, value, problem, hint):
    with pytest.raises(ConfigError) as error:
        full_pick(slot, name, {knob_: value})
    assert told(error) == (problem, hint)


def test_a_knob_left_to_default_is_no_config():
    with pytest.raises(ConfigError) as error:
        realise(BASE.replaced("optimizer", [Pick("adamw", {"lr": 4e-3, "beta1": 0.9})]))
    assert told(error) == ("adamw leaves beta2, weight_decay to default", "a config spells out every knob")


def test_realising_checks_ranges_too():
    with pytest.raises(ConfigError, match=r"ffn\.mult = 60 is outside 2 to 6 \(relu2\)"):
        realise(BASE.replaced("ffn", [Pick("relu2", {"mult": 60})]))


@pytest.mark.parametrize(
    ("budget", "problem"),
    [
        (Budget(steps=0), "budget.steps = 0 is no whole number above zero"),
        (Budget(steps=5, batch=-1), "budget.batch = -1 is no whole number above zero"),
        (Budget(steps=5, seq_len="96"), "budget.seq_len = '96' is no whole number above zero"),
        (Budget(steps=5.0), "budget.steps = 5.0 is no whole number above zero"),
    ],
    ids=str,
)
def test_a_budget_is_made_of_whole_numbers(budget, problem):
    with pytest.raises(ConfigError) as error:
        make_config(BASE.track, BASE.picks, budget)
    assert error.value.problem == problem


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"track": "featherweight", "picks": [], "budget": {"steps": 1}},
        {"track": "featherweight", "picks": {}, "budget": {"steps": 1, "epochs": 3}},
        {"track": "featherweight", "picks": {"mixer": ["softmax"]}, "budget": {"steps": 1}},
        {"track": "featherweight", "picks": {"mixer": [{"name": "softmax", "knobs": "lr"}]}, "budget": {"steps": 1}},
        [],
    ],
    ids=str,
)
def test_what_is_no_config_is_told_so(plain):
    with pytest.raises(ConfigError) as error:
        from_json(plain)
    assert error.value.problem.startswith("this is no config: ")
    assert error.value.hint == "a config has track, budget and picks by slot"


def with_modifiers(*names) -> RunConfig:
    return BASE.replaced("mixer_modifiers", [full_pick("mixer_modifiers", name, {}) for name in names])


def test_the_baseline_is_refused_nothing_and_told_nothing():
    assert (refusals(BASE), advice(BASE)) == ([], [])


def test_two_modifiers_of_one_point_are_refused():
    assert refusals(with_modifiers("nope", "partial_rope")) == [
        "partial_rope clashes with nope: both replace the rotation (both attach at the same point)"
    ]


@pytest.mark.parametrize("names", [("nope", "xsa"), ("partial_rope", "xsa"), ("nope",)])
def test_modifiers_of_different_points_combine(names):
    assert refusals(with_modifiers(*names)) == []


@dataclass(frozen=True, kw_only=True)
class Blind:
    """A mixer without heads or rotation."""

    slot: ClassVar = "mixer"
    name: ClassVar = "blind"
    source: ClassVar = "this test"
    points: ClassVar = frozenset()


def test_a_modifier_needs_its_point_on_the_mixer(monkeypatch):
    monkeypatch.setitem(CATALOG, "mixer", (*CATALOG["mixer"], Blind))
    config = with_modifiers("nope", "xsa").replaced("mixer", [Pick("blind")])
    assert refusals(config) == [
        "nope attaches to a mixer's rotation, and blind has none",
        "xsa attaches to a mixer's heads, and blind has none",
    ]


def test_a_need_of_evidence_advises_and_does_not_refuse():
    smeared = BASE.replaced("features", [full_pick("features", "smear_gate", {})])
    assert refusals(smeared) == []
    assert advice(smeared) == [
        "smear_gate wants orthogonal: without orthogonal initialisation it was 0.003 BPB worse (Parameter Golf #212)"
    ]


def test_a_need_that_is_met_is_silent():
    smeared = BASE.replaced("features", [full_pick("features", "smear_gate", {})])
    assert advice(smeared.replaced("init", [full_pick("init", "orthogonal", {})])) == []


def test_knobs_are_read_back_from_the_fields_in_order():
    @dataclass(frozen=True)
    class Sample:
        lr: float = knob(0.5, Span(0.1, 1.0, log=True), "speed")
        plain: int = 3
        kind: str = knob("a", Choice(("a", "b")), "sort")

    assert [(k.name, k.default, k.why) for k in knobs_of(Sample)] == [("lr", 0.5, "speed"), ("kind", "a", "sort")]
    assert defaults_of(Sample) == {"lr": 0.5, "kind": "a"}


def test_a_span_between_whole_ends_is_whole():
    assert (Span(1, 4).whole, Span(1.0, 4.0).whole, Span(1, 4.5).whole) == (True, False, False)
