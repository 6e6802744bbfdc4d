"""The loop over an executor that answers at once: what it proposes, records, refuses, and takes up again."""

from dataclasses import replace

import pytest
from brought_files import GOOD
from instant import Instant, study
from ledger_rows import KEY, SPEC
from optuna.trial import TrialState

from autoresearch.choosing import n_planned
from autoresearch.executor import Ended
from autoresearch.loop import Search
from autoresearch.space import Space
from autoresearch.watching import Watcher
from bench.cards import cards
from bench.catalog import CATALOG, full_pick
from bench.config import fingerprint
from bench.divisions import BASE, recipe
from bench.records import Failure, Reason, State
from studies.definitions import StudySpec
from studies.ownership import this_process
from studies.store import Store


def table(store: Store, name: str = "lab") -> list[tuple[int, str, State, float | None]]:
    return [(t.number, recipe(t.config), t.state, t.val_loss) for t in store.read.trials(name)]


@pytest.fixture
def ledger(tmp_path):
    opened = Store(tmp_path / "arena.db")
    yield opened
    opened.close()


def test_the_baseline_comes_first_then_each_technique_at_its_defaults(ledger):
    study(ledger, replace(SPEC, n_trials=4))
    assert [t.config.pick("optimizer").name for t in ledger.read.trials("lab")] == [
        t.name for t in CATALOG["optimizer"][:4]
    ]
    first = ledger.read.trials("lab")[0]
    assert (first.proposer, recipe(first.config)) == ("baseline", "baseline")


def test_a_technique_opens_with_what_its_evidence_asks_for():
    openings = {o.reason: o for o in Space(replace(SPEC, division_name="open")).openings()}
    asked = openings["smear_gate at its defaults, with orthogonal beside it"]
    assert (asked.params["smear_gate"], asked.params["init"]) == (True, "orthogonal")


def test_a_modifier_opens_on_a_technique_it_can_attach_to():
    openings = {o.reason: o for o in Space(replace(SPEC, division_name="open")).openings()}
    assert openings["muoneq_r at its defaults, with muon beside it"].params["optimizer"] == "muon"


def test_a_modifier_is_asked_for_only_where_it_can_attach():
    space = Space(replace(SPEC, division_name="open"))
    assert "muoneq_r" not in space.params_of({"optimizer": "lion"})
    assert space.params_of({"optimizer": "muon"})["muoneq_r"] is False


def test_a_modifier_without_anything_to_attach_to_does_not_open():
    openings = Space(replace(SPEC, division_name="open", settings=("optimizer=adamw,lion",))).openings()
    assert [o.reason for o in openings if "muoneq_r" in o.reason] == []


def test_a_trial_older_than_a_technique_is_recalled_without_it():
    space = Space(replace(SPEC, division_name="open"))
    params = space.params_of({"optimizer": "muon"})
    older = {name: value for name, value in params.items() if name not in ("softcap", "muoneq_r")}
    assert space.recall(older)[0] == space.recall(params)[0]
    assert set(space.recall(older)[1]) == set(older)


def test_the_policy_openings_ends_when_each_technique_has_been_tried(ledger):
    spec = replace(SPEC, policy="openings", n_trials=100)
    assert study(ledger, spec, Instant(slots=2)) == "every opening is done"
    plain = [t.config for t in ledger.read.trials("lab") if not t.config.picks["optimizer_modifiers"]]
    assert [config.pick("optimizer").name for config in plain] == [
        t.name for t in CATALOG["optimizer"] if SPEC.division.enters("optimizer", t.name)
    ]
    assert {t.proposer for t in ledger.read.trials("lab")} == {"baseline", "opening"}


def test_what_openings_come_to_is_known_before_they_are_done(ledger):
    spec = replace(SPEC, policy="openings", n_trials=100)
    n_openings = len(list(Space(spec).openings()))
    assert n_planned(spec, 0, []) == n_openings
    assert n_planned(replace(spec, n_trials=2), 0, []) == 2
    assert n_planned(SPEC, 0, []) == SPEC.n_trials
    study(ledger, replace(spec, n_trials=3))
    assert n_planned(spec, 3, ledger.read.trials("lab")) == n_openings


def test_a_technique_younger_than_the_study_opens_before_the_sampler_goes_on(ledger, monkeypatch):
    monkeypatch.setitem(CATALOG, "optimizer", tuple(t for t in CATALOG["optimizer"] if t.name != "sgd"))
    spec = replace(SPEC, n_trials=len(list(Space(SPEC).openings())) + 2)
    study(ledger, spec)
    monkeypatch.undo()
    study(ledger, replace(spec, n_trials=spec.n_trials + 2))
    *_, young, drawn = ledger.read.trials("lab")
    assert (young.proposer, young.config.pick("optimizer").name) == ("opening", "sgd")
    assert drawn.proposer == "tpe"


def test_repeating_a_study_adds_nothing(ledger):
    study(ledger)
    before = table(ledger)
    assert study(ledger) == "all trials are done"
    assert table(ledger) == before


def test_a_study_cut_anywhere_and_resumed_equals_an_unbroken_one(ledger, tmp_path):
    spec = replace(SPEC, n_trials=16)
    whole = Store(tmp_path / "whole.db")
    study(whole, spec)
    for cut in (0, 1, 3, 5):
        with pytest.raises(KeyboardInterrupt):
            study(ledger, spec, Instant(stop_after=cut))
        assert [t.state for t in ledger.read.trials("lab")].count(State.INTERRUPTED) == 1
    study(ledger, spec)
    assert table(ledger) == table(whole)
    whole.close()


def test_every_slot_is_used_and_no_number_is_given_twice(ledger):
    study(ledger, replace(SPEC, n_trials=13), Instant(slots=3))
    assert [t.number for t in ledger.read.trials("lab")] == list(range(13))


def test_a_failure_is_recorded_and_the_study_goes_on(ledger):
    assert study(ledger) == "all trials are done"
    lion = ledger.read.trials("lab")[1]
    assert lion.state is State.FAILED
    assert lion.run is not None
    assert lion.run.reason is Reason.DIVERGED


def test_a_config_over_a_cap_is_refused_at_no_cost_and_does_not_count(ledger):
    spec = replace(SPEC, division_name="open", n_trials=3, settings=("ffn.mult=6",))
    refused: list[str] = []
    why = study(ledger, spec, watcher=Watcher(refused=lambda proposal, reason: refused.append(reason)))
    assert why == "12 proposals were refused"
    assert "parameters, and featherweight caps them at 1,000,000" in refused[0]
    assert {t.state for t in ledger.read.trials("lab")} == {State.REFUSED}


def test_a_hard_clash_is_refused_with_its_sentence(ledger):
    settings = ("mixer=softmax", "mixer_modifiers=nope,partial_rope")
    study(ledger, replace(SPEC, division_name="attention", n_trials=12, settings=settings))
    messages = [t.message for t in ledger.read.trials("lab") if t.state is State.REFUSED]
    assert messages
    assert all("partial_rope clashes with nope: both replace the rotation" in m for m in messages)


def test_refusals_are_the_same_after_a_resume(ledger, tmp_path):
    spec = replace(SPEC, division_name="attention", n_trials=20)
    whole = Store(tmp_path / "whole.db")
    study(whole, spec)
    with pytest.raises(KeyboardInterrupt):
        study(ledger, spec, Instant(stop_after=9))
    study(ledger, spec)
    assert table(ledger) == table(whole)
    whole.close()


def test_a_run_the_ledger_has_is_not_run_again(ledger):
    study(ledger)
    executor = Instant()
    study(ledger, replace(SPEC, name="again"), executor)
    assert executor.done == 0
    assert [row[1:] for row in table(ledger, "again")] == [row[1:] for row in table(ledger)]


def test_only_the_best_packed_model_is_kept(ledger):
    study(ledger, replace(SPEC, n_trials=12))
    best = min((t for t in ledger.read.trials("lab") if t.val_loss is not None), key=lambda t: t.val_loss)
    kept = {t.number for t in ledger.read.trials("lab") if t.run and (a := ledger.read.artifact(t.run.id)) and a.file}
    assert kept == {best.number}
    assert len(list(ledger.artifacts.iterdir())) == 1


def test_a_stop_asked_for_ends_the_study_and_leaves_it_resumable(ledger):
    class Asked(Instant):
        def poll(self, seconds):
            if self.done == 2:
                ledger.ask_to_stop("lab")
            return super().poll(seconds)

    assert study(ledger, replace(SPEC, n_trials=500), Asked()) == "a stop was asked for"
    assert ledger.read.study("lab").n_done < 500


def test_the_policy_random_differs_from_tpe_only_after_the_openings(ledger):
    study(ledger, replace(SPEC, n_trials=16))
    study(ledger, replace(SPEC, name="random", policy="random", n_trials=16))
    one, other = table(ledger), table(ledger, "random")
    assert one[:4] == other[:4]
    assert one != other


def test_tpe_finds_more_than_random_on_a_smooth_landscape(ledger):
    spec = replace(SPEC, n_trials=40, settings=("optimizer=adamw,muon",))
    study(ledger, spec)
    study(ledger, replace(spec, name="random", policy="random"))
    late = {name: [row[3] for row in table(ledger, name)[20:] if row[3]] for name in ("lab", "random")}
    assert sum(late["lab"]) / len(late["lab"]) < sum(late["random"]) / len(late["random"])


@pytest.mark.parametrize(
    ("setting", "param", "there"),
    [
        ("optimizer=lion", "optimizer", False),
        ("optimizer.lr=0.01", "adamw.lr", False),
        ("optimizer=adamw", "adamw.lr", True),
    ],
)
def test_what_is_set_is_not_searched(setting, param, there):
    params = next(Space(replace(SPEC, settings=("optimizer=adamw,muon", setting))).openings()).params
    assert (param in params) is there


def began_with(config, **changes):
    """A study of a given fighter."""
    return replace(SPEC, start=config, start_file="fighter.toml", **changes)


def fast(lr=0.0123456):
    return BASE.replaced("optimizer", [full_pick("optimizer", "muon", {"lr": lr})])


def test_a_fighter_that_is_given_comes_first_to_the_last_digit(ledger):
    study(ledger, began_with(fast(), n_trials=5, settings=("optimizer=adamw,muon", "optimizer_modifiers=none")))
    trials = ledger.read.trials("lab")
    assert trials[0].config == fast()
    assert (trials[0].proposer, trials[0].reason) == ("user", "from fighter.toml")
    assert [t.proposer for t in trials[1:]] == ["baseline", "opening", "tpe", "tpe"]


def test_a_given_fighter_that_is_an_opening_is_not_run_twice(ledger):
    muon = BASE.replaced("optimizer", [full_pick("optimizer", "muon", {})])
    study(ledger, began_with(muon, n_trials=3, settings=("optimizer=adamw,muon", "optimizer_modifiers=none")))
    assert [t.proposer for t in ledger.read.trials("lab")] == ["user", "baseline", "tpe"]


def test_a_given_fighter_that_is_the_baseline_is_the_baseline(ledger):
    study(ledger, began_with(BASE, n_trials=1))
    assert [t.proposer for t in ledger.read.trials("lab")] == ["baseline"]


def test_a_study_begun_with_a_fighter_and_cut_equals_an_unbroken_one(ledger, tmp_path):
    spec = began_with(fast(), n_trials=9)
    whole = Store(tmp_path / "whole.db")
    study(whole, spec)
    for cut in (0, 2, 3):
        with pytest.raises(KeyboardInterrupt):
            study(ledger, spec, Instant(stop_after=cut))
    study(ledger, spec)
    assert table(ledger) == table(whole)
    whole.close()


def test_a_study_of_a_mixer_of_ones_own_searches_around_it(ledger):
    own = BASE.replaced("mixer", [full_pick("mixer", "brought", {"code": GOOD})])
    study(ledger, began_with(own, division_name="community", n_trials=6))
    trials = ledger.read.trials("lab")
    assert [t.config.pick("mixer").label for t in trials] == ["brought:recent_mean", "softmax"] + 4 * [
        "brought:recent_mean"
    ]
    assert len({t.config.pick("mixer").knobs["window"] for t in trials if t.config.brings_code}) > 1
    assert all(GOOD not in str(t.params) for t in trials)


def test_a_mixer_found_to_be_too_large_marks_the_wall_and_costs_the_study_a_trial(ledger):
    class TooLarge(Instant):
        def poll(self, seconds):
            job = self.jobs.pop(0)
            reason = Reason.TOO_LARGE
            found = Failure(fingerprint=fingerprint(job.config), seed=1, reason=reason, step=0, message="too large")
            return [Ended(job.run_id, found)]

    store_begin(ledger)
    search = Search(SPEC, ledger, TooLarge(), KEY, {}, Watcher())
    search.run()
    assert {t.state for t in search.study.get_trials()} == {TrialState.PRUNED}
    assert {t.state for t in ledger.read.trials("lab")} == {State.FAILED}


def store_begin(ledger):
    ledger.begin(SPEC, cards(), this_process())


def test_a_study_that_began_with_a_fighter_is_another_than_one_that_did_not():
    (said,) = SPEC.differs_from(began_with(fast()))
    assert said == f'start "{fingerprint(fast())[:12]}", not null'


def test_a_definition_older_than_fighters_reads_and_writes_as_before():
    assert "start" not in SPEC.to_json()
    assert StudySpec.from_json(SPEC.to_json()) == SPEC
    assert StudySpec.from_json(began_with(fast()).to_json()) == began_with(fast())
