"""README.md: what the card says in each of its cases, and the log it quotes without naming places."""

from dataclasses import replace

import pytest

from autoresearch.submission.card import card
from autoresearch.submission.facts import Facts, Machine, Origin, Score, Spent
from autoresearch.submission.write import _without_places
from bench.catalog import full_pick
from bench.config import Budget, fingerprint
from bench.divisions import baseline, recipe
from bench.records import Identity

LION = baseline(Budget(steps=500)).replaced("optimizer", [full_pick("optimizer", "lion", {"lr": 0.00123456})])


def facts_of(config, baseline_trial=0, corpus="toystories"):
    budget = config.budget
    return Facts(
        format=1,
        name="lion",
        division="optimizer",
        recipe=recipe(config),
        fingerprint=fingerprint(config),
        seed=1001,
        n_seeds=1,
        exhibition=False,
        identity=Identity("featherweight", 1, "d" * 64, budget.steps, 32, 96, 1, "cpu/x", 1),
        corpus_name=corpus,
        machine=Machine(device_class="cpu/x", threads=2, versions={"torch": "2.13"}),
        origin=Origin(
            study="my study", trial=4, run=9, policy="tpe", settings=("optimizer.lr=1e-3", "it's|odd"), proposer="tpe",
            rule="after the openings", reason="a | b\nc", hypothesis="", expected=-0.01, note="wants more",
        ),
        spent=Spent(
            steps=500, parameters=851_968, train_flops=10**13, train_tokens=1_536_000, train_seconds=100.0,
            probe_seconds=1.0, eval_seconds=2.0, peak_bytes=10**9,
        ),
        score=Score(
            val_loss=1.5, val_bpb=2.16404, quant_gap=0.002, weights_bytes=3_000_000, artifact_sha256="a" * 64,
            baseline_trial=baseline_trial, baseline_val_loss=None if baseline_trial is None else 1.6,
            delta=None if baseline_trial is None else -0.1,
        ),
        failure=None,
        files={},
    )  # fmt: skip


def test_the_card_leads_with_score_delta_and_doubt():
    said = card(facts_of(LION), LION)
    assert "**val_loss 1.5000 nats/byte** (2.1640 bits/byte), -0.1000 to the study's baseline" in said
    assert "**Unconfirmed**: n = 1 seed" in said
    assert "Exhibition" not in said
    assert "| optimizer | `lion(lr=0.001235 beta1=" in said
    assert "1.000; the cap is 1.25" in said


def test_an_exhibition_is_called_one():
    short = replace(LION, budget=Budget(steps=100))
    assert "**Exhibition**: the standard budget at 500 or 800 steps" in card(facts_of(short), short)


def test_a_study_without_a_scored_baseline_is_no_comparison():
    said = card(facts_of(LION, baseline_trial=None), LION)
    assert "no scored baseline" in said
    assert "delta" not in said


def test_the_baseline_itself_changes_nothing():
    base = baseline(Budget(steps=500))
    said = card(facts_of(base, baseline_trial=4), base)
    assert "it is the study's baseline" in said
    assert "The baseline itself: nothing is changed." in said


def test_why_it_was_proposed_stays_one_line_a_cell():
    said = card(facts_of(LION), LION)
    assert "| reason | a \\| b c |" in said
    assert "| expected | -0.0100 nats/byte |" in said
    assert "| noted | wants more |" in said


@pytest.mark.parametrize(("corpus", "named"), [("toystories", "toystories"), ("text:mine", "PATH")])
def test_commands_name_the_corpus_and_never_a_place(corpus, named):
    said = card(facts_of(LION, corpus=corpus), LION)
    assert f"autoresearch verify . --data {named}\n" in said
    assert (
        f"autoresearch --division optimizer --trials 5 --steps 500 --seed 1001 --policy tpe --data {named} --jobs 1 "
        "--set optimizer.lr=1e-3 --set 'it'\\''s|odd'\n"
    ) in said


def test_a_quoted_log_names_no_place():
    log = '  File "/a/b/site-packages/torch/nn.py", line 3\n  File "/x/y/bench/run.py", line 4\n  File "/x/z.py"'
    assert _without_places(log) == (
        '  File "site-packages/torch/nn.py", line 3\n  File "bench/run.py", line 4\n  File "/x/z.py"'
    )
