"""What a repeated run is said to be."""

from dataclasses import replace

import pytest
from ledger_rows import KEY, SPEC, proposal, result

from autoresearch.replaying import Again, compared
from bench.records import Failure, Reason

RUN = proposal(0)
RECORDED = result(RUN)


@pytest.fixture
def recorded(store):
    store.propose(SPEC.name, RUN)
    run_id, _ = store.start(SPEC.name, 0, KEY, {})
    store.finish(run_id, RECORDED)
    return store.read.run(run_id)[0]


OTHER_LOSS = replace(RECORDED, val_loss=RECORDED.val_loss + 1e-12)
OTHER_FILE = replace(RECORDED, artifact_sha256="b" * 64)
DIVERGED = Failure(fingerprint=RECORDED.fingerprint, seed=1001, reason=Reason.DIVERGED, step=7, message="")


@pytest.mark.parametrize(
    ("again", "same", "said"),
    [
        (RECORDED, True, "the same, to the bit"),
        (OTHER_LOSS, False, "not the same"),
        (OTHER_FILE, False, "the same val_loss, to the bit, from a packed file that is not the recorded one"),
        (DIVERGED, False, "recorded complete at step 500; now diverged at step 7"),
    ],
)
def test_a_repeat_is_held_against_score_and_file(recorded, again, same, said):
    found, lines = compared(recorded, RECORDED.artifact_sha256, Again(again, None, KEY.device_class))
    assert (found, lines.splitlines()[-1]) == (same, said)


def test_a_repeat_on_another_device_says_so(recorded):
    _, lines = compared(recorded, RECORDED.artifact_sha256, Again(RECORDED, None, "cpu/other"))
    assert "recorded on cpu/test, this is cpu/other: bits may differ" in lines
