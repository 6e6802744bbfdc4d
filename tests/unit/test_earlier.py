"""What a researcher knows of earlier studies: their scores under its conditions, and nothing that came later."""

from dataclasses import replace

import pytest
from instant import Instant, study
from ledger_rows import KEY, SPEC

from autoresearch.earlier import observed_earlier
from autoresearch.executor import Ended, Progress
from autoresearch.reporting.write import report_of
from autoresearch.researcher import proposals
from autoresearch.space import Space
from bench.config import fingerprint
from bench.records import RunResult
from studies.definitions import StudySpec
from studies.store import Store

FIRST = replace(
    SPEC, name="first", policy="tpe", n_trials=8, settings=("optimizer=adamw,muon", "optimizer_modifiers=none")
)
# one recipe is paid for
SECOND = replace(FIRST, name="second", policy="researcher", n_trials=20)


@pytest.fixture
def ledger(tmp_path):
    opened = Store(tmp_path / "arena.db")
    study(opened, FIRST)
    yield opened
    opened.close()


def known(ledger, spec=SECOND, key=KEY):
    return observed_earlier(ledger.read, spec, key)


def stamps(ledger, name="second"):
    return [
        (t.number, t.fingerprint, t.proposer, t.rule, t.reason, t.expected, t.val_loss)
        for t in ledger.read.trials(name)
    ]


def test_they_are_the_scores_of_other_studies_under_the_same_conditions(ledger):
    study(ledger, replace(SECOND, n_trials=1))
    found = known(ledger)
    assert [(o.trial, o.val_loss) for o in found] == [
        (f"trial {t.number} of first", t.val_loss) for t in ledger.read.trials("first")
    ]
    for other in (
        replace(KEY, device_class="cuda/other"), replace(KEY, numerics_version=2), replace(KEY, evaluator_version=2)
    ):  # fmt: skip
        assert known(ledger, key=other) == []
    assert known(ledger, replace(SECOND, alone=True)) == []
    study(ledger, replace(SECOND, name="other text", corpus_digest="e" * 64, n_trials=1))
    assert known(ledger, replace(SECOND, name="other text")) == []


def test_a_run_that_answers_several_trials_is_known_once_and_a_published_seed_never(ledger):
    study(ledger, replace(FIRST, name="again"))
    study(ledger, replace(FIRST, name="graded", n_trials=3, seed=1337))
    study(ledger, replace(SECOND, n_trials=1))
    found = known(ledger)
    assert len(found) == 8
    assert not [o for o in found if "graded" in o.trial]


def test_a_study_begins_with_the_lowest_stack_of_the_earlier_ones_which_costs_no_run(ledger):
    best = min(ledger.read.trials("first"), key=lambda t: t.val_loss)
    ran = []

    class Noting(Instant):
        def submit(self, job):
            ran.append((fingerprint(job.config), job.seed))
            super().submit(job)

    study(ledger, SECOND, Noting())
    recipe = next(t for t in ledger.read.trials("second") if t.proposer == "recipe")
    assert recipe.fingerprint == best.fingerprint
    assert recipe.reason.startswith(f"trial {best.number} of first at {best.val_loss:.4f}")
    assert (best.fingerprint, 1001) not in ran


def test_beliefs_stand_on_them_and_name_them(ledger, monkeypatch):
    monkeypatch.setattr(proposals, "proposer", lambda phase, seed, number: "untried")
    spec = replace(SECOND, division_name="open", settings=OPEN)
    study(ledger, replace(spec, name="first in open", policy="openings"))
    study(ledger, spec)
    tried = {t.fingerprint for t in ledger.read.trials("first in open")}
    found = [t for t in ledger.read.trials("second") if t.proposer == "untried"]
    assert found
    assert not [t for t in found if t.fingerprint in tried]
    assert any("of first in open" in t.reason for t in found)


OPEN = (
    "mixer=softmax", "mixer_modifiers=none", "ffn=relu2,swiglu", "optimizer=adamw,muon", "optimizer_modifiers=none",
    "residual=pre_norm", "features=none", "block_modifiers=none", "init=zero_output", "schedule=linear",
    "averaging=last,ema", "addons=none", "precision=fp32", "precision_modifiers=none", "logits=softcap",
)  # fmt: skip


@pytest.mark.parametrize("cut", [1, 4, 9])
def test_a_study_cut_anywhere_goes_on_alike_though_others_were_run_meanwhile(ledger, tmp_path, cut):
    unbroken = Store(tmp_path / "unbroken.db")
    study(unbroken, FIRST)
    study(unbroken, SECOND)
    with pytest.raises(KeyboardInterrupt):
        study(ledger, SECOND, Instant(stop_after=cut))
    study(ledger, replace(FIRST, name="meanwhile", seed=1002))
    study(ledger, SECOND)
    assert stamps(ledger) == stamps(unbroken)
    unbroken.close()


def test_alone_it_is_as_in_an_empty_ledger(ledger, tmp_path):
    empty = Store(tmp_path / "empty.db")
    alone = replace(SECOND, alone=True)
    study(empty, alone)
    study(ledger, alone)
    assert stamps(ledger) == stamps(empty)
    study(empty, replace(SECOND, name="third", seed=1002))
    (first, *_) = (t.reason for t in empty.read.trials("third") if t.proposer == "recipe")
    assert first.partition(" at ")[0] in {f"trial {t.number} of second" for t in empty.read.trials("second")}
    empty.close()


def test_a_stack_that_the_study_may_not_choose_or_that_is_above_the_baseline_is_no_beginning(ledger):
    study(ledger, replace(SECOND, n_trials=1))
    earlier = known(ledger)
    assert list(Space(SECOND).proven(earlier, 2))
    assert not list(Space(replace(SECOND, settings=("optimizer=lion",))).proven(earlier, 2))
    worse = [replace(o, val_loss=2.0 + o.val_loss) if o.config != Space(SECOND).base else o for o in earlier]
    assert not list(Space(SECOND).proven(worse, 2))
    assert not list(Space(SECOND).proven(earlier, 0))


class MuonWins(Instant):
    """By more than any prior promises."""

    def poll(self, seconds: float) -> list[Progress | Ended]:
        won = 0.1 * (self.jobs[0].config.pick("optimizer").name == "muon")
        point, ended = super().poll(seconds)
        assert isinstance(ended, Ended)
        assert isinstance(ended.outcome, RunResult)
        return [point, replace(ended, outcome=replace(ended.outcome, val_loss=ended.outcome.val_loss - won))]


def test_the_report_ranks_what_is_untried_by_them_too(tmp_path):
    ledger = Store(tmp_path / "other.db")
    spec = replace(SECOND, division_name="open", settings=OPEN)
    study(ledger, replace(spec, name="first in open", policy="openings"), MuonWins())
    study(ledger, replace(spec, n_trials=1), MuonWins())
    (untried,) = (s for s in report_of(ledger.path, "second").sections if s.title == "Untried combinations")
    assert "muon" not in {t.config.pick("optimizer").name for t in ledger.read.trials("second")}
    assert "of first in open" in str(untried)
    ledger.close()


def test_a_definition_says_alone_only_where_it_is(ledger):
    assert "alone" not in SECOND.to_json()
    alone = replace(SECOND, alone=True)
    assert StudySpec.from_json(alone.to_json()) == alone
    assert alone.differs_from(SECOND) == ["alone false, not true"]
