"""Belts: a fighter on the published seeds, and the belt moved by the track's verdict alone."""

import json
from pathlib import Path

import pytest
from brought_files import GOOD
from instant import study
from ledger_rows import KEY
from made_up import CORPUS
from ring import LOSSES, Ring

from autoresearch.grading.grade import decided, grading_spec, in_order, own_trials, to_json
from autoresearch.grading.listing import belts_table, grade_text
from autoresearch.starting import SHIPPED, check_rules, read_fighter
from autoresearch.submission.fighter import Fighter, to_toml
from bench.catalog import full_pick
from bench.config import fingerprint
from bench.divisions import BASE, division_named
from bench.errors import ArenaError, StoreError
from bench.estimate import over_caps
from bench.records import State
from bench.tracks import FEATHERWEIGHT, PUBLISHED_SEEDS
from studies.reading import Reader
from studies.shipped import shipped_store
from studies.store import Store


@pytest.fixture
def ledger(tmp_path):
    opened = Store(tmp_path / "arena.db")
    yield opened
    opened.close()


def spec_of(fighter, seeds=3, steps=None):
    return grading_spec(Path(fighter), steps, seeds, CORPUS, "auto", None)


def graded(ledger, fighter, losses=LOSSES, seeds=3, steps=None):
    spec = spec_of(fighter, seeds, steps)
    study(ledger, spec, Ring(losses=losses))
    return decided(ledger, spec, own_trials(ledger.read, spec))


def test_a_belt_that_nobody_holds_is_taken_once(ledger):
    first = graded(ledger, "optimizer-adamw")
    assert (first.belt, list(first.scores)) == ("takes", [1337, 42, 7])
    again = graded(ledger, "optimizer-adamw")
    assert again.belt == "holds"
    (belt,) = ledger.read.belts(lost=True)
    assert belt.val_loss == pytest.approx(1.240)
    assert len(ledger.read.trials(first.study)) == 3


def test_a_proven_challenger_takes_the_belt_with_its_verdict(ledger):
    graded(ledger, "optimizer-adamw")
    won = graded(ledger, "optimizer-muon")
    assert won.belt == "takes"
    lost, held = ledger.read.belts(lost=True)
    assert (lost.lost_at is not None, held.lost_at) == (True, None)
    assert held.verdict is not None
    assert held.verdict.verdict == "supported"
    assert held.verdict.p < FEATHERWEIGHT.rules[0].alpha
    assert held.verdict.why
    assert len(held.verdict.run_ids["new"]) == len(held.verdict.run_ids["old"]) == 3
    assert held.study == won.study
    graded(ledger, "optimizer-muon")
    assert len(ledger.read.belts(lost=True)) == 2


def test_a_better_one_that_is_not_proven_learns_how_many_seeds_it_needs(ledger):
    losses = LOSSES | {"lion": [1.233, 1.241, 1.236]}
    graded(ledger, "optimizer-adamw", losses)
    found = graded(ledger, "optimizer-lion", losses)
    assert found.belt is None
    assert found.verdict.verdict == "inconclusive"
    assert "not proven" in found.said
    assert "more seed" in found.said
    assert [belt.fingerprint for belt in ledger.read.belts()] == [
        fingerprint(read_fighter(Path("optimizer-adamw")).config)
    ]


def test_a_grade_and_its_belts_are_plain_json(ledger):
    found = graded(ledger, "optimizer-adamw")
    plain = json.loads(json.dumps(to_json(found, ledger.read.belts()), allow_nan=False))
    assert (plain["belt"], plain["scores"]["1337"]) == ("takes", 1.240)
    assert plain["belts"][0]["champion"] is True


def test_a_mixer_of_ones_own_is_graded_like_any(ledger, tmp_path):
    (tmp_path / "my_mixer.py").write_text(GOOD)
    found = graded(ledger, tmp_path / "my_mixer.py")
    assert (found.division, found.belt) == ("community", "takes")
    assert "recent_mean" in belts_table(ledger.read.belts())


def test_a_worse_one_is_posted_with_its_curve_and_cost(ledger):
    graded(ledger, "optimizer-adamw")
    found = graded(ledger, "optimizer-sophia")
    assert (found.belt, found.verdict.verdict) == (None, "refuted")
    text = grade_text(found, ledger.read.belts())
    assert "adamw keeps the optimizer belt" in text
    assert "train seconds 100" in text
    assert f"arena --study {found.study}" in text
    assert all(ledger.read.curve(t.run.id) is not None for t in ledger.read.trials(found.study))


def test_a_run_without_a_score_is_a_negative_result_and_ends_the_grading(ledger):
    found = graded(ledger, "optimizer-adamw", {"adamw": [None, 1.2, 1.2]})
    assert found.failed
    assert "seed 1337: diverged" in found.said
    assert ledger.read.belts() == []
    (trial,) = ledger.read.trials(found.study)
    assert trial.state is State.FAILED


def test_other_steps_than_the_tracks_are_an_exhibition(ledger):
    found = graded(ledger, "optimizer-adamw", steps=100)
    assert "exhibition" in found.said
    assert ledger.read.belts() == []


def test_each_number_of_steps_has_a_belt_of_its_own(ledger):
    for steps in (500, 800):
        graded(ledger, "optimizer-adamw", steps=steps)
    assert [belt.identity.steps for belt in ledger.read.belts()] == [500, 800]


def test_the_champion_is_the_best_belt_of_all_divisions(ledger):
    graded(ledger, "optimizer-muon")
    graded(ledger, "attention-gqa")
    assert [(b.division, b.champion) for b in ledger.read.belts()] == [("attention", False), ("optimizer", True)]
    table = belts_table(ledger.read.belts())
    assert "champion" in table
    assert "gqa" in table


def test_a_grading_cut_anywhere_goes_on_to_the_same_end(ledger, tmp_path):
    spec = spec_of("optimizer-adamw")
    for cut in (1, 0, 1):
        with pytest.raises(KeyboardInterrupt):
            study(ledger, spec, Ring(losses=LOSSES, stop_after=cut))
    found = graded(ledger, "optimizer-adamw")
    unbroken = Store(tmp_path / "other.db")
    whole = graded(unbroken, "optimizer-adamw")
    unbroken.close()
    assert (found.scores, found.belt) == (whole.scores, whole.belt)
    assert [t.run.seed for t in ledger.read.trials(found.study)] == list(PUBLISHED_SEEDS[:3])


def test_more_seeds_later_go_on_from_those_that_are_there(ledger):
    graded(ledger, "optimizer-adamw")
    found = graded(ledger, "optimizer-adamw", seeds=5)
    assert list(found.scores) == list(PUBLISHED_SEEDS[:5])
    assert len(ledger.read.trials(found.study)) == 5


def test_nobody_chooses_which_seeds_count():
    assert in_order({1337: 1.0, 7: 0.9, 42: 1.1, 11: 0.5}) == {1337: 1.0, 42: 1.1, 7: 0.9}


def test_a_belt_that_changed_hands_meanwhile_is_not_given(ledger):
    found = graded(ledger, "optimizer-adamw")
    (belt,) = ledger.read.belts()
    with pytest.raises(StoreError, match="changed hands"):
        ledger.crown(found.study, belt.identity, "optimizer", belt.fingerprint[::-1], "somebody else", None)
    assert ledger.read.belts() == [belt]


def test_the_packed_model_of_every_graded_run_is_kept(ledger):
    found = graded(ledger, "optimizer-adamw")
    kept = [ledger.read.artifact(t.run.id).file for t in ledger.read.trials(found.study)]
    assert all((ledger.artifacts / file).exists() for file in kept)


def checked(path):
    spec = spec_of(path)
    check_rules(spec, spec.start)


def written(tmp_path, division, changes):
    config = BASE
    for slot, picks in changes.items():
        config = config.replaced(slot, picks)
    path = tmp_path / "fighter.toml"
    path.write_text(to_toml(Fighter(name="mine", division=division, seed=1001, config=config)))
    return path


@pytest.mark.parametrize(
    ("division", "changes", "problem"),
    [
        ("optimizer", {"mixer": [full_pick("mixer", "gqa", {})]}, "but optimizer fixes it"),
        ("open", {"ffn": [full_pick("ffn", "relu2", {"mult": 6})]}, "caps them at 1,000,000"),
        ("featherless", {}, "no division named featherless"),
    ],
)
def test_a_fighter_that_may_not_enter_is_refused_before_it_costs_anything(tmp_path, division, changes, problem):
    with pytest.raises(ArenaError, match=problem) as wrong:
        checked(written(tmp_path, division, changes))
    assert wrong.value.hint


def test_what_is_no_fighter_is_refused_with_a_hint(tmp_path):
    unknown = written(tmp_path, "open", {})
    unknown.write_text(unknown.read_text().replace("adamw", "adamant"))
    with pytest.raises(ArenaError, match="adamant"):
        checked(unknown)
    with pytest.raises(ArenaError, match="can't be read") as wrong:
        spec_of(tmp_path / "none.toml")
    assert "optimizer-muon" in wrong.value.hint
    with pytest.raises(ArenaError, match="--seeds is 2"):
        spec_of("optimizer-muon", seeds=2)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_fighter_enters_its_division(name):
    fighter = read_fighter(Path(name))
    division = division_named(fighter.division)
    assert name.startswith(fighter.division)
    assert division.breaches(fighter.config) == []
    assert over_caps(fighter.config, FEATHERWEIGHT) == []
    assert fighter.config.budget == FEATHERWEIGHT.budget


def test_every_division_has_a_shipped_fighter():
    assert {read_fighter(Path(name)).division for name in SHIPPED} == {
        "precision", "optimizer", "attention", "state-space", "community", "open"
    }  # fmt: skip


def test_the_shipped_fighters_that_were_searched_are_the_rows_of_their_boards(tmp_path):
    reader = Reader(shipped_store(tmp_path))
    measured = {(fingerprint(e.config), e.seed) for e in reader.entries()}
    reader.close()
    for name in SHIPPED:
        fighter = read_fighter(Path(name))
        if fighter.division in ("optimizer", "open"):
            assert (fingerprint(fighter.config), fighter.seed) in measured, name


def test_the_keys_seed_is_never_the_graded_one():
    assert KEY.seed not in PUBLISHED_SEEDS
