"""Combining, 2x2 tables, ablation and confirmation, on made-up techniques whose effects are known."""

import random
from dataclasses import replace
from types import SimpleNamespace

import pytest
from company import COMPANY, Company
from instant import study
from ledger_rows import SPEC
from rich.console import Console

from autoresearch.noise import Noise, Sample
from autoresearch.objections import objections
from autoresearch.reporting import patterns
from autoresearch.reporting.commentary import commentary
from autoresearch.reporting.facts import gather
from autoresearch.reporting.live import LiveReport
from autoresearch.researcher.confirm import Arm, Confirmation, method_for
from autoresearch.researcher.duplicates import drawn_again, not_worth_a_seed
from autoresearch.researcher.phases import ABLATION, COMBINE, PHASES, before, in_phase, may_spend
from autoresearch.researcher.proposals import Evidence, Suggestion
from autoresearch.researcher.squares import cells_of, pair_verdict, square
from autoresearch.session import run_study
from autoresearch.space import Space
from autoresearch.verdicts import Method, Verdict
from autoresearch.watching import Watcher
from bench.config import Pick, fingerprint
from bench.divisions import BASE, OPEN
from bench.errors import ConfigError
from bench.recipes import RECIPES
from bench.records import Reason, State
from bench.tracks import PUBLISHED_SEEDS, VerdictRule
from studies.store import Store


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A whole study of six techniques, read by several tests."""
    opened = Store(tmp_path_factory.mktemp("company") / "arena.db")
    study(opened, replace(COMPANY, n_trials=40), Company())
    yield opened
    opened.close()


def asked(store, what):
    return {v.question: v for v in store.read.verdicts("lab") if what in v.question}


# phases


def test_each_proposer_belongs_to_one_phase():
    proposers = [who for phase in PHASES for who in phase.proposers]
    assert len(set(proposers)) == len(proposers)


def test_the_later_phases_keep_to_their_shares(company):
    trials = company.read.trials("lab")
    assert 0 < len(in_phase(COMBINE, trials)) <= may_spend(COMBINE, 40)
    assert 0 < len(in_phase(ABLATION, trials)) <= may_spend(COMBINE, 40) + may_spend(ABLATION, 40)


def test_several_at_a_time_come_to_verdicts_of_every_kind(tmp_path):
    store = Store(tmp_path / "arena.db")
    study(store, replace(COMPANY, n_trials=26), Company(slots=2))
    for what in ("help or hinder", "what is ", "better than the baseline"):
        assert asked(store, what)
    store.close()


# recipes


def test_every_recipe_can_be_built_in_open_and_keeps_its_caps():
    spec = replace(SPEC, division_name="open")
    space = Space(spec)
    built = list(space.recipes())
    assert len(built) == len(RECIPES)
    assert [objections(space.recall(o.params)[0], spec) for o in built] == [[]] * len(built)
    assert all("only the sign is expected" in o.hypothesis and "(" in o.reason for o in built)


def test_a_division_runs_only_the_recipes_it_can_build_whole():
    assert [o.reason.split(" (")[0] for o in Space(SPEC).recipes()] == ["row-normalised Muon with Polar Express"]


def test_recipes_come_after_the_noise_floor_and_before_the_screen(tmp_path):
    store = Store(tmp_path / "arena.db")
    study(store, replace(SPEC, policy="researcher", n_trials=20, settings=("optimizer=adamw,muon",)))
    told = [t for t in store.read.trials("lab") if t.proposer in ("baseline", "replication", "recipe", "opening")]
    assert [t.proposer for t in told[:5]] == ["baseline", "replication", "replication", "recipe", "opening"]
    assert told[3].hypothesis.startswith("the update rule of a stack at 1.0634 bits per byte")
    store.close()


# 2x2 tables


def test_the_suspected_synergy_gets_its_table_and_its_verdict(company):
    cells = [t for t in company.read.trials("lab") if t.proposer == "2x2 cell"]
    assert any("orthogonal and smear_gate are believed" in t.reason for t in cells)
    (found,) = asked(company, "orthogonal and smear_gate").values()
    assert found.verdict == "synergy"
    assert found.low < -0.06 < found.high < 0
    assert set(found.run_ids) == {"both", "orthogonal", "smear_gate", "neither"}


def test_effects_that_add_up_are_inconclusive(company):
    (found,) = asked(company, "do ema and xsa").values()
    assert found.verdict == "inconclusive"
    assert found.low < 0 < found.high


SQUARE = {(): 1.50, ("smear_gate",): 1.45, ("xsa",): 1.46, ("smear_gate", "xsa"): 1.45}


def company_config(*names):
    config = BASE
    for name in names:
        slot = {"smear_gate": "features", "xsa": "mixer_modifiers"}[name]
        config = config.replaced(slot, [Pick(name, {})])
    return config


@pytest.mark.parametrize(("both", "verdict"), [(1.41, "inconclusive"), (1.35, "synergy"), (1.45, "redundancy"),
                                               (1.49, "conflict")])  # fmt: skip
def test_a_pair_is_named_by_its_contrast_and_its_noise(both, verdict):
    made = square(company_config("smear_gate", "xsa"), "smear_gate", "xsa", BASE)
    scores = {**SQUARE, ("smear_gate", "xsa"): both}
    samples = {fingerprint(company_config(*names)): Sample({1001: score}) for names, score in scores.items()}
    noise = Noise(sigma=0.004, low=0.002, high=0.01, df=30)
    found = pair_verdict(made, cells_of(made, samples), noise, 0.01, "trial 7's stack", {})
    assert found.verdict == verdict
    assert found.effect == pytest.approx(both - 1.45 - 1.46 + 1.50)


def test_what_can_not_stand_alone_makes_no_square():
    assert square(company_config("smear_gate"), "smear_gate", "xsa", BASE) is None


# ablation


def test_every_technique_of_the_stack_has_a_verdict(company):
    trials = company.read.trials("lab")
    subject = Evidence(before(ABLATION, trials), 0.01).incumbent()
    found = asked(company, f"trial {subject.number}'s stack?")
    places = {q.split()[2]: v.verdict for q, v in found.items() if q.startswith("what is ")}
    assert (places["muon"], places["orthogonal"]) == ("needed", "needed")
    assert set(places.values()) <= {"needed", "neutral", "harmful", "inconclusive"}


def test_more_seeds_go_where_one_can_not_tell(company):
    again = [t for t in company.read.trials("lab") if t.proposer == "leave-one-out" and t.seed is not None]
    assert again
    assert all(t.seed not in PUBLISHED_SEEDS for t in again)
    assert all("fewer can't tell" in t.rule for t in again)


# duplicates


def trial(number, print_, val_loss, seed=None, state=State.COMPLETE, **more):
    run = SimpleNamespace(seed=1001 if seed is None else seed, id=number, reason=None) if val_loss else None
    return SimpleNamespace(
        number=number, fingerprint=print_, val_loss=val_loss, seed=seed, state=state, run=run, params={}, config=BASE,
        **more,
    )  # fmt: skip


def test_a_config_drawn_again_gets_the_next_search_seed():
    said = Suggestion(params=None, proposer="tpe", rule="drawn", reason="by chance")
    evidence = Evidence([trial(0, fingerprint(BASE), 1.5), trial(1, fingerprint(BASE), 1.5, seed=1002)], 0.01)
    again = drawn_again(said, evidence, BASE, 1001)
    assert again.seed == 1003
    assert "trial 0's config" in again.reason
    assert drawn_again(said, Evidence([], 0.01), BASE, 1001) is said


@pytest.mark.parametrize(("val_loss", "refused"), [(1.52, False), (1.56, True), (None, True)])
def test_it_is_run_only_near_the_best(val_loss, refused):
    state = State.COMPLETE if val_loss else State.FAILED
    evidence = Evidence([trial(0, fingerprint(BASE), val_loss, state=state), trial(1, "best", 1.5)], 0.01)
    assert bool(not_worth_a_seed(evidence, BASE)) == refused


def test_in_a_space_that_is_used_up_nothing_is_run_again_silently(tmp_path):
    fixed = ("optimizer.lr=0.008", "optimizer.beta1=0.9", "optimizer.beta2=0.95", "optimizer.weight_decay=0.01")
    spec = replace(
        SPEC, division_name="precision", policy="researcher", n_trials=9,
        settings=("precision=fp32,bf16_ste", "precision_modifiers=none", "schedule.warmup=0.04", *fixed),
    )  # fmt: skip
    store = Store(tmp_path / "arena.db")
    study(store, spec, Company())
    trials = store.read.trials("lab")
    ran = [(t.fingerprint, t.run.seed) for t in trials if t.run]
    assert len(set(ran)) == len(ran)
    again = [t for t in trials if "drawn again" in t.rule and t.run]
    assert again
    assert {t.run.seed for t in again} >= {1002}
    store.close()


# confirmation


OLD = Arm(name="the baseline", fingerprint="old", params={})
ONE, TWO = Arm(name="one", fingerprint="one", params={}), Arm(name="two", fingerprint="two", params={})
RULE = VerdictRule(alpha=0.01, margin=0.0)


def confirmation(most_runs=30, method=Method.WELCH):
    return Confirmation(candidates=(ONE, TWO), old=OLD, rule=RULE, method=method, most_runs=most_runs)


def run_all(asked_for, effects, sd=0.002):
    """Every run that is asked for, until none is."""
    trials = []
    while said := asked_for.next(trials):
        name = {"the baseline": "old"}.get(said.reason.split(" on ")[0], said.reason.split(" on ")[0])
        noise = random.Random(f"{name}{said.seed}").gauss(0.0, sd)
        trials.append(trial(len(trials), name, 1.5 + effects.get(name, 0.0) + noise, seed=said.seed))
    return trials


def test_arms_take_turns_and_all_run_the_same_seeds():
    trials = run_all(confirmation(most_runs=9), {"one": -0.2, "two": -0.2})
    assert [t.fingerprint for t in trials[:6]] == ["old", "one", "two", "two", "one", "old"]
    assert [t.seed for t in trials[::3]] == list(PUBLISHED_SEEDS[:3])


def test_a_decided_candidate_gets_no_further_seed_and_keeps_its_verdict():
    asked_for = confirmation(most_runs=21)
    trials = run_all(asked_for, {"one": -0.2})
    n = {name: sum(t.fingerprint == name for t in trials) for name in ("old", "one", "two")}
    assert n == {"old": 7, "one": 3, "two": 7}
    one, two = asked_for.judgements(trials)
    assert (one.verdict, one.n) == (Verdict.SUPPORTED, 3)
    assert (two.verdict, two.n) == (Verdict.INCONCLUSIVE, 7)
    assert "over 2 candidates" in one.why
    assert "more seed" in two.why or "would decide" in two.why


def test_a_candidate_that_fails_is_judged_and_costs_the_other_nothing():
    asked_for = confirmation(most_runs=9)
    trials = run_all(asked_for, {"one": -0.2, "two": -0.2})
    lost = next(t for t in trials if t.fingerprint == "two")
    lost.val_loss, lost.state, lost.run = None, State.FAILED, SimpleNamespace(reason=Reason.DIVERGED, id=9, seed=1)
    one, two = asked_for.judgements(trials)
    assert (one.verdict, two.verdict) == (Verdict.SUPPORTED, Verdict.FAILED)


def test_no_verdict_before_the_look_is_whole():
    asked_for = confirmation(most_runs=9)
    trials = run_all(asked_for, {"one": -0.2, "two": -0.2})
    assert asked_for.verdicts(trials[:-1]) is None
    assert len(asked_for.verdicts(trials)) == 2


def test_pairs_are_tested_only_where_replicates_have_shown_that_it_pays():
    seeds = range(1001, 1007)
    base = Sample({seed: 1.5 + 0.01 * (seed % 3) for seed in seeds})
    alike = Sample({seed: score - 0.1 + 0.0005 * (seed % 2) for seed, score in base.scores.items()})
    assert method_for({"old": base, "new": alike}, "old", 3) is Method.PAIRED
    few = {seed: alike.scores[seed] for seed in (1001, 1002)}
    assert method_for({"old": base, "new": Sample(few)}, "old", 3) is Method.WELCH
    assert method_for({"new": alike}, "old", 3) is Method.WELCH


def test_the_best_stacks_within_noise_are_confirmed_each_stack_once(company):
    found = asked(company, "better than the baseline")
    assert len(found) == 2
    assert {v.verdict for v in found.values()} == {"supported"}
    numbers = [int(q.split()[2]) for q in found]
    trials = {t.number: t for t in company.read.trials("lab")}
    assert len({OPEN.label(trials[n].config) for n in numbers}) == 2


# the report


def test_the_report_has_every_verdict_with_its_trials(company):
    facts = gather(company.read, "lab")
    section = next(s for s in commentary(facts).sections if s.title == "Verdicts")
    table = next(part for part in section.parts if hasattr(part, "rows") and part.columns[0].name == "question")
    assert len(table.rows) == len(company.read.verdicts("lab"))
    assert all(row.trials for row in table.rows)
    phases = next(part for part in section.parts if hasattr(part, "rows") and part.columns[0].name == "phase")
    assert [row.cells[0] for row in phases.rows][:2] == ["preflight", "noise floor"]


def test_a_gain_below_the_price_of_its_time_is_labelled(company, monkeypatch):
    facts = gather(company.read, "lab")
    gain = facts.beliefs.effect("smear_gate")
    assert gain.mean < 0
    monkeypatch.setattr(patterns, "nats_per_log_step", lambda facts: 10.0)
    monkeypatch.setattr(patterns, "time_ratio", lambda facts, name: 1.2)
    assert next(patterns.labels(facts, gain)).startswith("slower: 20 % a step is worth 1.8232 nats/byte")
    monkeypatch.setattr(patterns, "time_ratio", lambda facts, name: 1.0001)
    assert not any("slower" in label for label in patterns.labels(facts, gain))


def test_the_report_of_a_running_study_is_written_every_ten_minutes(company, tmp_path, monkeypatch):
    live = LiveReport(company.path, "lab", tmp_path / "out", print)
    live.beat()
    assert not (tmp_path / "out").exists()
    live.written -= 601
    live.beat()
    assert "## Verdicts" in (tmp_path / "out" / "report.md").read_text()
    wrote = (tmp_path / "out" / "report.md").stat().st_mtime_ns
    live.beat()
    assert (tmp_path / "out" / "report.md").stat().st_mtime_ns == wrote


def test_a_report_that_cannot_be_written_ends_no_study(company, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    said = []
    LiveReport(company.path, "lab", tmp_path / "out", said.append, written=-601.0).beat()
    assert said == [f"{tmp_path / 'out'} holds mine, which is no report; the study goes on"]


def test_a_place_that_holds_something_else_is_refused_before_anything_is_spent(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    store = Store(tmp_path / "arena.db")
    with pytest.raises(ConfigError, match="which is no report"):
        run_study(SPEC, store, None, 1, Console(quiet=True), report=tmp_path / "out")
    assert store.read.studies() == []
    store.close()


def test_the_loop_gives_its_watcher_a_beat(tmp_path):
    store, beats = Store(tmp_path / "arena.db"), []
    study(store, replace(SPEC, n_trials=2), watcher=Watcher(beat=lambda: beats.append(1)))
    assert len(beats) == 2
    store.close()
