"""Standings: from runs in any order to rows, best first."""

import dataclasses
import statistics

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.catalog import full_pick
from bench.config import Budget, Pick, fingerprint
from bench.divisions import BASE, baseline
from bench.records import Identity
from bench.standings import Entry, standings
from bench.tracks import PUBLISHED_SEEDS

# examples take as long as the machine is busy
calm = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

IDENTITY = Identity("featherweight", 1, "digest", 500, 32, 96, 1, "cpu", 1)


def config_with(optimizer="adamw", budget=BASE.budget, **knobs):
    base = baseline(budget)
    if optimizer == "adamw":
        return base.replaced("optimizer", [Pick("adamw", {**base.pick("optimizer").knobs, **knobs})])
    return base.replaced("optimizer", [full_pick("optimizer", optimizer, knobs)])


def entry(config=BASE, val_loss=1.5, **changes):
    fields = {
        "identity": IDENTITY,
        "division": "optimizer",
        "config": config,
        "fingerprint": fingerprint(config),
        "seed": 1001,
        "val_loss": val_loss,
        "weights_bytes": 3_000_000,
        "parameters": 851_968,
        "train_seconds": 60.0,
        "study": "first",
        "trial": 0,
    }
    return Entry(**fields | changes)


CONFIGS = (BASE, config_with(lr=1e-3), config_with("lion"), config_with("lion", lr=2e-3), config_with("muon"))
IDENTITIES = (IDENTITY, dataclasses.replace(IDENTITY, steps=800), dataclasses.replace(IDENTITY, device_class="gpu"))


@st.composite
def boards(draw):
    """Runs with links to them: a run's numbers depend on identity, config and seed alone."""
    entries = []
    for _ in range(draw(st.integers(0, 12))):
        which = draw(st.integers(0, 2)), draw(st.integers(0, 4)), draw(st.integers(0, 3))
        identity, config, seed = IDENTITIES[which[0]], CONFIGS[which[1]], 1001 + which[2]
        # few different values, so that ties are common
        loss = 1.0 + sum(which) % 3 / 8
        link = {"study": draw(st.sampled_from("ab")), "trial": draw(st.sampled_from((None, 0, 1)))}
        division = draw(st.sampled_from(("optimizer", "open")))
        entries.append(entry(config, loss, identity=identity, seed=seed, division=division, **link))
    return entries


@calm
@given(entries=boards(), data=st.data())
def test_standings_do_not_depend_on_the_order_of_rows(entries, data):
    assert standings(data.draw(st.permutations(entries))) == standings(entries)


@calm
@given(entries=boards())
def test_a_run_linked_again_changes_nothing(entries):
    again = [dataclasses.replace(e, study="later", trial=7) for e in entries]
    assert standings(entries + again) == standings(entries)


@calm
@given(entries=boards())
def test_identities_are_never_mixed(entries):
    apart = [row for identity in sorted(IDENTITIES) for row in standings(e for e in entries if e.identity == identity)]
    assert standings(entries) == apart


@calm
@given(entries=boards())
def test_ranks_count_from_one_and_follow_the_score(entries):
    rows = standings(entries)
    for identity, division in {(row.identity, row.division) for row in rows}:
        board = [row for row in rows if (row.identity, row.division) == (identity, division)]
        assert [row.rank for row in board] == list(range(1, len(board) + 1))
        assert [row.val_loss for row in board] == sorted(row.val_loss for row in board)
        assert len({row.label for row in board}) == len(board)


def test_nothing_stands_where_nothing_ran():
    assert standings([]) == []


def test_the_best_config_stands_for_its_label():
    rows = standings(
        [entry(config_with("lion", lr=lr), loss) for lr, loss in ((1e-3, 1.45), (2e-3, 1.42), (3e-3, 1.5))]
    )
    assert [(row.label, row.val_loss, row.n_runs) for row in rows] == [("lion", 1.42, 3)]
    assert rows[0].fingerprint == fingerprint(config_with("lion", lr=2e-3))


def test_lower_is_better():
    rows = standings([entry(BASE, 1.5), entry(config_with("muon"), 1.4), entry(config_with("lion"), 1.45)])
    assert [(row.rank, row.label) for row in rows] == [(1, "muon"), (2, "lion"), (3, "adamw")]


def test_a_score_is_the_mean_over_seeds():
    losses = [1.5, 1.6, 1.52]
    (row,) = standings([entry(val_loss=loss, seed=seed) for seed, loss in enumerate(losses)])
    assert row.val_loss == pytest.approx(statistics.fmean(losses))
    assert row.sd == pytest.approx(statistics.stdev(losses))
    assert (row.n_seeds, row.n_runs) == (3, 3)


def test_published_seeds_speak_alone_and_the_search_seed_is_shown_beside_them():
    published = [1.45, 1.47, 1.46]
    entries = [entry(val_loss=1.40, seed=1001)]
    entries += [entry(val_loss=loss, seed=seed) for seed, loss in zip(PUBLISHED_SEEDS, published, strict=False)]
    (row,) = standings(entries)
    assert row.val_loss == pytest.approx(1.46)
    assert (row.sd, row.n_seeds) == (pytest.approx(statistics.stdev(published)), 3)
    assert row.search_loss == 1.40


def test_without_published_seeds_there_is_no_search_score_beside_the_mean():
    assert standings([entry()])[0].search_loss is None


def test_a_delta_is_between_seeds_of_the_same_kind():
    lion, muon = config_with("lion"), config_with("muon")
    entries = [entry(val_loss=1.5), entry(val_loss=1.6, seed=PUBLISHED_SEEDS[0])]
    entries += [entry(lion, 1.4), entry(muon, 1.3), entry(muon, 1.45, seed=PUBLISHED_SEEDS[0])]
    deltas = {row.label: row.delta for row in standings(entries)}
    assert deltas == {"adamw": 0.0, "lion": pytest.approx(-0.1), "muon": pytest.approx(-0.15)}


def test_one_seed_has_no_spread():
    assert standings([entry()])[0].sd is None


@pytest.mark.parametrize(("n_seeds", "unconfirmed"), [(1, True), (2, True), (3, False)])
def test_fewer_than_three_seeds_are_unconfirmed(n_seeds, unconfirmed):
    (row,) = standings([entry(seed=seed) for seed in range(n_seeds)])
    assert row.unconfirmed is unconfirmed


def test_one_run_linked_to_two_studies_counts_once():
    (row,) = standings([entry(study="first", trial=3), entry(study="second", trial=0)])
    assert (row.n_seeds, row.n_runs, row.study, row.trial) == (1, 1, "first", 3)


def test_a_run_outside_any_trial_is_named_before_its_first_trial():
    links = [entry(trial=None), entry(trial=0)]
    assert standings(links) == standings(links[::-1])
    assert standings(links)[0].trial is None


def test_seeds_are_counted_over_studies():
    (row,) = standings([entry(study="first", seed=1), entry(study="second", seed=2)])
    assert row.n_seeds == 2


def test_a_delta_is_new_minus_the_baseline():
    rows = standings([entry(BASE, 1.5), entry(config_with("lion"), 1.4)])
    assert [row.delta for row in rows] == [pytest.approx(-0.1), 0.0]


def test_a_tuned_baseline_is_measured_against_the_untuned_one():
    (row,) = standings([entry(BASE, 1.5), entry(config_with(lr=1e-3), 1.4)])
    assert (row.label, row.delta) == ("adamw", pytest.approx(-0.1))


def test_without_a_baseline_run_there_is_no_delta():
    assert standings([entry(config_with("lion"))])[0].delta is None


def test_the_baseline_of_another_identity_gives_no_delta():
    short = Budget(steps=800)
    rows = standings([entry(BASE), entry(config_with("lion", short), identity=IDENTITIES[1])])
    assert [(row.label, row.delta) for row in rows] == [("adamw", 0.0), ("lion", None)]


def test_the_delta_is_taken_at_the_runs_own_budget():
    short = Budget(steps=800)
    entries = [entry(baseline(short), 1.4), entry(config_with("lion", short), 1.3)]
    rows = standings(dataclasses.replace(e, identity=IDENTITIES[1]) for e in entries)
    assert rows[0].delta == pytest.approx(-0.1)


def test_divisions_have_boards_of_their_own():
    rows = standings([entry(division="optimizer"), entry(division="open")])
    assert [(row.division, row.label) for row in rows] == [("open", "baseline"), ("optimizer", "adamw")]


def test_ties_are_broken_by_fingerprint():
    tied = [config_with("lion"), config_with("muon")]
    rows = standings([entry(config) for config in tied])
    assert [row.fingerprint for row in rows] == sorted(map(fingerprint, tied))
