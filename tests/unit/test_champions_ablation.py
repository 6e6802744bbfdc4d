"""The table of `python -m autoresearch.ablation`, on made-up ledgers."""

import statistics
from dataclasses import replace

import pytest
from ledger_rows import CARD, KEY, SPEC, failure, result
from typer import Typer
from typer.testing import CliRunner

from autoresearch.ablation import ablation, markdown, parts
from autoresearch.measure import begun
from bench.errors import DataError
from bench.records import Reason
from bench.tracks import PUBLISHED_SEEDS
from studies.asked import Proposal
from studies.belts import ABLATION, CHAMPIONS_STUDY
from studies.measurements import FAMILIES
from studies.ownership import this_process
from studies.store import Store

WHOLE, *LEFT_OUT = FAMILIES[ABLATION]
STACK = (1.030, 1.032, 1.034)


@pytest.fixture
def ledger(tmp_path):
    opened = Store(tmp_path / "arena.db")
    yield opened
    opened.close()


def write(store, name, losses, device="cpu/test"):
    """A measurement of the family with these scores on the published seeds, None for a failure."""
    measurement = next(m for m in (WHOLE, *LEFT_OUT) if name in (m.name, m.without))
    spec = begun(measurement, measurement.spec(SPEC.corpus_name, SPEC.corpus_digest, "auto"))
    store.begin(spec, [CARD], this_process())
    for n, (seed, loss) in enumerate(zip(PUBLISHED_SEEDS, losses, strict=False)):
        asked = Proposal(number=n, config=spec.start, proposer="grade", rule="", reason="", params={}, seed=seed)
        store.propose(spec.name, asked)
        run_id, _ = store.start(spec.name, n, replace(KEY, seed=seed, device_class=device), {})
        outcome = failure(asked, Reason.DIVERGED) if loss is None else result(asked, loss)
        store.finish(run_id, replace(outcome, seed=seed))
    store.release(spec.name, "all trials are done")


def verdicts(store):
    return {part.technique: part.verdict for part in parts(store.read)}


def test_each_technique_is_needed_neutral_or_harmful_by_the_tracks_own_test(ledger):
    write(ledger, WHOLE.name, STACK)
    write(ledger, "muon", (1.230, 1.233, 1.236))
    write(ledger, "trigram_hash", (1.0302, 1.0323, 1.0339))
    write(ledger, "hyena", (1.010, 1.012, 1.014))
    found = verdicts(ledger)
    assert found == {"trigram_hash": "neutral", "hyena": "harmful", "muon": "needed", "normuon": "not measured yet"}
    _, hyena, muon, _ = parts(ledger.read)
    assert muon.effect == pytest.approx(statistics.fmean((1.230, 1.233, 1.236)) - statistics.fmean(STACK))
    # by hand: Welch on three against three, sd 0.003 and 0.002, 3.48 degrees of freedom, t at 0.99 is 4.073
    assert muon.interval == pytest.approx((0.201 - 0.00848, 0.201 + 0.00848), abs=1e-5)
    assert hyena.effect == pytest.approx(-0.020)


def test_the_table_is_the_markdown_of_the_docs(ledger):
    write(ledger, WHOLE.name, STACK)
    write(ledger, "muon", (1.230, 1.233, 1.236))
    head, _, trigram_hash, _, muon, _ = markdown(parts(ledger.read)).splitlines()
    assert head == "| technique | with | without | effect | interval | seeds | verdict |"
    assert muon.startswith("| muon | 1.0320 | 1.2330 | +0.2010 | +0.19")
    assert muon.endswith(" | 3 | needed |")
    assert trigram_hash == "| trigram_hash | 1.0320 | - | - | - | - | not measured yet |"


def test_an_effect_within_the_noise_is_inconclusive(ledger):
    write(ledger, WHOLE.name, STACK)
    write(ledger, "hyena", (1.030, 1.040, 1.050))
    assert verdicts(ledger)["hyena"] == "inconclusive"


def test_a_stack_that_loses_a_run_is_a_failure_with_its_reason(ledger):
    write(ledger, WHOLE.name, STACK)
    write(ledger, "trigram_hash", (1.031, None))
    trigram_hash, *_ = parts(ledger.read)
    assert (trigram_hash.verdict, trigram_hash.rest) == ("failed", None)
    assert "1 of 2 runs ended without a score: 1 diverged" in trigram_hash.why


def test_two_seeds_are_none_yet_and_the_table_says_what_to_run(ledger):
    write(ledger, WHOLE.name, STACK)
    write(ledger, "muon", (1.230, 1.233))
    _, _, muon, _ = parts(ledger.read)
    assert muon.verdict == "not measured yet"
    assert muon.why.startswith("1 of 3 runs are left: run `make measure ablation`")


def test_runs_of_another_kind_of_machine_are_not_compared(ledger):
    write(ledger, WHOLE.name, STACK)
    write(ledger, "muon", (1.230, 1.233, 1.236), device="cuda/h100")
    assert verdicts(ledger)["muon"] == "not measured yet"


def test_without_the_champions_own_scores_there_is_nothing_to_compare_with(ledger):
    write(ledger, "muon", (1.230, 1.233, 1.236))
    with pytest.raises(DataError, match="has not all its scores") as wrong:
        parts(ledger.read)
    assert "make measure ablation" in wrong.value.hint
    write(ledger, WHOLE.name, STACK[:2])
    with pytest.raises(DataError, match="has not all its scores"):
        parts(ledger.read)


def test_the_command_prints_the_table_or_says_what_to_run(ledger):
    app = Typer()
    app.command()(ablation)
    said = CliRunner().invoke(app, [str(ledger.path)])
    assert said.exit_code == 2
    assert said.stderr.splitlines()[0].startswith("error: open-trigram_hash-hyena-muon-normuon has not")
    assert said.stderr.splitlines()[1].startswith("hint: run `make measure ablation`")
    write(ledger, WHOLE.name, STACK)
    write(ledger, "muon", (1.230, 1.233, 1.236))
    said = CliRunner().invoke(app, [str(ledger.path)])
    assert said.exit_code == 0
    assert "| muon | 1.0320 |" in said.stdout
    assert "muon: dropping it costs: p" in said.stdout


def test_the_stack_is_the_fighter_that_is_graded():
    assert WHOLE.name == CHAMPIONS_STUDY
