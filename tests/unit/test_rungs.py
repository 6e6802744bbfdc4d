"""Short runs: who climbs, what is compared with what, that a misleading rung is dropped, that nothing is mixed."""

import random
import statistics
from dataclasses import replace
from fractions import Fraction

import landscape
import pytest
from instant import Instant, study
from landscape_rungs import RungSearch, score_at
from ledger_rows import SPEC

from arena_tui.ranking import Baselines, in_order
from arena_tui.ranking import best_of as on_the_screen
from autoresearch.listing import best_of, study_json, trials_table
from autoresearch.ranks import spearman
from autoresearch.reporting.commentary import commentary
from autoresearch.reporting.facts import gather
from autoresearch.reporting.markdown import to_markdown
from autoresearch.reporting.report import Table
from autoresearch.reporting.rungs import short_runs
from autoresearch.requests import check_request, rungs_asked
from autoresearch.researcher.local import drawn_from
from autoresearch.researcher.plan import Researcher
from autoresearch.researcher.proposals import Proposers
from autoresearch.researcher.rungs import (
    ENOUGH_PAIRS,
    WHOLE,
    Climb,
    Ladder,
    budget_at,
    calibration,
    in_use,
    promotion,
    rungs_for,
)
from autoresearch.sampling import on_the_way, told_state
from autoresearch.space import Space
from autoresearch.submission.write import write_submission
from bench.cards import cards
from bench.catalog import CATALOG
from bench.config import fingerprint
from bench.divisions import BASE
from bench.errors import ConfigError, StoreError
from bench.records import State
from bench.standings import standings
from bench.tracks import PUBLISHED_SEEDS
from studies.definitions import StudySpec
from studies.store import Store

PLENTY = Fraction(100)


def climbs(rung, losses, late=(), first=0):
    """Stacks named by their place, each scored on one rung."""
    return [
        Climb(trial=first + i, stack=f"s{first + i}", rung=rung, late=frozenset(late), val_loss=loss)
        for i, loss in enumerate(losses)
    ]


def after(rows, found):
    """The rows with a promotion run, at its old score."""
    (one,) = (row for row in rows if row.trial == found.trial)
    return [*rows, replace(one, trial=len(rows), rung=found.to)]


def test_a_short_study_has_no_rung_of_mere_warm_up():
    assert [rungs_for(steps) for steps in (449, 450, 800, 1349, 1350)] == [(), (3,), (3,), (3,), (9, 3)]


def test_the_best_third_climbs_and_no_more():
    rows = climbs(9, [3.0, 1.0, 2.0, 4.0, 5.0, 6.0])
    risen = []
    while found := promotion(rows, (9,), PLENTY):
        risen.append((found.trial, found.to))
        rows = after(rows, found)
    assert risen == [(1, WHOLE), (2, WHOLE)]


def test_a_search_that_gets_better_does_not_send_every_stack_up():
    rows = []
    for step in range(30):
        rows += climbs(9, [2.0 - step / 100], first=len(rows))
        if found := promotion(rows, (9,), PLENTY):
            rows = after(rows, found)
    assert sum(row.rung == WHOLE for row in rows) == 10


def test_the_longest_rung_is_served_first():
    rows = climbs(9, [1.0, 2.0, 3.0]) + [replace(row, rung=3) for row in climbs(3, [1.5, 2.5], first=3)]
    found = promotion(rows, (9, 3), PLENTY)
    assert (found.trial, found.to) == (3, WHOLE)


def test_what_has_no_score_does_not_climb():
    assert promotion(climbs(9, [None, None, None]), (9,), PLENTY) is None


def test_late_techniques_are_ranked_beside_their_like_alone():
    rows = climbs(9, [1.0, 1.1, 1.2]) + climbs(9, [2.0, 1.9, 2.1], late={"ema"}, first=3)
    risen = set()
    while found := promotion(rows, (9,), PLENTY):
        risen.add(found.trial)
        rows = after(rows, found)
    assert risen == {0, 4}


def test_late_sets_too_rare_to_rank_alone_are_ranked_together():
    rows = [
        replace(row, late=frozenset({name}))
        for row, name in zip(climbs(9, [2.0, 1.9, 2.1]), ("ema", "swa", "late_sam"), strict=True)
    ]
    found = promotion(rows, (9,), PLENTY)
    assert found.trial == 1
    assert promotion(after(rows, found), (9,), PLENTY) is None


def test_a_promotion_names_its_rule_and_the_trials_it_rests_on():
    found = promotion(climbs(9, [3.0, 1.0, 2.0], late={"ema"}), (9, 3), PLENTY)
    assert found.rule == "the best 1/3 of a rung, to 1/3 of the steps"
    assert found.reason == (
        "#1 at 1.0000 is number 1 of 3 stacks with ema at 1/9 of the steps: #1 1.0000, #2 2.0000, #0 3.0000"
    )


def test_when_nothing_begun_now_could_arrive_the_best_that_waits_goes_on():
    rows = climbs(3, [1.0, 2.0, 3.0])
    rows = after(rows, promotion(rows, (3,), PLENTY))
    assert promotion(rows, (3,), Fraction(4, 3)) is None
    found = promotion(rows, (3,), Fraction(1))
    assert found.trial == 1
    assert found.rule.startswith("nothing begun now could still climb")


def test_the_order_of_rows_changes_nothing():
    rng = random.Random(0)
    rows = climbs(9, [rng.random() for _ in range(20)]) + climbs(3, [0.1, 0.2], late={"ema"}, first=20)
    shuffled = rng.sample(rows, len(rows))
    assert promotion(rows, (9, 3), PLENTY) == promotion(shuffled, (9, 3), PLENTY)
    assert calibration(rows, 9) == calibration(shuffled, 9)


def both(n, sign):
    """Configs with a short and a whole run whose scores agree, or disagree."""
    short = climbs(9, [1.0 + i / 10 for i in range(n)])
    return short + [
        replace(row, trial=n + row.trial, rung=WHOLE, val_loss=1.0 + sign * (row.val_loss - 1.0) / 2) for row in short
    ]


def test_calibration_is_spearman_over_the_configs_that_have_both():
    rows = both(4, 1.0)
    rows[-1] = replace(rows[-1], val_loss=1.04)  # the worst short run comes out second but one
    found = calibration(rows + climbs(9, [0.5], first=50), 9)
    assert found.pairs == ((0, 4), (1, 5), (2, 6), (3, 7))
    # ranks 1 2 3 4 against 1 3 4 2: d = 0 1 1 2, 1 - 6 * 6 / (4 * 15)
    assert found.spearman == pytest.approx(0.4)
    assert calibration(climbs(9, [1.0]), 9).spearman is None


def test_a_rung_that_misleads_is_dropped_once_enough_configs_tell():
    assert in_use(both(ENOUGH_PAIRS - 1, -0.2), (9, 3)) == (9, 3)
    assert in_use(both(ENOUGH_PAIRS, -0.2), (9, 3)) == (3,)
    assert in_use(both(ENOUGH_PAIRS, 0.2), (9, 3)) == (9, 3)
    assert "dropped" in calibration(both(ENOUGH_PAIRS, -0.2), 9).told


def test_nothing_climbs_from_a_dropped_rung():
    rows = both(ENOUGH_PAIRS, -0.2) + climbs(9, [0.1, 0.2], first=90)
    assert promotion(rows, (9,), PLENTY) is None


def test_a_short_budget_is_another_config_and_no_other_fingerprint_moves():
    config = BASE
    short = replace(config, budget=budget_at(config.budget, 9))
    assert (short.budget.steps, short.budget.short) == (55, True)
    assert fingerprint(short) != fingerprint(replace(short, budget=replace(short.budget, short=False)))
    assert "short" not in config.budget.to_json()


def test_the_catalog_says_what_acts_late():
    late = {technique.name for techniques in CATALOG.values() for technique in techniques if hasattr(technique, "late")}
    assert late == {
        *("ema", "swa", "lawa", "late_sam", "seq_curriculum", "batch_curriculum", "late_rounding"),
        *("depth_recurrence", "temperature", "wd_taper"),
    }
    assert {card["name"] for card in cards() if card["late"]} == late


def test_rungs_come_with_the_researcher_or_when_asked_for():
    assert rungs_asked("researcher", 1350, None) == (9, 3)
    assert rungs_asked("researcher", 1350, False) == rungs_asked("tpe", 1350, None) == ()
    # a third alone is no gain that was shown
    assert (rungs_asked("researcher", 500, None), rungs_asked("researcher", 500, True)) == ((), (3,))
    with pytest.raises(ConfigError, match="450 steps or more"):
        rungs_asked("researcher", 449, True)
    with pytest.raises(ConfigError, match="researcher, not tpe"):
        check_request(replace(SPEC, rungs=(3,)))


def test_a_definition_without_rungs_is_written_as_before():
    assert "rungs" not in SPEC.to_json()
    spec = replace(SPEC, rungs=(9, 3))
    assert StudySpec.from_json(spec.to_json()) == spec
    assert spec.differs_from(SPEC)


CLIMBING = replace(
    SPEC, policy="researcher", n_trials=5, rungs=(9, 3), settings=("optimizer=adamw,muon", "optimizer_modifiers=none")
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A whole study, read by several tests."""
    opened = Store(tmp_path_factory.mktemp("whole") / "arena.db")
    study(opened, CLIMBING)
    yield opened
    opened.close()


def stamps(store):
    return [
        (t.number, t.fingerprint, t.seed, t.proposer, t.rule, t.reason, t.expected, t.state, t.val_loss)
        for t in store.read.trials("lab")
    ]


def test_the_trials_asked_for_are_whole_runs_of_cost(whole):
    trials = whole.read.trials("lab")
    spent = Fraction(sum(t.config.budget.steps for t in trials), CLIMBING.budget.steps)
    assert CLIMBING.n_trials <= spent < CLIMBING.n_trials + 1
    assert len(trials) > 2 * CLIMBING.n_trials
    assert whole.read.study("lab").n_done == CLIMBING.n_trials


def test_new_stacks_start_on_the_shortest_rung_and_climb_by_promotions(whole):
    trials = whole.read.trials("lab")
    steps = {name: {t.config.budget.steps for t in trials if t.proposer == name} for name in ("local", "tpe")}
    assert steps == {"local": {55}, "tpe": {55}}
    risen = [t for t in trials if t.proposer == "promotion"]
    assert {t.config.budget.steps for t in risen} == {166, 500}
    for t in risen:
        (below,) = (s for s in trials if t.reason.startswith(f"#{s.number} "))
        assert below.params == t.params
        assert below.config.budget.steps == {166: 55, 500: 166}[t.config.budget.steps]


def test_no_config_is_run_twice_on_a_rung(whole):
    prints = [t.fingerprint for t in whole.read.trials("lab") if t.seed is None]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize("cuts", [(1, 7, 2)])
def test_a_climbing_study_cut_anywhere_and_resumed_equals_an_unbroken_one(tmp_path, whole, cuts):
    ledger = Store(tmp_path / "arena.db")
    for cut in cuts:
        with pytest.raises(KeyboardInterrupt):
            study(ledger, CLIMBING, Instant(stop_after=cut))
    study(ledger, CLIMBING)
    assert stamps(ledger) == stamps(whole)
    ledger.close()


@pytest.fixture(scope="module")
def lucky(tmp_path_factory):
    """A study in which a third of the steps scores below every whole run and a ninth above: who mixes them shows it."""
    opened = Store(tmp_path_factory.mktemp("lucky") / "arena.db")

    class Lucky(Instant):
        def poll(self, seconds):
            moved = {55: 1.0, 166: -1.0, 500: 0.0}[self.jobs[0].config.budget.steps]
            point, ended = super().poll(seconds)
            return [point, replace(ended, outcome=replace(ended.outcome, val_loss=ended.outcome.val_loss + moved))]

    study(opened, CLIMBING, Lucky())
    yield opened
    opened.close()


def test_boards_and_the_best_know_whole_runs_alone(lucky):
    trials = lucky.read.trials("lab")
    assert {entry.config.budget.short for entry in lucky.read.entries()} == {False}
    assert {row.identity.steps for row in standings(lucky.read.entries())} == {500}
    best = best_of(lucky.read, lucky.read.study("lab"))
    assert best == on_the_screen(trials)
    assert best.val_loss == min(t.val_loss for t in trials if not t.is_short)
    assert [t.is_short for t in in_order(trials, "val_loss")] == sorted(t.is_short for t in trials)
    baselines = Baselines(lucky.read.entries())
    assert {baselines.delta(t) is None for t in trials if t.is_short} == {True}


def test_the_kept_model_is_of_the_best_whole_run(lucky):
    kept = [t for t in lucky.read.trials("lab") if (found := lucky.read.artifact(t.run.id)) and found.file]
    assert kept == [best_of(lucky.read, lucky.read.study("lab"))]


def test_a_short_run_is_no_entry(lucky, tmp_path):
    short = next(t for t in lucky.read.trials("lab") if t.is_short)
    with pytest.raises(StoreError, match="a rung and no entry"):
        write_submission(lucky.path, "lab", short.number, tmp_path / "out", None, print)


def test_an_edit_stands_on_a_run_as_short_as_itself(lucky):
    trials = {t.number: t for t in lucky.read.trials("lab")}
    pairs = [(t, trials[int(t.reason.split()[1])]) for t in trials.values() if t.proposer == "local"]
    assert pairs
    assert {(t.config.budget.steps, stood.config.budget.steps) for t, stood in pairs} == {(55, 55)}


def test_what_is_confirmed_is_a_whole_run(lucky):
    trials = lucky.read.trials("lab")
    spec = replace(CLIMBING, n_trials=24)
    # as if it had gone on: the rest of the noise floor, then a search that found nothing
    more = ["replication"] * 2 + ["tpe"] * 22
    spent = [replace(trials[0], number=100 + i, proposer=who, seed=2000 + i) for i, who in enumerate(more)]
    begun = replace(trials[0], number=199, proposer="confirm", seed=PUBLISHED_SEEDS[0])
    planner = Researcher(Proposers(Space(spec), cards(), lambda config: []))
    said = planner.next(200, [*trials, *spent, begun]).suggest()
    assert said.proposer == "confirm"
    (candidate,) = (t for t in trials if said.hypothesis.startswith(f"is trial {t.number} "))
    assert not candidate.is_short


def test_the_report_compares_whole_runs_and_shows_how_short_ones_rank(lucky):
    facts = gather(lucky.read, "lab")
    assert {arm.config.budget.short for arm in facts.arms} == {False}
    assert not any(t.is_short for t in (*facts.scored, *facts.records))
    assert facts.elsewhere == ()
    said = to_markdown(commentary(facts))
    assert "Short runs, each scored on fewer bytes" in said
    assert "1/9 of the steps" in said


def test_the_report_ranks_each_rung_and_says_how_far_its_best_went(lucky):
    facts = gather(lucky.read, "lab")
    (section,) = short_runs(facts)
    tables = [part for part in section.parts if isinstance(part, Table)]
    ninth = next(part for part in tables if part.columns[0].name == "rank")
    losses = [row.cells[2] for row in ninth.rows]
    assert losses == sorted(losses)
    trials = {t.number: t for t in facts.trials}
    for row in ninth.rows:
        assert {trials[row.trials[0]].config.budget.steps} == {55}
        for number in row.trials[1:]:
            assert f"{trials[number].val_loss:.4f} (#{number})" in row.cells[4]
            assert trials[number].config.picks == trials[row.trials[0]].config.picks
    assert any(len(row.trials) == 3 for row in ninth.rows)
    (alone, *_) = (part for part in tables if part.columns[0].name == "technique")
    assert "muon" in {row.cells[0] for row in alone.rows}


def test_a_study_without_short_runs_has_no_section_on_them(lucky):
    facts = gather(lucky.read, "lab")
    whole = replace(facts, study=replace(facts.study, spec=replace(facts.study.spec, rungs=())))
    assert not list(short_runs(whole))


def test_show_lists_the_rungs_and_how_they_rank(lucky):
    told = trials_table(lucky.read, "lab")
    assert "short runs of 1/9 of the steps: Spearman" in told
    assert "55 steps" in told
    assert [found["rung"] for found in study_json(lucky.read, "lab")["rungs"]] == [9, 3]


def test_the_sampler_takes_a_short_run_for_one_that_went_no_further(lucky):
    short = next(t for t in lucky.read.trials("lab") if t.is_short and t.state is State.COMPLETE)
    assert told_state(short, comparable=True).name == "PRUNED"
    assert on_the_way(short) == {55: short.val_loss}
    assert Ladder(CLIMBING, cards()).climbs([short])[0].rung == 9


@pytest.mark.slow
def test_on_the_landscape_a_ninth_and_a_third_get_lower_at_the_same_cost():
    with_, without = (
        statistics.fmean(RungSearch(seed, 50, rungs).run() for seed in range(8)) for rungs in ((9, 3), ())
    )
    assert with_ < without - 0.003


def test_the_landscapes_short_runs_rank_as_it_says():
    rng = random.Random(5)
    stacks = []
    while len(stacks) < 300:
        drawn = landscape.walk(lambda name, values: drawn_from(values, rng))
        if landscape.fits(drawn) and not landscape.out_of_memory(drawn):
            stacks.append(drawn)
    stacks.sort(key=landscape.true_score)
    ranks = [
        spearman([score_at(p, rung) for p in some], [landscape.true_score(p) for p in some])
        for some in (stacks, stacks[:60])
        for rung in (9, 3)
    ]
    assert ranks == pytest.approx([0.85, 0.92, 0.57, 0.71], abs=0.02)
