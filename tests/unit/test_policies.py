"""The reader of `make measure policies`, on a made-up ledger worked out by hand, and the definitions it reads."""

from dataclasses import replace

import pytest
from ledger_rows import CARD, KEY, SPEC, failure, proposal, result

from autoresearch import agreement, policies
from autoresearch.policies import arms, told
from autoresearch.space import Space
from bench.errors import ConfigError, DataError
from bench.records import Reason
from bench.tracks import PUBLISHED_SEEDS
from studies.measurements import MEASUREMENTS, POLICY_ARMS, measurements_named
from studies.ownership import this_process
from studies.store import Store


@pytest.fixture
def ledger(tmp_path):
    opened = Store(tmp_path / "arena.db")
    yield opened
    opened.close()


def write(store, policy, seed, losses, again=(), device="cpu/test"):
    """A study of these scores in order, None for a failure; then its best on published seeds."""
    spec = replace(SPEC, name=f"measured-policies-{policy}-{seed}", policy=policy, seed=seed, n_trials=len(losses))
    store.begin(spec, [CARD], this_process())
    scored = [loss for loss in losses if loss is not None]
    best = losses.index(min(scored)) if scored else 0
    runs = [(at, None, loss) for at, loss in enumerate(losses)]
    runs += [(best, published, loss) for published, loss in zip(PUBLISHED_SEEDS, again, strict=False)]
    for n, (at, replicated, loss) in enumerate(runs):
        # each study has learning rates of its own, or one's runs would answer for the other
        asked = replace(proposal(n, lr=(1 + at) * 1e-4 + len(policy) * 1e-5 + seed * 1e-9), seed=replicated)
        store.propose(spec.name, asked)
        run_id, _ = store.start(spec.name, n, replace(KEY, seed=replicated or seed, device_class=device), {})
        lost = replace(failure(asked, Reason.DIVERGED), seed=seed)
        store.finish(run_id, lost if loss is None else replace(result(asked, loss), seed=replicated or seed))
    store.release(spec.name, "all trials are done")


def test_a_policy_is_timed_until_its_best_is_no_worse_than_tpes_at_the_end(ledger):
    write(ledger, "tpe", 1001, [1.5, 1.4, 1.3, 1.2])
    write(ledger, "researcher", 1001, [1.5, None, 1.2, 1.1], again=(1.12, 1.14))
    write(ledger, "random", 1001, [1.5, 1.4, 1.4, 1.3])
    random, researcher, tpe = arms(ledger.read)
    assert [arm.policy for arm in (random, researcher, tpe)] == ["random", "researcher", "tpe"]
    assert (researcher.to_rival, tpe.to_rival, random.to_rival) == (3.0, 4.0, None)
    assert (researcher.best, researcher.confirmed, researcher.n_confirmed) == (1.1, pytest.approx(1.13), 2)
    assert (researcher.spent, tpe.spent) == (6.0, 4.0)
    assert tpe.confirmed is None


def test_each_repetition_is_timed_against_its_own(ledger):
    for seed, goal in ((1001, 1.2), (1101, 1.4)):
        write(ledger, "tpe", seed, [1.5, goal])
        write(ledger, "researcher", seed, [1.45, 1.39, 1.1])
    assert [arm.to_rival for arm in arms(ledger.read) if arm.policy == "researcher"] == [3.0, 2.0]


def test_no_repetition_is_timed_before_tpe_is_done(ledger):
    write(ledger, "tpe", 1001, [1.5, 1.2])
    write(ledger, "researcher", 1001, [1.1])
    ledger.begin(replace(ledger.read.study("measured-policies-tpe-1001").spec, n_trials=3), [CARD], this_process())
    assert {arm.to_rival for arm in arms(ledger.read)} == {None}


def test_another_kind_of_machine_is_not_compared(ledger):
    write(ledger, "tpe", 1001, [1.5, 1.2])
    write(ledger, "random", 1001, [1.1], device="cuda/h100")
    assert [arm.policy for arm in arms(ledger.read)] == ["tpe"]


def test_a_mean_is_only_given_over_all_repetitions(ledger):
    for seed in (1001, 1101):
        write(ledger, "tpe", seed, [1.5, 1.2 + seed / 1e5], again=(1.3,) if seed == 1001 else ())
    text = told(arms(ledger.read))
    mean = next(line for line in text.splitlines() if "mean of 2" in line)
    assert mean.split() == ["tpe", "mean", "of", "2", "1.2105", "-", "2.5", "2.0"]


def test_nothing_measured_says_what_to_run(ledger):
    with pytest.raises(DataError, match="no policy has a score"):
        arms(ledger.read)


def test_the_arms_cost_alike_and_are_run_repetition_by_repetition():
    assert measurements_named("policies") == POLICY_ARMS
    assert [arm.seed for arm in POLICY_ARMS] == [1001] * 3 + [1101] * 3 + [1201] * 3
    assert {(arm.steps, arm.settings, arm.division_name) for arm in POLICY_ARMS} == {
        (100, POLICY_ARMS[0].settings, "open")
    }
    costs = {arm.policy: arm.n_trials * (1.25 if arm.policy == "researcher" else 1) for arm in POLICY_ARMS}
    assert costs == {"researcher": 40, "tpe": 40, "random": 40}


def test_the_openings_leave_most_trials_to_the_policy():
    for arm in POLICY_ARMS:
        openings = list(Space(arm.spec("sample", "d" * 64, "auto")).openings())
        assert len(openings) <= arm.n_trials / 3


def test_a_measurement_is_found_by_its_short_name_or_its_own():
    assert measurements_named("optimizer") == measurements_named("measured-optimizer") == (MEASUREMENTS[0],)
    assert measurements_named("policies-tpe-1101") == (POLICY_ARMS[4],)
    with pytest.raises(ConfigError, match="no measurement named nothing") as wrong:
        measurements_named("nothing")
    assert wrong.value.hint.endswith("golf, policies, belts, ablation")


@pytest.mark.parametrize("module", [policies, agreement], ids=["policies", "agreement"])
def test_a_wrong_request_is_told_in_two_lines_and_exits_with_two(module, monkeypatch, capsys):
    monkeypatch.setattr(module, "shipped_store", lambda: None)
    monkeypatch.setattr("sys.argv", ["it"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 2
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["error", "hint"]
