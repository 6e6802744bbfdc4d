"""The fighter that a study begins with: what its file may hold, and what may be said against it before it costs."""

from dataclasses import replace

import pytest
from brought_files import GOOD
from ledger_rows import SPEC

from autoresearch.starting import begun_with, check_rules, read_fighter
from autoresearch.submission.fighter import Fighter, to_toml
from bench.catalog import full_pick
from bench.config import Budget
from bench.divisions import BASE
from bench.errors import ArenaError, ConfigError

LION = BASE.replaced("optimizer", [full_pick("optimizer", "lion", {})])


def written(tmp_path, config, division="optimizer"):
    path = tmp_path / "fighter.toml"
    path.write_text(to_toml(Fighter(name="mine", division=division, seed=7, config=config)))
    return path


def asked(path, steps=None, **changes):
    """A study begun with the file, its rules checked."""
    spec = begun_with(replace(SPEC, **changes), path, steps)
    assert spec.start is not None
    check_rules(spec, spec.start)
    return spec


def test_what_the_request_leaves_open_is_as_the_fighter_has_it(tmp_path):
    config = replace(LION, budget=Budget(steps=800, batch=16))
    spec = asked(written(tmp_path, config), division_name="")
    assert (spec.division_name, spec.budget, spec.start_file) == (
        "optimizer",
        Budget(steps=800, batch=16),
        "fighter.toml",
    )


def test_steps_that_are_asked_for_are_the_fighters_too(tmp_path):
    spec = asked(written(tmp_path, LION), steps=50)
    assert spec.budget.steps == spec.start.budget.steps == 50


def test_a_python_file_is_the_baseline_with_its_mixer(tmp_path):
    (tmp_path / "mine.py").write_text(GOOD)
    fighter = read_fighter(tmp_path / "mine.py")
    assert (fighter.name, fighter.division) == ("recent_mean", "community")
    assert fighter.config == BASE.replaced("mixer", [full_pick("mixer", "brought", {"code": GOOD})])


REFUSALS = {
    "breach": (
        BASE.replaced("ffn", [full_pick("ffn", "relu2", {"mult": 3})]), {},
        "fighter.toml: ffn is relu2(mult=3), but optimizer fixes it at relu2(mult=4)",
    ),
    "cap": (
        BASE.replaced("ffn", [full_pick("ffn", "relu2", {"mult": 6})]), {"division_name": "open"},
        "fighter.toml: 1,114,112 parameters, and featherweight caps them at 1,000,000",
    ),
    "hard clash": (
        BASE.replaced("mixer_modifiers", [full_pick("mixer_modifiers", n, {}) for n in ("nope", "partial_rope")]),
        {"division_name": "attention"}, "fighter.toml: partial_rope clashes with nope",
    ),
    "pinned otherwise": (
        LION, {"settings": ("optimizer=lion", "optimizer.lr=0.001")},
        "fighter.toml has lion(lr=0.0045), and --set says otherwise",
    ),
    "narrowed otherwise": (LION, {"settings": ("optimizer=adamw",)}, "fighter.toml has lion("),
    "too many sequences": (
        replace(BASE, budget=Budget(steps=1, batch=64)), {}, "fighter.toml: batch is 64, and 32 is the most",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("config", "changes", "problem"), REFUSALS.values(), ids=REFUSALS)
def test_a_fighter_that_can_not_begin_says_why(config, changes, problem, tmp_path):
    with pytest.raises(ArenaError) as refusal:
        asked(written(tmp_path, config), **changes)
    assert refusal.value.problem.startswith(problem)


def test_a_mixers_file_is_read_beside_the_fighter_that_names_it(tmp_path):
    config = BASE.replaced("mixer", [full_pick("mixer", "brought", {"code": GOOD, "window": 9})])
    path = written(tmp_path, config, "community")
    with pytest.raises(ConfigError, match=r"mixer.py can't be read: No such file or directory"):
        read_fighter(path)
    (tmp_path / "mixer.py").write_text(GOOD)
    assert read_fighter(path).config == config


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "mine.py").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"mine.py is no UTF-8 text"):
        read_fighter(tmp_path / "mine.py")
