"""The published findings put to the test: every arm alike, verdicts from the ledger alone, a stop loses nothing."""

import math
from collections import Counter
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
from instant import Instant, study
from ledger_rows import SPEC, result

from autoresearch import choosing
from autoresearch.claims.judging import judged
from autoresearch.claims.listing import claims_table, found_in, found_of, hours_of, markdown, report_json
from autoresearch.claims.plan import ClaimsPlan, known_runs, with_stack
from autoresearch.executor import Ended
from bench.catalog import realise, refusals
from bench.config import fingerprint
from bench.divisions import BASE, baseline, division_named
from bench.errors import StoreError
from bench.estimate import over_caps, raw_bytes
from bench.records import State
from bench.tracks import FEATHERWEIGHT, PUBLISHED_SEEDS
from studies.asked import Proposal
from studies.claims import ARMS, BASELINE, CLAIMS, N_TUNING, POLICY, SEEDS, STUDY, arm_named
from studies.definitions import StudySpec
from studies.measurements import measurements_named
from studies.shipped import export_measured, import_measured
from studies.store import Store

TOTAL = sum(arm.n_runs for arm in ARMS)
CLAIMED = replace(SPEC, policy=POLICY, division_name="open", n_trials=TOTAL)
RULE = FEATHERWEIGHT.rules[0]

# nats per byte that a technique is worth
WORTH = {"lion": -0.1, "sophia": 0.2, "rwkv6": -0.5, "s4d": -0.05, "swiglu": 0.06, "gqa": 0.001, "smear_gate": -0.1}
BEST_LR = {"adamw": 5e-3, "lion": 1e-3, "sophia": 6e-3}


def loss_of(config, seed):
    """A landscape: techniques have their worth, steps help, lr and weight decay have their best, seeds their luck."""
    picks = {pick.name for chosen in config.picks.values() for pick in chosen}
    optimizer = config.pick("optimizer")
    far = abs(math.log10(float(optimizer.knobs["lr"]) / BEST_LR[optimizer.name]))
    luck = (int(fingerprint(config)[:6], 16) * (seed or 1001) % 1000) / 1e6
    synergy = -0.05 if {"ema", "xsa"} <= picks else 0.0
    decay = -0.02 * (float(optimizer.knobs["weight_decay"]) > 0.05)
    return 1.5 + sum(WORTH.get(n, 0.0) for n in picks) + synergy - 2e-4 * config.budget.steps + 0.1 * far + decay + luck


def trial(config, seed, loss, number=0, state=State.COMPLETE):
    """As much of a trial as a verdict reads."""
    run = SimpleNamespace(
        id=number,
        weights_bytes=1000 if config.pick("precision").name == "fp32" else 260,
        parameters=786_432 if config.pick("mixer").name == "gqa" else 851_968,
        reason=None,
        identity=SimpleNamespace(device_class="cpu/test"),
        val_loss=loss,
    )
    return SimpleNamespace(
        number=number, fingerprint=fingerprint(config), seed=seed, state=state, val_loss=loss, run=run, config=config
    )


def run_all(plan, loss=loss_of):
    """Every run the plan asks for, ended at once."""
    trials = []
    while (move := plan.next(len(trials), trials)).suggest is not None:
        said = move.suggest()
        trials.append(trial(said.config, said.seed, loss(said.config, said.seed), len(trials)))
    assert move.over
    return trials, move


@pytest.fixture(scope="module")
def ran():
    return run_all(ClaimsPlan(CLAIMED))


def test_every_arm_gets_the_same_tuning_and_then_the_first_published_seeds(ran):
    trials, _ = ran
    for name, plan in ClaimsPlan(CLAIMED).plans.items():
        steps = list(plan.steps(known_runs(trials)))
        tuning = {step.name: step.made.config for step in steps if step.seed is None}
        lengths = Counter(config.budget.steps for config in tuning.values())
        steps_of = plan.arm.steps
        expected = {} if plan.arm.untuned else {steps_of // 3: N_TUNING - 2, steps_of: 2}
        assert lengths == expected, name
        assert [step.seed for step in steps if step.seed is not None] == list(PUBLISHED_SEEDS[:SEEDS]), name


def test_the_definition_has_as_many_trials_as_the_arms_run(ran):
    trials, _ = ran
    assert len(trials) == TOTAL == measurements_named("claims")[0].n_trials


def test_no_run_is_asked_for_twice(ran):
    names = [(t.fingerprint, t.seed) for t in ran[0]]
    assert len(set(names)) == len(names)


def test_tuning_finds_a_better_learning_rate_and_weight_decay_than_it_began_with(ran):
    known = known_runs(ran[0])
    plan = ClaimsPlan(CLAIMED).plans["lion"]
    assert loss_of(plan.chosen(known).config, None) < loss_of(plan.plain, None) - 0.02


def test_search_sees_no_published_seed(ran):
    """The chosen config is the same whatever the published runs say."""
    trials, _ = ran
    changed = [trial(t.config, t.seed, 9.9 if t.seed else t.val_loss, t.number) for t in trials]
    for name, plan in ClaimsPlan(CLAIMED).plans.items():
        assert plan.chosen(known_runs(trials)) == plan.chosen(known_runs(changed)), name


def test_the_same_ledger_gives_the_same_next_run(ran):
    trials, _ = ran
    for n in (0, 5, 40, 100, len(trials) - 1):
        said = ClaimsPlan(CLAIMED).next(n, trials[:n]).suggest()
        assert (fingerprint(said.config), said.seed) == (trials[n].fingerprint, trials[n].seed)


def test_an_arm_waits_for_its_own_runs_and_the_next_arm_goes_on():
    plan = ClaimsPlan(CLAIMED)
    first = list(plan.plans[BASELINE.name].steps({}))
    running = [trial(step.made.config, None, None, i, State.RUNNING) for i, step in enumerate(first)]
    assert plan.next(3, running).suggest().reason.startswith(f"{ARMS[1].name}:")


def test_a_study_of_fewer_trials_ends_when_they_are_spent():
    trials, move = run_all(ClaimsPlan(replace(CLAIMED, n_trials=12)))
    assert (len(trials), move.over) == (12, True)


def test_every_arm_can_be_built_and_keeps_the_rules():
    for arm in ARMS:
        config = with_stack(arm, baseline(replace(BASE.budget, steps=arm.steps)))
        realise(config)
        assert refusals(config) + over_caps(config, FEATHERWEIGHT) + division_named("open").breaches(config) == []


def test_int4_is_compared_at_equal_bytes():
    wide, narrow = (
        raw_bytes(realise(with_stack(arm_named(name), BASE)), BASE.budget.seq_len)
        for name in ("int4, feed-forward x5", "int6, feed-forward x3")
    )
    assert wide == pytest.approx(narrow, rel=0.03)


def test_every_claim_says_where_it_is_from_and_names_arms_that_exist():
    names = [arm.name for arm in ARMS]
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS)
    assert set(names) == {name for claim in CLAIMS for name in claim.arms}, "an arm that no claim needs"
    for claim in CLAIMS:
        assert claim.source
        assert claim.published
        assert bool(claim.arms) != bool(claim.untestable)
        assert set(claim.arms) <= set(names)


def test_only_declared_comparisons_cross_budgets():
    assert {claim.name for claim in CLAIMS if claim.cross_budget} == {
        f"{name} in 500 steps beats softmax in 800" for name in ("RWKV", "Hyena", "SSM")
    }


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("int8 ties fp32", "supported"),
        ("Lion beats AdamW", "supported"),
        ("Sophia is under-tuned", "supported"),
        ("sliding window has fewer parameters", "not testable as published"),
        ("GQA ties softmax", "supported"),
        ("RWKV beats softmax", "supported"),
        ("SSM beats softmax", "refuted"),
        ("EMA needs XSA", "supported"),
        ("SmearGate without orthogonal hurts", "refuted"),
        ("SwiGLU is worse than relu^2", "supported"),
    ],
)
def test_each_claim_ends_as_the_landscape_says(ran, name, verdict):
    found = next(v for v in ran[1].verdicts if v.question == name)
    assert found.verdict == verdict, found.why
    if verdict != "not testable as published":
        assert found.low < found.effect < found.high
        assert (found.n, 0 <= found.p <= 1) == (SEEDS, True)
        assert all(len(ids) == SEEDS for ids in found.run_ids.values())
    assert found.why


def test_a_loss_that_ties_without_the_saving_is_refuted():
    claim = next(claim for claim in CLAIMS if claim.name == "int8 ties fp32")
    arms = {
        arm: {seed: trial(BASE, seed, 1.24 + place * 1e-4, place) for place, seed in enumerate((1337, 42, 7))}
        for arm in claim.arms
    }
    for each in arms[claim.new].values():
        each.run.weights_bytes = 420
        each.val_loss += 1e-5
    assert judged(claim, arms, RULE).verdict == "refuted"
    for each in arms[claim.new].values():
        each.run.weights_bytes = 400
    found = judged(claim, arms, RULE)
    assert found.verdict == "supported"
    assert "weights_bytes 40.0 %" in found.why
    assert "worse by less than 0.01 nats/byte" in found.why


def test_an_arm_that_loses_a_seed_is_not_compared():
    claim = next(claim for claim in CLAIMS if claim.name == "Lion beats AdamW")
    arms = {arm: {s: trial(BASE, s, 1.0) for s in (1337, 42, 7)} for arm in claim.arms}
    arms[claim.new][42] = trial(BASE, 42, None, state=State.FAILED)
    arms[claim.new][42].run.reason = "diverged"
    assert judged(claim, arms, RULE).verdict == "failed"


def test_runs_of_two_kinds_of_machine_are_never_compared():
    claim = next(claim for claim in CLAIMS if claim.name == "Lion beats AdamW")
    arms = {
        arm: {seed: trial(BASE, seed, 1.2 + place + 1e-3 * i) for i, seed in enumerate((1337, 42, 7))}
        for place, arm in enumerate(claim.arms)
    }
    assert judged(claim, arms, RULE).verdict == "supported"
    arms[claim.old][7].run.identity.device_class = "gpu/test"
    found = judged(claim, arms, RULE)
    assert (found.verdict, found.p) == ("inconclusive", None)
    assert "never compared" in found.why


def test_a_partial_ledger_says_what_is_left(ran):
    trials, _ = ran
    half = found_of(CLAIMED, trials[: TOTAL // 2], "here")
    assert half.n_left == TOTAL - TOTAL // 2
    assert 0 < half.hours_left < sum(map(hours_of, ARMS))
    verdicts = [row.said for row in half.rows]
    assert "not measured yet" in verdicts
    assert "supported" in verdicts
    assert f"{TOTAL // 2} of {TOTAL} runs done" in claims_table(half)
    plain = report_json(half)
    assert plain["runs_left"] == half.n_left
    assert len(plain["arms"][0]["tuning"]) == N_TUNING


def test_the_claims_cost_ten_to_fifteen_core_hours():
    assert 10 <= sum(map(hours_of, ARMS)) <= 15


def test_a_finding_that_only_untuned_arms_show_is_called_an_artefact():
    """SSM is ahead at the defaults alone: there softmax has a bad learning rate, and tuning finds a good one."""

    def loss(config, seed):
        knobs = config.pick("optimizer").knobs
        if config.pick("mixer").name == "s4d":
            return 1.0 + (seed or 0) * 1e-7
        return (1.5 if knobs["lr"] == 8e-3 else 1.02) + (seed or 0) * 1e-7

    trials, _ = run_all(ClaimsPlan(CLAIMED), loss)
    found = found_of(CLAIMED, trials, "here")
    row = next(row for row in found.rows if row.claim.name == "SSM beats softmax")
    assert (row.said, row.artefact, row.untuned) == ("refuted", True, pytest.approx(-0.5))
    assert "an artefact of tuning" in claims_table(found)
    assert "an artefact of tuning" in markdown(found)


# the same through the loop, the ledger and its text, for three arms

FEW = tuple(arm_named(name) for name in ("softmax", "sophia", "sophia at defaults"))
FEW_CLAIMS = tuple(claim for claim in CLAIMS if claim.name == "Sophia is under-tuned" or claim.untestable)
SHORT_SPEC = replace(CLAIMED, name=STUDY, n_trials=sum(arm.n_runs for arm in FEW))


@dataclass
class Landscape(Instant):
    def poll(self, seconds):
        if self.stop_after is not None and self.done >= self.stop_after:
            raise KeyboardInterrupt
        job = self.jobs.pop(0)
        self.done += 1
        job.artifact.write_bytes(b"packed")
        of = Proposal(number=0, config=job.config, proposer="", rule="", reason="", params={})
        scored = result(of, loss_of(job.config, job.seed))
        return [Ended(job.run_id, replace(scored, seed=job.seed, artifact_sha256=f"{job.run_id:064d}"))]


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(choosing, "ClaimsPlan", lambda spec: ClaimsPlan(spec, FEW, FEW_CLAIMS))


def test_cut_anywhere_and_resumed_it_ends_the_same_and_travels_as_text(few, tmp_path):
    broken, whole = Store(tmp_path / "broken.db"), Store(tmp_path / "whole.db")
    for cut in (3, 9):
        with pytest.raises(KeyboardInterrupt):
            study(broken, SHORT_SPEC, Landscape(stop_after=cut))
    assert study(broken, SHORT_SPEC, Landscape()) == study(whole, SHORT_SPEC, Landscape())

    def stamps(store):
        return [(t.number, t.fingerprint, t.run.seed, t.val_loss, t.reason) for t in store.read.trials(STUDY)]

    assert stamps(broken) == stamps(whole)
    assert len(stamps(whole)) == SHORT_SPEC.n_trials
    verdicts = whole.read.verdicts(STUDY)
    assert {v.question for v in verdicts} == {claim.name for claim in FEW_CLAIMS}
    assert len(verdicts) == len(FEW_CLAIMS)
    assert [(v.verdict, v.why) for v in verdicts] == [(v.verdict, v.why) for v in broken.read.verdicts(STUDY)]
    for store in (broken, whole):
        store.close()
    text = tmp_path / f"{STUDY}.jsonl"
    assert export_measured(tmp_path / "whole.db", STUDY, text) == SHORT_SPEC.n_trials
    import_measured(tmp_path / "other.db", text, shipped=True)
    # a second time brings nothing new
    import_measured(tmp_path / "other.db", text, shipped=True)
    other = Store(tmp_path / "other.db")
    assert other.read.verdicts(STUDY) == verdicts
    found = found_in(other.read, STUDY)
    other.close()
    assert [row.said for row in found.rows if row.claim in FEW_CLAIMS].count("supported") == 1
    assert found.n_left == TOTAL - SHORT_SPEC.n_trials


def test_a_study_of_something_else_is_no_test_of_the_claims(tmp_path):
    store = Store(tmp_path / "arena.db")
    study(store, replace(SPEC, n_trials=1), Landscape())
    with pytest.raises(StoreError, match="its policy is tpe"):
        found_in(store.read, "lab")
    store.close()


def test_a_shorter_study_scales_every_arm_alike():
    spec = StudySpec.from_json((replace(CLAIMED, budget=replace(BASE.budget, steps=50))).to_json())
    lengths = {plan.arm.steps: plan.budget.steps for plan in ClaimsPlan(spec).plans.values()}
    assert lengths == {500: 50, 800: 80}
    assert found_of(spec, [], "here").hours_left < found_of(CLAIMED, [], "here").hours_left / 2
