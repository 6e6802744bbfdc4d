"""The phases of a study under the policy researcher: their order, their shares, why each ended, and the verdict."""

import json
import random
import sqlite3
from dataclasses import dataclass, replace

import pytest
from instant import Instant, study
from ledger_rows import KEY, SPEC
from optuna.trial import TrialState

from arena_tui.ranking import best_of as on_the_screen
from autoresearch.executor import Ended, Progress
from autoresearch.listing import best_of
from autoresearch.loop import Search
from autoresearch.researcher.ablation import Ablation
from autoresearch.researcher.phases import CONFIRM, PHASES, REPORT, may_spend
from autoresearch.researcher.proposals import Evidence, Proposers
from autoresearch.space import Space
from bench.cards import cards
from bench.config import fingerprint
from bench.divisions import BASE
from bench.records import RunResult, State
from bench.tracks import PUBLISHED_SEEDS, search_seeds
from studies.ownership import this_process
from studies.store import Store

LONG = replace(SPEC, policy="researcher", n_trials=26, settings=("optimizer=adamw,muon", "optimizer_modifiers=none"))


@dataclass
class Noisy(Instant):
    """Scores that move by their seed, as `sd` says, and want a longer warm-up than the baseline's."""

    sd: float = 0.001
    of_baseline: float = 0.001

    def poll(self, seconds: float) -> list[Progress | Ended]:
        job = self.jobs[0]
        point, ended = super().poll(seconds)
        assert isinstance(ended, Ended)
        if isinstance(ended.outcome, RunResult):
            sd = self.of_baseline if ended.outcome.fingerprint == fingerprint(BASE) else self.sd
            moved = random.Random(f"{job.seed}/{ended.outcome.fingerprint}").gauss(0.0, sd)
            ended = replace(
                ended, outcome=replace(ended.outcome, seed=job.seed, val_loss=ended.outcome.val_loss + moved)
            )
        return [point, ended]


def phases(store):
    return dict(sqlite3.connect(store.path).execute("SELECT name, ended_reason FROM phase ORDER BY id").fetchall())


def verdicts(store):
    raw = sqlite3.connect(store.path)
    raw.row_factory = sqlite3.Row
    return raw.execute("SELECT * FROM verdict").fetchall()


def stamps(store):
    return [
        (t.number, t.fingerprint, t.seed, t.proposer, t.rule, t.reason, t.expected, t.state, t.val_loss)
        for t in store.read.trials("lab")
    ]


@pytest.fixture
def ledger(tmp_path):
    opened = Store(tmp_path / "arena.db")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A whole study, read by several tests."""
    opened = Store(tmp_path_factory.mktemp("whole") / "arena.db")
    study(opened, LONG, Noisy())
    yield opened
    opened.close()


def test_every_phase_has_a_row_and_a_reason_for_its_end(whole):
    assert set(phases(whole)) == {phase.name for phase in PHASES} - {REPORT.name}
    assert phases(whole)["confirm"] == "the verdict is in"
    assert all(phases(whole).values())


def test_the_study_has_its_trials_and_confirmation_at_most_a_quarter_more(whole):
    asked = [t.proposer for t in whole.read.trials("lab") if t.state is not State.REFUSED]
    assert asked.count("confirm") == 6 == may_spend(CONFIRM, LONG.n_trials)
    assert len(asked) == LONG.n_trials + 6


def test_the_noise_floor_is_the_baseline_on_three_search_seeds(whole):
    first = whole.read.trials("lab")[:3]
    assert len({t.fingerprint for t in first}) == 1
    assert [t.run.seed for t in first] == [1001, 1002, 1003]
    assert len({t.val_loss for t in first}) == 3


@pytest.mark.parametrize(("n_trials", "n_recipes", "n_alone"), [(3, 0, 1), (5, 1, 2), (8, 2, 4), (19, 4, 9)])
def test_a_small_study_runs_what_is_known_before_anything_is_drawn(ledger, n_trials, n_recipes, n_alone):
    study(ledger, replace(SPEC, division_name="open", policy="researcher", n_trials=n_trials), Noisy())
    asked = [t.proposer for t in ledger.read.trials("lab") if t.state is not State.REFUSED]
    n_plain = 1 + asked.count("replication")
    assert asked[n_plain:][:n_recipes] == ["recipe"] * n_recipes
    assert asked[n_plain + n_recipes :][:n_alone] == ["opening"] * n_alone
    assert asked.count("opening") == n_alone


def test_only_confirmation_uses_published_seeds(whole):
    trials = [t for t in whole.read.trials("lab") if t.run]
    assert {t.run.seed for t in trials if t.proposer == "confirm"} == set(PUBLISHED_SEEDS[:3])
    assert not {t.run.seed for t in trials if t.proposer != "confirm"} & set(PUBLISHED_SEEDS)


def test_the_incumbents_technique_is_left_out_once(whole):
    best = Evidence(whole.read.trials("lab"), 0.01).incumbent()
    proposers = Proposers(Space(LONG), cards(), lambda config: [])
    ablation = Ablation(proposers=proposers, subject=best, trials=[best], usual_noise=0.01)
    left = ablation.next(1)
    assert left.params["optimizer"] == "adamw"
    assert left.reason.endswith("without muon")
    assert ablation.next(0) is None


def test_a_clear_win_is_supported_by_the_runs_it_names(whole):
    *_, row = verdicts(whole)
    confirmed = {t.run.id for t in whole.read.trials("lab") if t.proposer == "confirm"}
    assert row["verdict"] == "supported"
    assert row["low"] < row["effect"] < row["high"] < 0
    assert (row["p"] < 0.01, row["n"]) == (True, 3)
    named = json.loads(row["run_ids"])
    assert (len(named["new"]), len(named["old"]), {*named["new"], *named["old"]}) == (3, 3, confirmed)


def test_the_incumbents_technique_is_found_needed(whole):
    found = [v for v in whole.read.verdicts("lab") if v.question.startswith("what is muon to trial")]
    assert {v.verdict for v in found} == {"needed"}
    assert found[0].why.startswith("dropping it costs: p")


def test_a_baseline_whose_seeds_scatter_does_not_hide_what_the_incumbent_needs(ledger):
    study(ledger, LONG, Noisy(of_baseline=0.1))
    found = [v for v in ledger.read.verdicts("lab") if v.question.startswith("what is muon to trial")]
    assert {v.verdict for v in found} == {"needed"}


def test_the_luckiest_seed_of_a_replicated_config_is_not_the_studys_best(ledger):
    study(ledger, LONG, Noisy(sd=0.006, of_baseline=0.006))
    trials = ledger.read.trials("lab")
    lowest = min((t for t in trials if t.val_loss is not None), key=lambda t: t.val_loss)
    assert lowest.proposer == "confirm"
    best = best_of(ledger.read, ledger.read.study("lab"))
    assert best == on_the_screen(trials)
    assert best.seed is None
    assert [t.number for t in trials if t.run and (kept := ledger.read.artifact(t.run.id)) and kept.file] == [
        best.number
    ]


def test_a_study_cut_in_every_phase_and_resumed_equals_an_unbroken_one(ledger, whole):
    for cut in (1, 3, 14, 6, 3):
        with pytest.raises(KeyboardInterrupt):
            study(ledger, LONG, Noisy(stop_after=cut))
    study(ledger, LONG, Noisy())
    assert stamps(ledger) == stamps(whole)
    assert phases(ledger) == phases(whole)
    assert [row["effect"] for row in verdicts(ledger)] == [row["effect"] for row in verdicts(whole)]


def test_repeating_a_confirmed_study_adds_nothing(whole):
    before, n_verdicts = (stamps(whole), phases(whole)), len(verdicts(whole))
    assert study(whole, LONG, Noisy()) == "all trials are done"
    assert (stamps(whole), phases(whole)) == before
    assert len(verdicts(whole)) == n_verdicts


def test_the_sampler_is_not_told_of_replications(whole):
    whole.begin(LONG, cards(), this_process())
    search = Search(LONG, whole, Instant(), KEY, {})
    search.take_up()
    told = search.study.get_trials(deepcopy=False)
    of_replications = {told[t.number].state for t in whole.read.trials("lab") if t.seed is not None}
    assert of_replications == {TrialState.FAIL}
    whole.release("lab", "looked at")


def test_a_small_study_skips_what_it_can_not_pay_for_and_says_why(ledger):
    study(ledger, replace(LONG, n_trials=8), Noisy())
    assert len(ledger.read.trials("lab")) == 8
    found = phases(ledger)
    assert found["ablation"] == "skipped: fewer than 20 trials"
    assert found["confirm"] == "skipped: a quarter of the trials does not pay for two arms of 3 seeds"
    assert verdicts(ledger) == []


def test_when_nothing_beats_the_baseline_nothing_is_confirmed(ledger):
    study(ledger, replace(LONG, n_trials=20), Worse())
    assert phases(ledger)["confirm"] == "skipped: nothing beat the baseline"


@dataclass
class Worse(Noisy):
    """The longer a study goes on, the worse its scores."""

    def poll(self, seconds: float) -> list[Progress | Ended]:
        point, ended = super().poll(seconds)
        assert isinstance(ended, Ended)
        assert isinstance(ended.outcome, RunResult)
        return [point, replace(ended, outcome=replace(ended.outcome, val_loss=1.5 + 0.1 * (self.done > 3)))]


def test_several_at_a_time_confirm_only_what_the_finished_search_found(ledger):
    study(ledger, LONG, Noisy(slots=3))
    trials = ledger.read.trials("lab")
    assert [t.number for t in trials] == list(range(len(trials)))
    assert [t.proposer for t in trials[-6:]] == ["confirm"] * 6
    assert [v.verdict for v in ledger.read.verdicts("lab") if "better than the baseline" in v.question] == ["supported"]


def test_search_seeds_pass_over_the_published_ones():
    seeds = search_seeds(1336)
    assert [next(seeds), next(seeds)] == [1336, 1338]
