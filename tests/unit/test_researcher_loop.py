"""The policy researcher inside the loop: who proposes, what is written beside it, and that a resume changes nothing."""

import time
from dataclasses import replace
from fractions import Fraction

import pytest
from full_ledger import fill
from instant import Instant, study
from ledger_rows import KEY, SPEC

from autoresearch.beliefs import stack_of
from autoresearch.loop import Search
from autoresearch.researcher import proposals
from autoresearch.researcher.phases import SEARCH, Move
from autoresearch.researcher.proposals import Evidence
from autoresearch.space import Space
from bench.config import fingerprint
from bench.records import State
from bench.stack import Stack
from studies.following import Following
from studies.store import Store

# the baseline twice, two openings, then the mixture
NARROW = replace(
    SPEC, policy="researcher", n_trials=14, settings=("optimizer=adamw,lion,muon", "optimizer_modifiers=none")
)


def stamps(store, name="lab"):
    return [
        (t.number, t.fingerprint, t.proposer, t.rule, t.reason, t.hypothesis, t.expected, t.state)
        for t in store.read.trials(name)
    ]


@pytest.fixture
def ledger(tmp_path):
    opened = Store(tmp_path / "arena.db")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A whole study, read by several tests."""
    opened = Store(tmp_path_factory.mktemp("searched") / "arena.db")
    study(opened, NARROW)
    yield opened
    opened.close()


def only(monkeypatch, who):
    monkeypatch.setattr(proposals, "proposer", lambda phase, seed, number: who)


def test_every_proposer_of_the_mixture_gets_its_trials(searched):
    after = [t.proposer for t in searched.read.trials("lab")[4:]]
    assert {"local", "tpe"} <= set(after)


def test_a_local_edit_names_the_trial_and_what_it_changes(searched):
    edited = next(t for t in searched.read.trials("lab") if t.proposer == "local")
    assert edited.rule.startswith("the shares of a search give trial")
    assert "->" in edited.reason
    assert edited.reason.startswith("trial ")


def test_no_config_is_proposed_twice(searched):
    prints = [t.fingerprint for t in searched.read.trials("lab") if t.seed is None]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize("cuts", [(4, 1, 2), (6, 0)])
def test_a_researchers_study_cut_anywhere_and_resumed_equals_an_unbroken_one(ledger, searched, cuts):
    for cut in cuts:
        with pytest.raises(KeyboardInterrupt):
            study(ledger, NARROW, Instant(stop_after=cut))
    study(ledger, NARROW)
    assert stamps(ledger) == stamps(searched)


def test_an_untried_stack_says_what_it_expects_and_from_which_trials(ledger, monkeypatch):
    only(monkeypatch, "untried")
    spec = replace(NARROW, division_name="open", n_trials=5, settings=OPEN_FEW)
    study(ledger, spec)
    trials = ledger.read.trials("lab")
    found = next(t for t in trials if t.proposer == "untried")
    assert "#" in found.reason
    assert "lowers val_loss below trial" in found.hypothesis
    assert found.expected == pytest.approx(trials[0].val_loss, abs=0.3)
    assert stack_of(found.config) not in [stack_of(t.config) for t in trials[: found.number]]


OPEN_FEW = (
    "mixer=softmax", "mixer_modifiers=none", "ffn=relu2,swiglu", "optimizer=adamw,muon", "optimizer_modifiers=none",
    "residual=pre_norm", "features=none", "block_modifiers=none", "init=zero_output", "schedule=linear",
    "averaging=last", "addons=none", "precision=fp32", "precision_modifiers=none", "logits=softcap",
)  # fmt: skip


def test_without_a_score_the_sampler_draws(ledger):
    spec = replace(NARROW, n_trials=3, settings=("optimizer=lion",))
    study(ledger, spec)
    *_, drawn = ledger.read.trials("lab")
    assert (drawn.proposer, drawn.state) == ("tpe", State.FAILED)
    assert "no trial has a score" in drawn.rule


def test_when_nothing_is_untried_a_local_edit_takes_its_place_and_says_so(ledger, monkeypatch):
    only(monkeypatch, "untried")
    study(ledger, replace(NARROW, n_trials=8))
    *_, edited = ledger.read.trials("lab")
    assert edited.proposer == "local"
    assert "no runnable stack left" in edited.rule


def test_noise_is_the_tracks_until_a_config_was_replicated(searched):
    trials = searched.read.trials("lab")
    first = next(t for t in trials if t.state is State.COMPLETE)
    trials = [t for t in trials if t.seed is None]
    assert Evidence(trials, 0.01).noise_sd() == 0.01
    again = replace(first, number=99, run=replace(first.run, seed=1002, val_loss=first.val_loss + 0.02))
    assert Evidence([*trials, again], 0.01).noise_sd() == pytest.approx(0.02 / 2**0.5)


def test_a_score_of_a_published_seed_is_no_evidence(searched):
    trials = searched.read.trials("lab")
    best = min((t for t in trials if t.val_loss), key=lambda t: t.val_loss)
    told = replace(best, number=99, fingerprint="f", run=replace(best.run, seed=1337, val_loss=0.5))
    assert Evidence([*trials, told], 0.01).incumbent() == Evidence(trials, 0.01).incumbent()


def test_only_changed_trials_are_read_again(searched, monkeypatch):
    followed = Following(searched.read, "lab")
    before = followed.trials()
    monkeypatch.setattr(searched.read, "trials", None)
    assert followed.trials() == before == {t.number: t for t in Store(searched.path).read.trials("lab")}


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    """A ledger of a thousand scored trials, looked at by several tests."""
    opened = Store(tmp_path_factory.mktemp("thousand") / "arena.db")
    fill(opened, THOUSAND, 1000)
    yield opened
    opened.close()


THOUSAND = replace(SPEC, division_name="open", policy="researcher", n_trials=1010)


def next_proposal(store):
    """From a ledger to what a coordinator that just took it up proposes."""
    search = Search(THOUSAND, store, Instant(), KEY, {})
    search.take_up()
    assert search.choosing.researcher is not None
    found = search.choosing.researcher.proposers.suggest(1000, search.here(), Fraction(10))
    search.choosing.move = Move(phase=SEARCH, suggest=lambda: found)
    return search.propose()[1]


@pytest.mark.slow
@pytest.mark.parametrize("who", ["untried", "local", "tpe"])
def test_a_proposal_after_a_thousand_trials_costs_work_in_the_techniques_and_not_in_the_trials(
    thousand, monkeypatch, who
):
    only(monkeypatch, who)
    walks, models, read = counted(monkeypatch, Space, "walk"), counted(monkeypatch, Stack, "model"), []
    trials = thousand.read.trials
    monkeypatch.setattr(thousand.read, "trials", lambda *a, **k: read.append(found := trials(*a, **k)) or found)
    begun = time.process_time()
    proposal = next_proposal(thousand)
    spent = time.process_time() - begun
    assert proposal.proposer == who
    assert fingerprint(proposal.config) not in {t.fingerprint for t in read[0]}
    # a few for each opening and for the proposal; one for each trial would be a thousand more
    assert len(walks) < 500
    # the first model of a process has torch import a second of itself
    assert models == []
    assert [len(found) for found in read] == [1000]
    # half of it on an idle machine
    assert spent < 4.0


def counted(monkeypatch, owner, name):
    """Every call of a method, from now on."""
    calls, call = [], getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda self, *a, **k: calls.append(a) or call(self, *a, **k))
    return calls
