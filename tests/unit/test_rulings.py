"""What Parameter Golf ruled out is refused by name, wherever a name is given, with the ruling."""

import sys

import pytest

from autoresearch import cli
from autoresearch.settings import parse_settings
from autoresearch.submission.fighter import from_toml
from bench.catalog import CATALOG, find, full_pick, realise
from bench.config import Pick
from bench.divisions import GOLF_BASE, GOLF_OPEN
from bench.errors import ConfigError
from bench.ideas import IDEAS
from bench.rulings import RULINGS

# Each method that the rules' table does not call legal, and what decided it.
TABLE = {
    "gptq_after_training": "Issue #677",
    "train_on_validation": "#152, #1376, #1972",
    "pre_quant_ttt": "#152, #1376, #1972",
    "paid_prefix": "ruling of March 20",
    "error_table": "ruling of March 20",
    "validation_only_training": "ruling of March 20",
    "slot": "#1240, #1336",
    "ngram_cache": "swept on March 27",
    "ppm_d": "Issue #1872",
    "rescoring": "Issue #1017, C4",
    "validation_warm_up": "#1530",
    "case_folding": "Issue #1604",
}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("slot", ["evaluator", "addons", "precision_modifiers"])
def test_a_ruled_out_method_is_refused_with_its_ruling_in_every_slot(name, slot):
    for ask in (
        lambda: parse_settings([f"{slot}={name}"], GOLF_OPEN),
        lambda: full_pick(slot, name, {}),
        lambda: realise(GOLF_BASE.replaced(slot, [Pick(name)])),
    ):
        with pytest.raises(ConfigError) as refused:
            ask()
        assert refused.value.problem.startswith(f"{name} is not allowed in Parameter Golf: ")
        assert TABLE[name] in refused.value.problem
        assert refused.value.hint


def test_a_fighter_that_names_one_is_refused():
    text = """
name = "quick"
division = "open"
track = "golf"
seed = 1001
budget = {steps = 10, batch = 2, seq_len = 8}
[picks]
mixer = {softmax = {}}
ffn = {relu2 = {mult = 2}}
init = {zero_output = {embedding_std = 0.3}}
optimizer = {adamw = {lr = 0.01, beta1 = 0.9, beta2 = 0.95, weight_decay = 0.01}}
schedule = {linear = {warmup = 0.0, hold = 0.0, floor = 0.0}}
codec = {zlib = {level = 9}}
evaluator = {SLOT = {}}
"""
    with pytest.raises(ConfigError, match=r"SLOT is not allowed in Parameter Golf: .* \(#1240, #1336; C3\)"):
        realise(from_toml(text).config)


def test_the_command_answers_with_the_ruling_and_a_way_out(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["autoresearch", "--division", "open", "--set", "addons=pre-quant-ttt"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: pre-quant-ttt is not allowed in Parameter Golf: it trains on validation tokens before they are scored "
        "(#152, #1376, #1972; C3)",
        "hint: learn at evaluation only from tokens that are already scored, each scored once",
    ]


def test_no_technique_or_idea_goes_by_a_name_that_is_ruled_out():
    ruled = {name for ruling in RULINGS for name in ruling.names}
    assert len(ruled) == sum(len(ruling.names) for ruling in RULINGS)
    assert not any(find(name) for name in ruled)
    assert ruled.isdisjoint(idea.name for idea in IDEAS)
    assert "gptq" in {t.name for t in CATALOG["precision_modifiers"]}


def test_what_is_only_unknown_is_still_called_unknown():
    with pytest.raises(ConfigError, match="slot evaluator has no technique named sloth"):
        full_pick("evaluator", "sloth", {})
