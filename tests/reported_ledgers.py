"""Ledgers that the report is tested on: replicates, failures, refusals and hostile text."""

from dataclasses import replace
from pathlib import Path

from ledger_rows import CARD, KEY, SPEC, failure, proposal, result

from bench.cards import cards
from bench.config import BROUGHT, Pick
from bench.divisions import BASE
from bench.records import Point, Reason
from studies.asked import Proposal
from studies.ownership import this_process
from studies.store import Store

NAME = "lab"
HOSTILE = "<script>alert(1)</script> | `tick` **bold** ![x](http://evil.example/p.png) \x1b[31m\u202e\n# head </td>"
# val_loss by learning rate and seed; 8e-3 is the baseline
REALS = {8e-3: (1.50, 1.52, 1.49), 2e-2: (1.31, 1.33), 1e-3: (1.9,)}


def small_ledger(folder: Path, scores: dict[float, tuple[float, ...]] = REALS) -> Path:
    """Replicates, a prediction, two that diverged, one that crashed, one refused."""
    store = Store(folder / "arena.db")
    store.begin(SPEC, [CARD], this_process())
    number = 0
    for lr, losses in scores.items():
        for seed, val_loss in enumerate(losses, start=1001):
            expected = 1.3 if (lr, seed) == (2e-2, 1001) else None
            asked = replace(proposal(number, lr), expected=expected, hypothesis="a faster one")
            run_id = begin(store, asked, seed)
            points = [Point(step, step / 5, 3.0 - step / 500, val_loss + 1 / step) for step in (50, 250, 500)]
            store.add_points(run_id, points)
            store.finish(run_id, replace(result(asked, val_loss), seed=seed))
            number += 1
    for lr, reason in ((1e-3, Reason.DIVERGED), (1.0, Reason.DIVERGED), (2.0, Reason.CRASHED)):
        asked = proposal(number, lr)
        store.finish(begin(store, asked, 1010), replace(failure(asked, reason), seed=1010, train_seconds=7.0))
        number += 1
    store.refuse(SPEC.name, proposal(number, 3.0), "over a cap")
    store.release(SPEC.name, "all trials are done")
    store.close()
    return folder / "arena.db"


def hostile_ledger(folder: Path) -> Path:
    """Every text that a user or a failing run may write, as bad as it comes."""
    store = Store(folder / "arena.db")
    card = {"slot": "optimizer", "name": "<img src=x onerror=alert(1)>", "doc": HOSTILE, "source": HOSTILE, "knobs": []}
    store.begin(replace(SPEC, division_name="open", corpus_name=HOSTILE), [CARD, card], this_process())
    brought = Pick(BROUGHT, {"title": HOSTILE, "code": "import secrets_of_the_user"})
    config = proposal(0).config.replaced("mixer", [brought])
    said = replace(proposal(0), reason=HOSTILE, hypothesis=HOSTILE, proposer=HOSTILE, expected=1.4)
    for asked in (said, replace(said, number=1, config=config), replace(proposal(2, 3e-3), reason=HOSTILE)):
        run_id = begin(store, asked, 1001)
        store.finish(run_id, result(asked, 1.5 - asked.number / 10))
    lost = replace(proposal(3, 1.0), reason=HOSTILE)
    store.finish(begin(store, lost, 1001), replace(failure(lost, Reason.CRASHED), message=HOSTILE, log_tail=HOSTILE))
    store.refuse(SPEC.name, proposal(4, 3.0), HOSTILE)
    store.release(SPEC.name, HOSTILE)
    store.close()
    return folder / "arena.db"


def begin(store: Store, asked: Proposal, seed: int) -> int:
    store.propose(SPEC.name, asked)
    run_id, _ = store.start(SPEC.name, asked.number, replace(KEY, seed=seed), {})
    return run_id


# val_loss of a 2x2: two techniques, two seeds each
SQUARE = {
    (): (1.50, 1.52),
    ("smear",): (1.45, 1.47),
    ("orthogonal",): (1.48, 1.50),
    ("orthogonal", "smear"): (1.30, 1.32),
}


def square_ledger(folder: Path) -> Path:
    """Two techniques alone, together and not at all; one more run of the pair on another kind of machine."""
    store = Store(folder / "arena.db")
    known = [card for card in cards() if card["name"] in ("muon", "lion", "xsa")]
    store.begin(replace(SPEC, division_name="open"), known, this_process())
    added = {"smear": ("features", Pick("smear_gate", {"start": 0.0})),
             "orthogonal": ("init", Pick("orthogonal", {"embedding_std": 0.3, "gain": 1.0}))}  # fmt: skip
    number = 0
    for names, losses in SQUARE.items():
        config = BASE
        for name in names:
            slot, pick = added[name]
            config = config.replaced(slot, [pick])
        for seed, val_loss in enumerate(losses, start=1001):
            asked = replace(proposal(number), config=config)
            store.finish(begin(store, asked, seed), replace(result(asked, val_loss), seed=seed))
            number += 1
    elsewhere = replace(proposal(number), config=config)
    store.propose(SPEC.name, elsewhere)
    run_id, _ = store.start(SPEC.name, number, replace(KEY, device_class="cuda/h100"), {})
    store.finish(run_id, result(elsewhere, 0.5))
    store.close()
    return folder / "arena.db"
