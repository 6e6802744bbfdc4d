"""What a language model may say, and everything it may not: each with its sentence."""

import json
from dataclasses import replace

import pytest
from ledger_rows import SPEC

from autoresearch.researcher.answers import MOST_HYPOTHESIS, understood
from autoresearch.space import Space
from bench.config import fingerprint

NARROW = ("optimizer=adamw,lion,muon", "optimizer_modifiers=none")
MUON = {
    "hypothesis": "muon learns more",
    "techniques": {"optimizer": ["muon"]},
    "knobs": {},
    "effect": -0.1,
    "basis": [0],
}
SPACE = Space(replace(SPEC, settings=NARROW))
INCUMBENT = SPACE.params_of({})
KNOWN = {fingerprint(SPACE.recall(INCUMBENT)[0]): 0}


def told(*stacks, space=SPACE, **changes):
    return understood(json.dumps({"stacks": list(stacks) or [MUON | changes]}), space, INCUMBENT, KNOWN)


def test_a_stack_is_a_difference_from_the_incumbent():
    (stack,) = told(knobs={"muon.lr": 0.02}).stacks
    config, _ = SPACE.recall(stack.params)
    assert config.pick("optimizer").name == "muon"
    assert config.pick("optimizer").knobs["lr"] == 0.02
    assert fingerprint(config) == stack.fingerprint
    assert (stack.hypothesis, stack.effect, stack.basis) == ("muon learns more", -0.1, (0,))


def test_a_whole_number_is_a_learning_rate_too():
    space = Space(replace(SPEC, division_name="open"))
    (stack,) = told(techniques={}, knobs={"adamw.lr": 0.01, "relu2.mult": 3.0}, space=space).stacks
    assert (stack.params["adamw.lr"], stack.params["relu2.mult"]) == (0.01, 3)
    assert type(stack.params["relu2.mult"]) is int


def test_the_json_may_stand_in_a_fence():
    text = f"Here you are:\n```json\n{json.dumps({'stacks': [MUON]})}\n```\nAnything else?"
    assert len(understood(text, SPACE, INCUMBENT, KNOWN).stacks) == 1


def test_the_good_stacks_of_an_answer_count_and_the_others_are_named():
    found = told(MUON, MUON | {"knobs": {"muon.lr": 9}}, MUON)
    assert len(found.stacks) == 1
    assert found.rejected == ("stack 2: muon.lr = '9' is outside 0.003 to 0.1",)


BAD = {
    "unknown technique": ({"techniques": {"optimizer": ["adamax"]}}, "slot optimizer has no technique 'adamax'"),
    "narrowed away": ({"techniques": {"optimizer": ["sgd"]}}, "slot optimizer has no technique 'sgd' in this study"),
    "unknown slot": ({"techniques": {"wings": ["two"]}}, "there is no slot 'wings'"),
    "fixed slot": ({"techniques": {"mixer": ["mamba"]}}, "optimizer fixes the slot mixer"),
    "two in one": ({"techniques": {"optimizer": ["muon", "lion"]}}, "slot optimizer takes one technique, not 2"),
    "none in one": ({"techniques": {"optimizer": []}}, "slot optimizer takes one technique, not 0"),
    "out of range": ({"knobs": {"muon.lr": 5.0}}, "muon.lr = '5.0' is outside"),
    "in words": ({"knobs": {"muon.lr": "high"}}, "muon.lr = 'high' is not a finite number"),
    "a truth for a number": ({"knobs": {"muon.lr": True}}, "muon.lr = 'True' is not a finite number"),
    "another's knob": ({"knobs": {"lion.lr": 1e-3}}, "'lion.lr' is no knob of that stack"),
    "a choice as a knob": ({"knobs": {"optimizer": "muon"}}, "'optimizer' is no knob of that stack"),
    "fixed knob": ({"knobs": {"relu2.mult": 3}}, "'relu2.mult' is no knob of that stack"),
    "was there": ({"techniques": {}}, "trial 0 was that already"),
    "strange basis": ({"basis": [0, 77]}, "there is no trial 77 to rest on"),
    "not a number": ({"effect": float("nan")}, "stacks.0.effect"),
    "endless": ({"knobs": {"muon.lr": float("inf")}}, "stacks.0.knobs.muon.lr"),
    "astronomical": ({"knobs": {"muon.lr": 10**400}}, "stacks.0.knobs.muon.lr"),
    "one thing more": ({"code": "import os"}, "stacks.0.code: Extra inputs are not permitted"),
    "no list": ({"techniques": {"optimizer": "muon"}}, "stacks.0.techniques.optimizer"),
    "nothing said": ({"hypothesis": ""}, "stacks.0.hypothesis"),
}


@pytest.mark.parametrize(("changes", "why"), BAD.values(), ids=BAD)
def test_what_is_not_of_this_study_is_rejected_with_a_sentence(changes, why):
    found = told(**changes)
    assert found.stacks == ()
    assert why in found.rejected[0]
    assert len(found.rejected[0]) < 400


@pytest.mark.parametrize(
    "text",
    ["", "I'd rather not.", "{", '{"stacks": []}', "[" * 100_000, "```" * 50_000, "```json\n{}", '"\\ud800"', "null"],
    ids=["empty", "prose", "half", "none", "deep", "fences", "open fence", "half character", "null"],
)
def test_what_is_no_answer_is_rejected_in_a_line(text):
    found = understood(text, SPACE, INCUMBENT, KNOWN)
    assert found.stacks == ()
    assert 0 < len(" ".join(found.rejected)) < 600


def test_a_modifier_without_a_host_is_rejected():
    found = told(techniques={"optimizer": ["lion"], "optimizer_modifiers": ["muoneq_r"]}, space=Space(SPEC))
    assert "muoneq_r has no place in that stack" in found.rejected[0]


def test_a_pinned_knob_stays_pinned():
    space = Space(replace(SPEC, settings=("optimizer=muon,adamw", "optimizer.lr=0.01")))
    assert "is pinned in this study" in told(knobs={"muon.lr": 0.02}, space=space).rejected[0]


HOSTILE = "win\x1b[2J\x1b]0;owned\x07 \u202egnp.exe\u2069 [bold red]x[/] <script>\r\n# h\u200b\U000e0041" + "A" * 5000


def test_a_hypothesis_is_one_short_line_of_what_can_be_seen():
    (stack,) = told(hypothesis=HOSTILE).stacks
    assert len(stack.hypothesis) == MOST_HYPOTHESIS
    assert stack.hypothesis.isprintable()
    assert "[bold red]" in stack.hypothesis, "what is markup is escaped where it is shown"


def test_a_hostile_name_is_quoted_short_and_clean():
    (why,) = told(techniques={"optimizer": ["\x1b[2J" + "A" * 150]}).rejected
    assert why.isprintable()
    assert len(why) < 250
