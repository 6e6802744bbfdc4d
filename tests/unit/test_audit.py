"""The audit: what suits the validation text alone is lost on text that no search has seen."""

import hashlib
import statistics
from dataclasses import replace

import numpy as np
import pytest
from ledger_rows import KEY, SPEC, proposal, result
from made_up import CORPUS, words

from arena_tui.board import print_standings
from autoresearch.grading.audit import (
    AuditText,
    audit_runs,
    beyond_noise,
    flag_all,
    read_audit,
    relative_gap,
    score_packed,
)
from autoresearch.listing import board
from bench.config import Budget
from bench.divisions import BASE, baseline
from bench.errors import ArtifactError, DataError
from bench.run import run
from bench.standings import standings
from bench.tracks import FEATHERWEIGHT, PUBLISHED_SEEDS
from studies.asked import Proposal
from studies.ownership import this_process
from studies.store import Store

ALPHA = FEATHERWEIGHT.rules[0].alpha
SEEDS = PUBLISHED_SEEDS[:3]


# A model that really predicts: pairs of bytes counted in the train text, each row bent a little by the seed.
TRAIN, VALID, AUDIT = (words(60_000)[a:b].astype(int) for a, b in ((0, 30_000), (30_000, 33_000), (33_000, 60_000)))
COUNTS = np.zeros((256, 256))
np.add.at(COUNTS, (TRAIN[:-1], TRAIN[1:]), 1.0)
USED = np.unique(TRAIN)
LOGITS = np.log(COUNTS[np.ix_(USED, USED)] + 0.1)
PLACE = np.zeros(256, int)
PLACE[USED] = np.arange(len(USED))


def pairs(text):
    found = np.zeros_like(LOGITS)
    np.add.at(found, (PLACE[text[:-1]], PLACE[text[1:]]), 1.0)
    return found / (len(text) - 1)


ON_VALID, ON_AUDIT = pairs(VALID), pairs(AUDIT)


def nats(config, seed):
    """(validation, audit) nats per byte of the model that this config and seed make."""
    bent = LOGITS + np.random.default_rng([config, seed]).normal(0, 0.3, LOGITS.shape)
    logp = bent - np.log(np.exp(bent).sum(1, keepdims=True))
    return float(-(ON_VALID * logp).sum()), float(-(ON_AUDIT * logp).sum())


def graded(config):
    return {seed: nats(config, seed) for seed in SEEDS}


def by_validation(config):
    return statistics.fmean(valid for valid, _ in graded(config).values())


HONEST = [relative_gap(graded(config)) for config in range(12)]


def test_a_config_tuned_on_validation_by_brute_force_of_seeds_is_flagged():
    lucky = min(range(100, 1600), key=by_validation)
    flagged, why = beyond_noise(relative_gap(graded(lucky)), HONEST, ALPHA)
    assert flagged, why


def test_an_honest_config_is_not_flagged():
    for config in range(12, 22):
        flagged, why = beyond_noise(relative_gap(graded(config)), HONEST, ALPHA)
        assert not flagged, why


def test_a_harder_text_makes_no_suspect_of_a_worse_model():
    losses = (1.02, 1.24, 1.36, 1.50, 2.2)
    gaps = [relative_gap({7: (loss, loss * 1.03 + 1e-5 * i)}) for i, loss in enumerate(losses)]
    assert not beyond_noise(gaps[-1], gaps[:-1], ALPHA)[0]


def test_too_few_others_tell_nothing_and_it_says_so():
    flagged, why = beyond_noise(0.5, [0.0, 0.001], ALPHA)
    assert not flagged
    assert "2 other fighters" in why


def test_the_false_alarms_are_as_many_as_alpha_allows():
    draw = np.random.default_rng(1)
    alarms = sum(beyond_noise(row[0], row[1:].tolist(), 0.05)[0] for row in draw.normal(0, 1, (4000, 7)))
    assert alarms / 4000 == pytest.approx(0.05, abs=0.01)


def test_audit_text_shares_no_story_with_the_corpus(tmp_path):
    story = CORPUS.valid.tobytes().split(b"\x00")[1].decode()
    (tmp_path / "seen.txt").write_text(f"new story\n<|endoftext|>\n{story}\n")
    with pytest.raises(DataError, match="1 of its 2 stories stand in words"):
        read_audit(tmp_path / "seen.txt", CORPUS, FEATHERWEIGHT)
    (tmp_path / "short.txt").write_text("new story")
    with pytest.raises(DataError, match="at least 10,000"):
        read_audit(tmp_path / "short.txt", CORPUS, FEATHERWEIGHT)
    with pytest.raises(DataError, match="there is no file"):
        read_audit(tmp_path / "none.txt", CORPUS, FEATHERWEIGHT)
    (tmp_path / "long.txt").write_text("\n<|endoftext|>\n".join(f"story {i} " + "word " * 99 for i in range(1200)))
    assert len(read_audit(tmp_path / "long.txt", CORPUS, FEATHERWEIGHT).raw) == FEATHERWEIGHT.eval_bytes


@pytest.fixture
def ledger(tmp_path):
    opened = Store(tmp_path / "arena.db")
    opened.begin(SPEC, [], this_process())
    yield opened
    opened.close()


def a_run(ledger, number, proposed, scored, seed=1337):
    ledger.propose("lab", replace(proposed, number=number, seed=seed))
    run_id, _ = ledger.start("lab", number, replace(KEY, seed=seed), {})
    ledger.finish(run_id, replace(scored, seed=seed))
    return ledger.read.run(run_id)[0]


def test_a_packed_model_is_scored_once_on_the_audit_text(ledger):
    """Trained, packed, unpacked and scored for real, for two steps."""
    config = baseline(Budget(steps=2, batch=2, seq_len=16))
    finished = run(config, 1337, CORPUS, FEATHERWEIGHT, lambda point: None)
    of = Proposal(number=0, config=config, proposer="grade", rule="", reason="", params={})
    row = a_run(ledger, 0, of, finished.result)
    asked = []

    def remake(run):
        asked.append(run.id)
        return finished.artifact

    same = AuditText(CORPUS.valid.tobytes())
    for _ in range(2):
        audit_runs(ledger, [row], config, same, remake, score_packed)
    assert asked == [row.id]
    (audit,) = ledger.read.audits()
    # the validation text itself, so the gap is nothing
    assert (audit.val_loss, audit.gap) == (finished.result.val_loss, 0.0)
    with pytest.raises(DataError, match="audited on another text"):
        audit_runs(ledger, [row], config, AuditText(b"other"), remake, score_packed)


def test_another_model_than_the_scored_one_is_not_audited(ledger):
    row = a_run(ledger, 0, proposal(0), result(proposal(0)))
    with pytest.raises(ArtifactError, match="not the one that was scored"):
        audit_runs(ledger, [row], BASE, AuditText(b"text"), lambda run: b"else", lambda *_: 1.0)
    assert ledger.read.audits() == []


def test_the_board_shows_who_is_flagged(ledger, capsys):
    text = AuditText(b"text that nobody has seen")
    packed = b"packed"
    # the last is the best of them on the validation text, and there alone
    for number, (scored, gap) in enumerate(((1.3, 0.001), (1.3, 0.002), (1.3, 0.0015), (1.3, 0.0012), (1.2, 0.2))):
        one = proposal(number, lr=1e-3 * (1 + number))
        outcome = replace(result(one, scored), artifact_sha256=hashlib.sha256(packed).hexdigest())
        row = a_run(ledger, number, one, outcome)
        audit_runs(ledger, [row], one.config, text, lambda run: packed, lambda *_, loss=scored + gap: loss)
    flag_all(ledger, text.digest, ALPHA)
    assert [(a.seed, a.gap) for a in ledger.read.audits() if a.flagged] == [(1337, pytest.approx(0.2))]
    (row,) = standings(ledger.read.entries())
    assert (row.flagged, row.audit_loss) == (True, pytest.approx(1.4))
    assert "adamw FLAGGED" in board(ledger.read, "lab")
    print_standings(str(ledger.path), None, None, as_json=False)
    assert "adamw FLAGGED" in capsys.readouterr().out
