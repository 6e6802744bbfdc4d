"""Which stacks nobody ran, in what order, and what is said of them."""

import pytest

from autoresearch.beliefs import Observation, believe
from autoresearch.researcher.untried import ranked_untried
from bench.config import Pick, RunConfig
from bench.divisions import BASE

NOISE = 0.002
LION = Pick("lion", {"lr": 1e-3})


def card(name: str, slot: str = "addons", sign: int = 0, **more: object) -> dict[str, object]:
    prior = {"sign": sign, "grade": "A", "base": "elsewhere"}
    return {"slot": slot, "name": name, "prior": prior, "knobs": [], "status": "ready"} | more


CARDS = [
    card("ema", "averaging", needs=[{"other": "xsa"}]),
    card("xsa"),
    card("soft", knobs=[{"name": "cap", "default": 30.0}]),
    card("lion", "optimizer", knobs=[{"name": "lr", "default": 3e-4}]),
    card("dream", sign=-1, status="idea"),
]


def config(*addons: str, ema: bool = False, lion: Pick | None = None) -> RunConfig:
    made = BASE.replaced("addons", [Pick(name, {"cap": 12.0} if name == "soft" else {}) for name in addons])
    made = made.replaced("averaging", [Pick("ema" if ema else "last")])
    return made.replaced("optimizer", [lion]) if lion else made


ROWS = [
    Observation("#0", config(), 1.400),
    Observation("#1", config("xsa"), 1.396),
    Observation("#2", config("xsa"), 1.395),
    Observation("#3", config(ema=True), 1.412),
    Observation("#4", config("soft"), 1.401),
]


@pytest.fixture(scope="module")
def beliefs():
    return believe(ROWS, NOISE, CARDS, BASE)


def changes(found):
    return [untried.change for untried in found]


def test_the_incumbent_is_the_best_run(beliefs):
    assert beliefs.incumbent == config("xsa")


def test_what_was_run_is_not_proposed(beliefs):
    assert "drop xsa" not in changes(ranked_untried(beliefs))


def test_ones_swaps_drops_and_pairs_are_all_there(beliefs):
    found = changes(ranked_untried(beliefs, config("xsa", "soft")))
    assert {"averaging to ema", "optimizer to lion", "averaging to ema, optimizer to lion"} <= set(found)
    assert not [change for change in found if "drop" in change]  # both halves have been run alone
    assert {"drop soft", "drop xsa"} <= set(changes(ranked_untried(beliefs, config("xsa", "soft", ema=True))))


def test_the_most_valuable_comes_first(beliefs):
    values = [untried.value for untried in ranked_untried(beliefs)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0


def test_what_was_never_run_promises_more_than_what_did_nothing(beliefs):
    found = changes(ranked_untried(beliefs))
    assert found.index("optimizer to lion") < found.index("add soft")


def test_a_reason_is_made_of_numbers_and_trials(beliefs):
    reasons = {untried.change: untried.reason for untried in ranked_untried(beliefs)}
    soft = beliefs.effect("soft")
    mean, sd = beliefs.difference(config("xsa", "soft"), config("xsa"))
    size, alone = f"{mean:+.4f} +- {sd:.4f}", f"{soft.mean:+.4f} +- {soft.sd:.4f}"
    assert reasons["add soft"] == f"add soft: expected {size} against #2; soft {alone} over 1 run (#4)"
    assert "by its prior alone" in reasons["optimizer to lion"]


def test_a_reason_names_the_pair_that_is_hoped_for(beliefs):
    (beside,) = (untried for untried in ranked_untried(beliefs) if untried.change == "averaging to ema")
    assert "ema +0.01" in beside.reason
    assert "ema and xsa beyond their sum -0.0" in beside.reason
    assert "wants" not in beside.reason


def test_a_reason_names_the_need_that_is_missing(beliefs):
    found = ranked_untried(beliefs, config("soft"))
    (without,) = (untried for untried in found if untried.change == "averaging to ema")
    assert without.reason.endswith("ema wants xsa")


def test_a_technique_comes_back_with_the_knobs_of_its_best_run(beliefs):
    configs = {untried.change: untried.config for untried in ranked_untried(beliefs)}
    assert Pick("soft", {"cap": 12.0}) in configs["add soft"].picks["addons"]
    assert configs["optimizer to lion"].pick("optimizer").knobs == {"lr": 3e-4}


def test_an_idea_is_ranked_alone_and_not_runnable(beliefs):
    found = list(ranked_untried(beliefs, may_run=lambda config: False))
    assert changes(found) == ["add dream"]
    assert not found[0].runnable
    assert "dream -0.0100 +- 0.0300 by its prior alone" in found[0].reason


def test_only_free_slots_are_touched(beliefs):
    assert set(changes(ranked_untried(beliefs, free=["optimizer"]))) == {"optimizer to lion"}


def test_a_dear_stack_comes_later(beliefs):
    def cost(config: RunConfig) -> float:
        return 100.0 if config.pick("optimizer").name == "lion" else 1.0

    cheap, dear = (
        [u.change for u in ranked_untried(beliefs, cost=c) if u.runnable] for c in (lambda config: 1.0, cost)
    )
    assert "lion" in cheap[0]
    assert "lion" in dear[-1]


def test_what_failed_is_not_proposed_and_its_technique_is_worth_less(beliefs):
    failed = [("#7", config(lion=LION)), ("#9", config("xsa", lion=LION))]
    before = {untried.change: untried.value for untried in ranked_untried(beliefs)}
    after = {untried.change: untried for untried in ranked_untried(beliefs, failed=failed)}
    assert "optimizer to lion" not in after
    both = after["optimizer to lion, add soft"]
    assert both.value == pytest.approx(before[both.change] / 3)
    assert "lion +0.0000 +- 0.0300 by its prior alone, 2 more failed (#7, #9)" in both.reason


def test_the_order_of_runs_changes_nothing(beliefs):
    assert list(ranked_untried(believe(ROWS[::-1], NOISE, CARDS[::-1], BASE))) == list(ranked_untried(beliefs))


def test_ties_go_by_name():
    twins = believe([], NOISE, [card("b"), card("a"), card("c")], BASE)
    assert changes(ranked_untried(twins))[-3:] == ["add a", "add b", "add c"]


def test_checks_are_made_only_as_far_as_one_reads(beliefs):
    asked = []
    found = ranked_untried(beliefs, may_run=lambda config: not asked.append(config))
    assert next(untried for untried in found if untried.runnable).config == asked[0]
    assert len(asked) == 1
